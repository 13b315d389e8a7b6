"""The server of the pages, with its own options and worker, over one page that says how long a body was."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

from bot.web.deadlines import WholeRequests
from bot.web.server import MOST_BYTES, _Server


def page(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The length of the body, in digits."""
    said = str(len(environ["wsgi.input"].read())).encode()
    start_response("200 OK", [("Content-Length", str(len(said)))])
    return [said]


class Small(_Server):
    """The same server without the clinic behind it, so that it starts at once."""

    def load(self) -> Any:
        return WholeRequests(page, MOST_BYTES)


if __name__ == "__main__":
    settings = SimpleNamespace(web_host="127.0.0.1", web_port=int(sys.argv[1]))
    Small(SimpleNamespace(settings=settings)).run()  # type: ignore[arg-type]
