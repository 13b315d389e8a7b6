"""The rule layer: authored rules on clauses, and the qualifiers that lower a match only as protocol 6.4 states.

What is said in parts language is read like anything else. Rules, words and qualifiers are data (data/safety/rules).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from bot.adapters.language.matching import PhraseBook, Span
from bot.adapters.language.normalise import Clause, clauses_of
from bot.adapters.language.phrases import Phrase
from bot.adapters.language.pressure import pressure_findings
from bot.adapters.language.qualifiers import Owner, Read, acts
from bot.adapters.language.rulebook import Rule, load_rulebook
from bot.adapters.language.spelling import Speller
from bot.core.safety.verdict import AssessmentContext, Category, Evidence, Finding, Level

CONTENT = frozenset({"journey_recall", "meet_a_part", "body_tracking", "meaning_and_insight", "glimmer"})
EARLY = frozenset({"first_24h", "journey_day"})
OWN_HARM = frozenset({Category.suicide, Category.self_harm})
ACROSS = 14  # words of two clauses that are so short that they may be one
LAST_MESSAGES = 3


@dataclass(frozen=True)
class _Match:
    """A rule's match after its qualifiers: a finding, or a denial that counts only where nothing else was said."""

    finding: Finding
    denied: bool = False


class RuleLayer:
    """All rules of data/safety, ready to run."""

    def __init__(self, folder: Path) -> None:
        """Reads the rules below a folder. Raises what `load_rulebook` raises."""
        book = load_rulebook(folder / "rules")
        self.rules, self.version = book.rules, book.digest[:12]
        self._qualifiers, self._marks = book.qualifiers, book.stretches
        phrases: dict[Owner, Sequence[Phrase]] = {("idiom", ""): book.idioms}
        for rule in book.rules.values():
            phrases["rule", rule.id] = rule.says
            phrases["unless", rule.id] = rule.unless
        for name, qualifier in book.qualifiers.items():
            phrases["says", name] = qualifier.says
            phrases["trap", name] = qualifier.unless
            phrases["after", name] = qualifier.after
        self._book = PhraseBook(phrases)
        self._speller = Speller(book.spelling, self._book.known)

    def findings(self, text: str, context: AssessmentContext) -> list[Finding]:
        """What the rules find in a text."""
        clauses = clauses_of(text, self._speller)
        reads = [Read(clause, self._book.find(clause.texts)) for clause in clauses]
        matches = [
            match
            for place, read in enumerate(reads)
            for kind, name in read.found
            if kind == "rule" and (match := self._match(self.rules[name], place, reads, context)) is not None
        ]
        found = [match.finding for match in matches if not match.denied]
        found += self._across(clauses, found, context)
        found += pressure_findings(text)
        found += self._denials([match.finding for match in matches if match.denied], found, context)
        return _without_lesser_questions(found)

    def _match(self, rule: Rule, place: int, reads: Sequence[Read], context: AssessmentContext) -> _Match | None:
        """The gravest thing that a rule's matches in one clause come to."""
        if not _applies(rule, context):
            return None
        read = reads[place]
        silenced = read.found.get(("unless", rule.id), ())
        masked = read.found.get(("idiom", ""), ())
        made = []
        for span in _widest(read.found["rule", rule.id]):
            if any(a < span[1] + 8 and b > span[0] - 8 for a, b in silenced):
                continue
            if any(a < span[1] and b > span[0] for a, b in masked):
                continue
            if (match := self._qualified(rule, span, place, reads, context)) is not None:
                made.append(match)
        return max(made, key=lambda match: (not match.denied, match.finding.weight), default=None)

    def _qualified(
        self, rule: Rule, span: Span, place: int, reads: Sequence[Read], context: AssessmentContext
    ) -> _Match | None:
        acting = [
            qualifier
            for name in sorted(rule.qualifiers)
            if acts(qualifier := self._qualifiers[name], span, place, reads, context.practice, self._marks)
        ]
        names = tuple(qualifier.name.replace("_", " ") for qualifier in acting)
        made = {qualifier.effect(rule): qualifier for qualifier in acting}
        subtype = next((q.subtype for q in acting if q.subtype), rule.subtype)
        place_in_text = reads[place].clause.span(*span)
        if "nothing" in made:
            if not made["nothing"].alone:
                return None
            return _Match(_finding(rule, place_in_text, names, ask=Level.urgent, subtype=subtype), denied=True)
        if "concern" in made:
            return _Match(_finding(rule, place_in_text, names, level=Level.concern, subtype=subtype))
        if "mention" in made:
            return _Match(_finding(rule, place_in_text, names, ask=Level.urgent, subtype=subtype, loose=True))
        if "question" in made:
            silent = max(rule.if_no_answer, Level.urgent)
            return _Match(_finding(rule, place_in_text, names, ask=silent, subtype=subtype))
        if "urgent" in made:
            return _Match(_finding(rule, place_in_text, names, level=Level.urgent, subtype=subtype))
        if rule.asks:
            return _Match(_finding(rule, place_in_text, names, ask=rule.if_no_answer, subtype=subtype))
        return _Match(_finding(rule, place_in_text, names, level=rule.level, subtype=subtype))

    def _across(self, clauses: Sequence[Clause], found: Sequence[Finding], context: AssessmentContext) -> list[Finding]:
        """Rules that only match over the end of a short clause ("Goodbye. I am ending it."): mere questions."""
        known = {f.category for f in found if max(f.level, f.if_no_answer) >= Level.urgent}
        made = []
        for first, second in pairwise(clauses):
            if len(first.words) + len(second.words) > ACROSS:
                continue
            both = Clause((*first.words, *second.words), first.sentence)
            end = len(first.words)
            for (kind, name), spans in self._book.find(both.texts).items():
                if kind != "rule" or not _alerts(rule := self.rules[name]) or not _applies(rule, context):
                    continue
                crossing = [span for span in spans if span[0] < end < span[1]]
                if crossing and rule.category not in known:
                    place = both.span(*crossing[0])
                    made.append(_finding(rule, place, ("over clauses",), ask=rule.level, loose=True))
        return made

    def _denials(self, denied: list[Finding], found: Sequence[Finding], context: AssessmentContext) -> list[Finding]:
        """A denial is a question where the message, or the last ones, say anything else of the kind (6.4)."""
        if not denied:
            return []
        before = AssessmentContext(phase=context.phase, practice=context.practice)
        elsewhere = any(map(_own_harm, found)) or any(
            _own_harm(f) for past in context.history[-LAST_MESSAGES:] for f in self.findings(past, before)
        )
        return [replace(f, loose=False) for f in denied if f.category in OWN_HARM] if elsewhere else []


