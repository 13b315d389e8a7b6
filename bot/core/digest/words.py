"""Section 11: words that come back. Raw counts with no meaning implied. Source: protocol 5.2."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence

from bot.core.digest.reading import lines
from bot.core.digest.records import Counted, Source
from bot.core.journal import Entry

ENTRIES = 3  # a word has to appear in this many entries
MOST = 10
WRITTEN = (
    "state.word", "recall.images", "recall.words", "recall.quiet_note", "recall.title", "part.description", "part.job",
    "part.fear", "part.request", "body.resource_word", "body.return_note", "body.note", "insight.offer",
    "insight.everyday", "insight.line", "closing.word", "glimmers", "step.text", "step.when", "step.where",
    "step.objection", "revisit.step_note", "revisit.intention_note", "revisit.change_note", "prep.feeling",
    "prep.concerns", "intention.text", "prep.resource", "questions", "letter.share", "letter.hard_to_say", "freeform",
)  # fmt: skip
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
RISK_STEMS = (
    "abus", "assault", "attack", "beat", "bleed", "blood", "burn", "choke", "cut", "dead", "death", "die", "dying",
    "drug", "drunk", "gun", "harm", "hurt", "kill", "knife", "murder", "overdos", "pill", "poison", "rape", "razor",
    "rope", "shoot", "shot", "starv", "stab", "strangl", "suicid", "voices", "weapon",
)  # fmt: skip


def repeated(
    entries: Sequence[Entry],
    *,
    stop_words: Collection[str],
    names: Iterable[str],
    is_risk: Callable[[str], bool],
) -> tuple[Counted, ...]:
    """Words of at least ENTRIES entries with their raw counts, most first, at most MOST.

    Left out: stop-words, one- and two-letter words, the words of `names` (parts and people), words that are always
    written with a capital inside a sentence (other people's names), and risk words.
    """
    left_out = {word.casefold() for name in names for word in WORD.findall(name)} | set(stop_words)
    sources: dict[str, list[Source]] = {}
    plain: set[str] = set()
    for kept in lines(entries, *WRITTEN):
        text = kept.said.text
        for match in WORD.finditer(text):
            word = match[0].casefold().replace("’", "'").removesuffix("'s")
            if len(word) < 3 or word in left_out:
                continue
            sources.setdefault(word, []).append(kept.said.source)
            if match[0][0].islower():
                plain.add(word)
    found: list[Counted] = []
    for word in sorted(sources, key=lambda word: (-len(sources[word]), word)):
        if len({source.entry_id for source in sources[word]}) < ENTRIES or word not in plain:
            continue
        if word.startswith(RISK_STEMS) or is_risk(word):
            continue
        found.append(Counted(name=word, count=len(sources[word]), sources=tuple(sources[word])))
        if len(found) == MOST:
            break
    return tuple(found)
