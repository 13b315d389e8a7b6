"""Which qualifiers act on a match: negation, history, another person, journey imagery and the rest of protocol 6.4.

A qualifier acts by where its words stand: before the match, in its clause, in its sentence, as the subject of what is
said, as quotation marks around it, or by the practice being written in. A new subject ends its reach, so that it acts
within its clause in text without punctuation too. Its traps cancel it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.adapters.language.matching import Span
from bot.adapters.language.normalise import Clause
from bot.adapters.language.rulebook import Qualifier, Stretches

Owner = tuple[str, str]  # what a phrase is for (rule, unless, says, after, trap, idiom) and whose
REACH_OF_TRAPS = 12  # words between a match and what cancels a practice's frame


@dataclass(frozen=True)
class Read:
    """A clause and where phrases matched in it."""

    clause: Clause
    found: Mapping[Owner, Sequence[Span]]

    def stretch_start(self, place: int, marks: Stretches) -> int:
        """Where the stretch of one subject begins that holds a word: after a joint, or at an "i" that nothing holds."""
        texts = self.clause.texts
        for i in range(place, 0, -1):
            if texts[i - 1] in marks.joints or (texts[i] == "i" and i < place and texts[i - 1] not in marks.holds):
                return i
        return 0


def acts(
    qualifier: Qualifier,
    span: Span,
    place: int,
    reads: Sequence[Read],
    practice: str | None,
    marks: Stretches,
) -> bool:
    """Whether a qualifier acts on a match in `reads[place]`, written in a practice or in none."""
    read = reads[place]
    said = read.found.get(("says", qualifier.name), ())
    traps = read.found.get(("trap", qualifier.name), ())
    if practice in qualifier.practices:
        return not _near(traps, span, REACH_OF_TRAPS)
    if qualifier.where == "quoted":
        words = read.clause.words[span[0] : span[1]]
        return 2 * sum(word.quoted for word in words) > len(words)
    if qualifier.where == "subject":
        return _another_subject(read, said, span, qualifier.reach, marks)
    if qualifier.where == "sentence":
        return _in_sentence(qualifier, span, place, reads)
    if qualifier.where == "before":
        begin = max(read.stretch_start(span[0], marks), span[0] - qualifier.reach - 1)
        return any(
            begin <= start and end <= span[0] and not any(a < span[1] and b > start for a, b in traps)
            for start, end in said
        )
    return _near(said, span, qualifier.reach) and not _near(traps, span, qualifier.reach)


def _in_sentence(qualifier: Qualifier, span: Span, place: int, reads: Sequence[Read]) -> bool:
    """In the clause itself or one beside it: in its sentence, or right after it ("That was years ago")."""
    here = reads[place]
    traps = ("trap", qualifier.name)
    if here.found.get(traps) and _near(here.found[traps], span, qualifier.reach):
        return False
    if any(_within(said, span, qualifier.reach) for said in here.found.get(("says", qualifier.name), ())):
        return True
    for beside in (place - 1, place + 1):
        if not 0 <= beside < len(reads):
            continue
        other = reads[beside]
        if other.clause.sentence == here.clause.sentence:
            if other.found.get(("says", qualifier.name)) and not other.found.get(traps):
                return True
        elif beside > place and other.found.get(("after", qualifier.name)) and not other.found.get(traps):
            return True
    return False


def _another_subject(read: Read, said: Sequence[Span], span: Span, reach: int, marks: Stretches) -> bool:
    """Whether the nearest subject before a match, or at its start, is somebody else."""
    mine = max((i for i, word in enumerate(read.clause.texts[: span[0] + 1]) if word in marks.first_person), default=-1)
    theirs = max((end - 1 for _, end in said if end - 1 <= span[0]), default=-1)
    return theirs > mine and span[0] - theirs <= reach


def _within(one: Span, other: Span, reach: int) -> bool:
    return one[0] - other[1] <= reach and other[0] - one[1] <= reach


def _near(spans: Sequence[Span], span: Span, reach: int) -> bool:
    return any(_within(other, span, reach) for other in spans)