def _own_harm(finding: Finding) -> bool:
    return finding.category in OWN_HARM and not finding.loose


def _alerts(rule: Rule) -> bool:
    return rule.level >= Level.urgent and not rule.loose


def _applies(rule: Rule, context: AssessmentContext) -> bool:
    if rule.id in context.quiet_rules:
        return False
    if rule.not_in is not None and _is_in(rule.not_in, context):
        return False
    return rule.only_in is None or _is_in(rule.only_in, context)


def _is_in(place: str, context: AssessmentContext) -> bool:
    if place == "content":
        return context.practice in CONTENT
    if place == "first_24h":
        return context.phase in EARLY or (context.hours_since_dose is not None and context.hours_since_dose < 24)
    return place == context.practice


def _finding(
    rule: Rule,
    place: Span,
    qualifiers: tuple[str, ...],
    *,
    level: Level = Level.none,
    ask: Level | None = None,
    subtype: str | None = None,
    loose: bool = False,
) -> Finding:
    return Finding(
        category=rule.category,
        level=level,
        ask=ask is not None,
        if_no_answer=Level.none if ask is None else ask,
        subtype=subtype,
        loose=loose or rule.loose,
        evidence=Evidence(start=place[0], end=place[1], score=1.0, rule=rule.id, qualifiers=qualifiers),
    )


def _widest(spans: Sequence[Span]) -> list[Span]:
    """The spans that lie in no other."""
    return [s for s in spans if not any(o != s and o[0] <= s[0] and s[1] <= o[1] for o in spans)]


def _without_lesser_questions(found: list[Finding]) -> list[Finding]:
    """A mere mention asks only where no rule of its category has decided (6.4c-2)."""
    decided = {f.category for f in found if f.level >= Level.concern}
    return [f for f in found if not (f.ask and f.loose and f.category in decided)]
