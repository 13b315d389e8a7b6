"""The rule layer: authored patterns on normalised clauses, and the qualifiers that act within a clause.

Parts language never lowers anything. A qualifier lowers only as protocol 6.4 states. Rules are data under data/safety.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import spacy
import yaml
from spacy.language import Language

from bot.adapters.language.normalise import Normalised, normalise
from bot.core.safety.verdict import AssessmentContext, Category, Evidence, Finding, Level

CONTENT = frozenset({"journey_recall", "meet_a_part", "body_tracking", "meaning_and_insight", "glimmer"})
BREAKS = re.compile(r"[.!?;\n]+|\s-\s| but | and then | because |, (?=i )")
NEGATION = re.compile(r"\b(no|not|never|without|free of|none|nor)\b")
PAST = re.compile(
    r"\b((\d+|a few|many|some|two|three|ten|twenty|several) years? ago|years ago|months ago|when i was|used to|back in "
    r"(19|20)\d\d|in my (teens|twenties|thirties|20s|30s)|in (high school|college)|as a (kid|child|teen\w*))\b"
)
STILL = re.compile(r"\b(again|still|like before|since then|now|today|tonight|lately|these days)\b")
IDIOM = re.compile(
    r"\b(dying to (see|try|know|meet|go|get)|to die for|dead tired|bored to death|died laughing|killing it|killed it|"
    r"killing time|killed the (presentation|interview|workout|meeting)|killer (app|view|workout)|could murder an? \w+|"
    r"deadline|drop-dead|shoot me an? (text|email|message)|my (back|feet|head|knees) (is|are) killing me|"
    r"nearly killed me|die of embarrassment|scared to death|"
    r"dead end|over my dead body|kill (two birds|some time)|beat the traffic)\b"
)
IMAGERY = re.compile(
    r"\b(in (the|my) (journey|dream|trip|session|vision)|during (it|the journey)|i dreamed|in a dream)\b"
)
BLOOD_PRESSURE = re.compile(r"\b(\d{3}) ?(?:/|over) ?(\d{2,3})\b")
BP_SYMPTOMS = re.compile(r"\b(vision|blurr\w*|chest|headache|breath\w*|weak\w*|speech|numb\w*|confus\w*|dizzy)\b")
LONG_AGO = re.compile(r"\b(years?|months?|weeks) ago\b|\blast year\b|\bwhen i was\b")
CHEST = re.compile(r"\bchest|heart|throat|air|breath")


@dataclass(frozen=True)
class Rule:
    """One authored pattern."""

    id: str
    category: Category
    level: Level  # none: it only asks
    pattern: re.Pattern[str] | None
    near: tuple[re.Pattern[str], re.Pattern[str], int] | None
    if_no_answer: Level
    subtype: str | None
    ctx: str | None
    not_ctx: str | None
    negatable: bool
    tripwire: bool
    loose: bool
    holds_urgent: bool
    lowers_urgent: bool
    past_lowers: bool
    ask_chest: bool

    def matches(self, clause: str) -> tuple[int, int] | None:
        """The span of the match in the clause, or None."""
        if self.pattern is not None:
            found = self.pattern.search(clause)
            return None if found is None else found.span()
        assert self.near is not None
        left, right, distance = self.near
        for a in left.finditer(clause):
            for b in right.finditer(clause):
                first, second = sorted((a.span(), b.span()))
                if first[1] <= second[0] and len(clause[first[1] : second[0]].split()) <= distance:
                    return first[0], second[1]
        return None


class RuleLayer:
    """All rules of data/safety, compiled once."""

    def __init__(self, folder: Path) -> None:
        self.rules = tuple(_load(folder))
        self._split: Language = spacy.blank("en")

    def clauses(self, plain: str) -> list[tuple[int, int]]:
        """Spans of the clauses (protocol 6.2 step 2); a text without punctuation is cut every 40 words."""
        spans: list[tuple[int, int]] = []
        start = 0
        for match in [*BREAKS.finditer(plain), None]:
            end = len(plain) if match is None else match.start()
            spans += self._windows(plain, start, end)
            start = end if match is None else match.end()
        return spans

    def _windows(self, plain: str, start: int, end: int) -> list[tuple[int, int]]:
        piece = plain[start:end]
        if not piece.strip():
            return []
        start, piece = start + len(piece) - len(piece.lstrip()), piece.strip()
        end = start + len(piece)
        if piece.count(" ") <= 60:
            return [(start, end)]
        tokens = list(self._split.make_doc(piece))
        places = [tokens[i].idx for i in range(0, len(tokens), 30)]
        last = [min(len(piece), tokens[min(i + 45, len(tokens) - 1)].idx + 12) for i in range(0, len(tokens), 30)]
        return [(start + a, start + b) for a, b in zip(places, last)]

    def findings(self, text: str, context: AssessmentContext) -> list[Finding]:
        """What the rules find in a text."""
        source = normalise(text)
        found: list[Finding] = []
        for start, end in self.clauses(source.text):
            found += self._clause(source, start, end, context)
        for category_rules in (self._whole(source, context), self._blood_pressure(source)):
            found += category_rules
        return _without_lesser_questions(found)

    def _clause(self, source: Normalised, start: int, end: int, context: AssessmentContext) -> list[Finding]:
        clause = source.text[start:end]
        plain = IDIOM.sub(lambda match: " " * len(match.group()), clause)
        hits = [(rule, span) for rule in self.rules if _applies(rule, context) and (span := rule.matches(plain))]
        holds = any(rule.holds_urgent for rule, _ in hits)
        lowers = {rule.category for rule, _ in hits if rule.lowers_urgent}
        found = []
        for rule, (a, b) in hits:
            finding = self._qualified(rule, clause, source, start + a, start + b, context, holds, lowers)
            if finding is not None:
                found.append(finding)
        return found

    def _qualified(
        self, rule: Rule, clause: str, source: Normalised, start: int, end: int, context: AssessmentContext,
        holds: bool, lowers: set[Category],
    ) -> Finding | None:  # fmt: skip
        level, ask, silent = rule.level, rule.level is Level.none, rule.if_no_answer
        because: tuple[str, ...] = ()
        negated = _negates(rule, clause)
        past = bool(PAST.search(clause)) and not STILL.search(clause)
        if ask and rule.negatable and negated:
            return None
        if rule.category is Category.medical and negated and level is Level.emergency:
            return None
        if rule.past_lowers and LONG_AGO.search(clause):
            level, because = Level.concern, ("long ago",)
        if level >= Level.urgent and rule.category in (Category.suicide, Category.self_harm):
            if rule.category in lowers or (past and "attempted" not in clause and level is Level.urgent):
                level, because = Level.concern, ("past",)
            elif _denies(clause):
                return (
                    None
                    if level is Level.urgent
                    else _finding(rule, source, start, end, Level.none, True, Level.urgent, ("denial",))
                )
            elif IMAGERY.search(clause) and level is Level.urgent:
                level, ask, silent, because = Level.none, True, Level.urgent, ("journey imagery",)
            elif holds and level is Level.urgent:
                return None
        if rule.category is Category.self_harm and rule.tripwire and re.search(r"\b(tattoo|piercing)\b", clause):
            return None
        return _finding(rule, source, start, end, level, ask and level is Level.none, silent, because)

    def _whole(self, source: Normalised, context: AssessmentContext) -> list[Finding]:
        """Patterns that reach over clauses, such as a farewell of two sentences; questions only."""
        flat = re.sub(r"[.!?;,\n]+", " ", source.text)
        if len(flat) > 4000 or not BREAKS.search(source.text):
            return []
        found = []
        for rule in self.rules:
            if not rule.tripwire and rule.level >= Level.urgent and _applies(rule, context):
                span = rule.matches(IDIOM.sub(lambda m: " " * len(m.group()), flat))
                if span and span[1] - span[0] <= 90 and not NEGATION.search(flat) and not PAST.search(flat):
                    found.append(_finding(rule, source, *span, Level.none, True, rule.level))
        return found

    def _blood_pressure(self, source: Normalised) -> list[Finding]:
        for match in BLOOD_PRESSURE.finditer(source.text):
            systolic, diastolic = int(match.group(1)), int(match.group(2))
            if not (60 <= systolic <= 300 and 30 <= diastolic <= 200):
                continue
            if systolic >= 180 or diastolic >= 120:
                level = Level.emergency if BP_SYMPTOMS.search(source.text) else Level.urgent
                a, b = source.span(*match.span())
                evidence = Evidence(start=a, end=b, score=1.0, rule="MED-BP-01")
                return [Finding(category=Category.medical, level=level, subtype="bp", evidence=evidence)]
        return []


def _applies(rule: Rule, context: AssessmentContext) -> bool:
    if rule.id in context.quiet_rules:
        return False
    content = context.practice in CONTENT
    if rule.not_ctx is not None and (rule.not_ctx == context.practice or (rule.not_ctx == "content_ctx" and content)):
        return False
    if rule.ctx is None:
        return True
    early = context.phase in ("first_24h", "journey_day") or (context.hours_since_dose or 999) < 24
    return early if rule.ctx in ("first_24h", "within_24h_of_dose") else rule.ctx == context.practice


NO_SYMPTOM = re.compile(
    r"\b(no|not|without|never|free of)\b( \w+){0,4} (chest|pain|trouble|short|breath|fever|seizure|faint)"
)
NOT_SUICIDAL = re.compile(r"\b(not|never|no longer|no)\b( \w+){0,2} (suicid\w*|unaliv\w*)")
DENIAL = re.compile(
    r"\b(not|never|no)\b( \w+){0,3} (suicid\w*|going to kill|kill myself|want(ing)? to die|thoughts of suicide)"
)
AFFIRMS = re.compile(r"\b(not want to (live|be alive|exist|wake)|no (reason|point)|not safe|cannot)\b")


def _negates(rule: Rule, clause: str) -> bool:
    pattern = NO_SYMPTOM if rule.category is Category.medical else NOT_SUICIDAL
    return bool(pattern.search(clause))


def _denies(clause: str) -> bool:
    """Unprompted denial of ideation by the whole clause; "do not want to live" and its like affirm (6.4, traps)."""
    return bool(DENIAL.search(clause)) and not AFFIRMS.search(clause)


def _finding(
    rule: Rule, source: Normalised, start: int, end: int, level: Level, ask: bool, silent: Level,
    qualifiers: tuple[str, ...] = (),
) -> Finding:  # fmt: skip
    a, b = source.span(start, end)
    return Finding(
        category=rule.category,
        level=level,
        ask=ask,
        if_no_answer=silent if ask else Level.none,
        subtype="chest" if rule.ask_chest and ask else rule.subtype,
        loose=rule.loose,
        evidence=Evidence(start=a, end=b, score=1.0, rule=rule.id, qualifiers=qualifiers),
    )


def _without_lesser_questions(found: list[Finding]) -> list[Finding]:
    """A tripwire asks only where no pattern of its category has decided (6.4c-2)."""
    decided = {f.category for f in found if f.level >= Level.concern and "-TW-" not in str(f.evidence.rule)}
    return [f for f in found if not (f.ask and "-TW-" in str(f.evidence.rule) and f.category in decided)]


def _load(folder: Path) -> Iterable[Rule]:
    lexicon = yaml.safe_load((folder / "lexicon.yml").read_text(encoding="utf-8"))["risk_rules"]
    for category, levels in lexicon.items():
        for name, rows in levels.items():
            level = Level[{"clarify": "none", "clinic_boundary": "urgent"}.get(name, name)]
            for row in rows:
                subtype = "clinic_boundary" if name == "clinic_boundary" else row.get("subtype")
                yield _rule(row, Category(category), level, subtype, tripwire=False)
    tripwires = yaml.safe_load((folder / "tripwires.yml").read_text(encoding="utf-8"))["risk_tripwires"]
    for category, rows in tripwires.items():
        for row in rows:
            yield _rule(row, Category(category), Level.none, row.get("subtype"), tripwire=True)


def _rule(row: Mapping[str, Any], category: Category, level: Level, subtype: str | None, *, tripwire: bool) -> Rule:
    near = (re.compile(row["a"]), re.compile(row["b"]), int(row["near"])) if "a" in row else None
    return Rule(
        id=row["id"],
        category=category,
        level=level,
        pattern=re.compile(row["p"]) if "p" in row else None,
        near=near,
        if_no_answer=Level[row.get("if_no_answer", "none")],
        subtype=subtype,
        ctx=row.get("ctx"),
        not_ctx=row.get("not_ctx"),
        negatable=bool(row.get("negatable")),
        tripwire=tripwire,
        loose=tripwire or bool(row.get("loose")),
        holds_urgent=bool(row.get("holds_urgent_in_same_clause")),
        lowers_urgent=bool(row.get("lowers_urgent_in_same_clause")),
        past_lowers=row.get("past_marker_over_7_days") == "lower_to_concern",
        ask_chest=row.get("ask") == "chest",
    )
