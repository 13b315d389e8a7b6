"""Making the output of the processes readable: one line each, without other people's deprecation warnings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

WARNING = re.compile(r"^\S+\.py:\d+: \w*DeprecationWarning: ")
LONGEST_WARNING = 4  # lines, the quoted line of source included


def readable(lines: Iterable[str]) -> Iterator[str]:
    """The lines that say something, without line ends.

    Left out are empty lines and Python's deprecation warnings: those concern the authors of the libraries, and Rasa's
    cannot be switched off from outside. A warning ends with the line of source it quotes, which is indented.
    """
    inside = 0
    for raw in lines:
        line = raw.rstrip()
        if WARNING.match(line):
            inside = 1
        elif inside:
            ends = line.startswith("  ") or inside >= LONGEST_WARNING
            inside = 0 if ends else inside + 1
        elif line:
            yield line
