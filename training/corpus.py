"""The risk corpus: plain text that a clinician can read, parsed into labelled messages.

A corpus file is UTF-8 text. A header line opens a block and labels every message below it, one message a line
(a line break inside a message is written as a backslash and an n):

    # urgent suicide | theme: harvest debts; voice: farmer, sixties; form: understated
    # none | theme: old house; voice: nurse on nights; form: long
    # ask:urgent suicide | theme: not coming back; voice: student; form: journey

The label is a level of the protocol (6.1), or ``ask:LEVEL`` where one plain question is the right outcome and LEVEL is
what silence means; then the categories, joined by ``+``. ``phase:`` may name a phase of the protocol (2.1). Theme,
voice and form are free words; messages are held out by file and theme, never at random.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import hashlib
import pathlib
import re
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).parent / "corpus"
LEVELS = ("none", "concern", "urgent", "emergency")
CATEGORIES = (
    "suicide",
    "self_harm",
    "harm_to_others",
    "abuse",
    "medical",
    "psychosis_mania",
    "substance",
    "distress",
    "human_request",
)
HEADER = re.compile(r"#\s*(?P<ask>ask:)?(?P<level>\w+)(?:\s+(?P<categories>[\w+]+))?\s*(?:\|(?P<facts>.*))?$")


class CorpusError(ValueError):
    """A corpus line that cannot be read; the message names the file and the line."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One labelled message of the corpus."""

    text: str
    level: str  # the level, or what silence means where `ask` is true
    ask: bool
    categories: tuple[str, ...]
    facts: dict[str, str]  # theme, voice, form, phase
    source: str  # file name without its ending
    line: int  # where it stands in the file

    @property
    def id(self) -> str:
        """Where a reader finds it: file and line."""
        return f"{self.source}:{self.line}"

    @property
    def key(self) -> str:
        """The same for messages that differ in case, punctuation and spacing only."""
        return " ".join(words(self.text)) or self.text

    @property
    def group(self) -> str:
        """What is held out together: messages of one writer on one theme."""
        return f"{self.source}/{self.facts.get('theme') or self.key}"


def read(path: pathlib.Path) -> Iterator[Message]:
    """Read one corpus file. Raises CorpusError at the first line that breaks the format."""
    header: dict[str, object] | None = None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = line.strip()
        if not line:
            continue
        if line.startswith("# "):
            found = HEADER.match(line)
            if not found or found["level"] not in LEVELS:
                raise CorpusError(f"{path.name}:{number}: not a header of the corpus format")
            categories = tuple(c for c in (found["categories"] or "").split("+") if c)
            unknown = set(categories) - set(CATEGORIES)
            if unknown or bool(categories) == (found["level"] == "none"):
                raise CorpusError(f"{path.name}:{number}: categories do not fit the level ({sorted(unknown)})")
            facts = dict(p.strip().split(":", 1) for p in (found["facts"] or "").split(";") if ":" in p)
            facts = {key.strip(): value.strip() for key, value in facts.items()}
            header = {"level": found["level"], "ask": bool(found["ask"]), "categories": categories, "facts": facts}
            continue
        if header is None:
            raise CorpusError(f"{path.name}:{number}: a message before the first header")
        yield Message(text=line.replace("\\n", "\n"), source=path.stem, line=number, **header)  # type: ignore[arg-type]


def digest() -> str:
    """A hash over all corpus files: the version of the data."""
    whole = hashlib.sha256()
    for path in sorted(ROOT.glob("*.txt")):
        whole.update(path.name.encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()


def words(text: str) -> list[str]:
    """Lower-case words of a message, for comparing messages."""
    return re.findall(r"[\w']+", text.lower())


def repeated(messages: list[Message], size: int = 5) -> list[tuple[str, int]]:
    """Word sequences of ``size`` words that stand in three messages or more, most frequent first."""
    seen: collections.Counter[str] = collections.Counter()
    for message in messages:
        tokens = words(message.text)
        seen.update({" ".join(tokens[i : i + size]) for i in range(len(tokens) - size + 1)})
    return [(gram, count) for gram, count in seen.most_common() if count >= 3]


def main() -> None:
    """Print counts by label and length and what repeats, for the files named (all without names)."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    messages = [m for path in parser.parse_args().files or sorted(ROOT.glob("*.txt")) for m in read(path)]
    counts = collections.Counter((("ask:" if m.ask else "") + m.level, "+".join(m.categories)) for m in messages)
    for (level, categories), count in sorted(counts.items()):
        print(f"{count:6} {level} {categories}")
    lengths = collections.Counter(min(len(words(m.text)) // 15 * 15, 150) for m in messages)
    print(f"{len(messages)} messages, {len({m.group for m in messages})} themes")
    print("words:", ", ".join(f"{low}+: {count}" for low, count in sorted(lengths.items())))
    twice = [text for text, n in collections.Counter(" ".join(words(m.text)) for m in messages).items() if n > 1]
    print(f"said twice: {len(twice)}", *twice[:10], sep="\n  ")
    grams = repeated(messages)
    print(f"sequences of five words in three messages or more: {len(grams)}", *grams[:15], sep="\n  ")


if __name__ == "__main__":
    main()
