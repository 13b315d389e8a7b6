"""This assistant as a process of its own, to be weighed: what `kat run` does once everything is set up."""

from __future__ import annotations

import signal
import sys

from bot.settings import load
from bot.supervisor.run import Supervisor, children_of


def main(model: str) -> int:
    """Start all processes of the settings in the environment and watch them until told to stop."""
    supervisor = Supervisor(children_of(load(), model), sys.stdout)
    signal.signal(signal.SIGTERM, lambda *_: supervisor.ending.set())
    try:
        if supervisor.start():
            supervisor.watch()
    finally:
        supervisor.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
