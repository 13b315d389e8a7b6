"""Reads the rules and qualifiers of data/safety/rules into records. Their syntax is that of `phrases`.

Files of rules hold `risk_rules`, one category each; `words.yml` holds the named lists, `qualifiers.yml` what lowers a
match and how, `spelling.yml` how people write. Every rule carries the sentences that it must and must not match.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bot.adapters.language.phrases import Grammar, Phrase
from bot.core.safety.verdict import Category, Level

KINDS = ("suicide", "self_harm", "harm_to_others", "abuse", "medical", "psychosis_mania", "substance", "distress",
         "human_request")  # fmt: skip
SAFE_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's, where it is there: ten times as fast


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One authored rule: phrases, and what it means that one of them was said."""

    id: str
    category: Category
    level: Level  # none: it only asks
    if_no_answer: Level  # what silence means, where it asks
    subtype: str | None
    only_in: str | None  # a phase, a practice, or `content`: where it applies
    not_in: str | None
    loose: bool  # a mere mention (ADR 5)
    qualifiers: frozenset[str]  # those that may lower it
    says: tuple[Phrase, ...]
    unless: tuple[Phrase, ...]  # near misses: what silences it in the same clause
    must: tuple[str, ...]
    must_not: tuple[str, ...]
    source: str
    reviewer: str  # empty until a clinician signs

    @property
    def asks(self) -> bool:
        return self.level is Level.none


@dataclass(frozen=True)
class Effect:
    """What a qualifier makes of a match of these categories at these levels ("ask" for a question)."""

    of: frozenset[Category]
    at: frozenset[str]
    makes: str  # nothing, concern, urgent, question, mention (a question that is a mere mention), same


@dataclass(frozen=True, kw_only=True)
class Qualifier:
    """What may lower a match: words, where they must stand, what cancels them, and what they do."""

    name: str
    where: str  # before, clause, sentence, subject, quoted, or practice (no words: the place itself)
    reach: int  # words between it and the match
    says: tuple[Phrase, ...]
    after: tuple[Phrase, ...]  # what acts from the sentence after ("That was years ago")
    unless: tuple[Phrase, ...]  # the traps of protocol 6.4
    practices: frozenset[str]
    effects: tuple[Effect, ...]
    subtype: str | None
    alone: bool  # silences only where nothing else of its kind was said

    def effect(self, rule: Rule) -> str:
        """What it makes of a match of a rule: the first effect that fits, else `same`."""
        level = "ask" if rule.asks else rule.level.name
        return next((e.makes for e in self.effects if rule.category in e.of and level in e.at), "same")


@dataclass(frozen=True)
class Stretches:
    """Words that end or hold a stretch of one subject."""

    joints: frozenset[str]
    first_person: frozenset[str]
    holds: frozenset[str]  # an "i" after one of these begins nothing new


@dataclass(frozen=True)
class Rulebook:
    """All rules, qualifiers and spellings, and a hash of the files they came from."""

    rules: Mapping[str, Rule]
    qualifiers: Mapping[str, Qualifier]
    idioms: tuple[Phrase, ...]
    stretches: Stretches
    spelling: Mapping[str, Any]
    digest: str


def load_rulebook(folder: Path) -> Rulebook:
    """Read data/safety/rules.

    Raises OSError, yaml.YAMLError, KeyError, ValueError or PhraseError for what cannot be read: without rules nothing
    may start.
    """
    files = {path.stem: path.read_bytes() for path in sorted(folder.glob("*.yml"))}
    data = {name: yaml.load(content, Loader=SAFE_LOADER) for name, content in files.items()}  # noqa: S506  # nosec B506
    grammar = Grammar(data["words"]["risk_words"])
    rules: dict[str, Rule] = {}
    for name in KINDS:
        for rule in _rules(data[name]["risk_rules"], grammar):
            if rule.id in rules:
                raise ValueError(f"{name}.yml: two rules are called {rule.id}")
            rules[rule.id] = rule
    qualifiers = {name: _qualifier(name, row, grammar) for name, row in data["qualifiers"]["risk_qualifiers"].items()}
    marks = data["qualifiers"]["risk_stretches"]
    for rule in rules.values():
        if unknown := rule.qualifiers - set(qualifiers):
            raise ValueError(f"{rule.id}: no qualifier is called {', '.join(sorted(unknown))}")
    digest = hashlib.sha256(b"".join(name.encode() + b"\0" + content for name, content in files.items()))
    return Rulebook(
        rules=rules,
        qualifiers=qualifiers,
        idioms=_phrases(data["qualifiers"]["risk_idioms"], grammar),
        stretches=Stretches(
            joints=frozenset(marks["joints"]),
            first_person=frozenset(marks["first_person"]),
            holds=frozenset(marks["holds"].split()),
        ),
        spelling=data["spelling"]["risk_spelling"],
        digest=digest.hexdigest(),
    )


def _rules(data: Mapping[str, Any], grammar: Grammar) -> Iterator[Rule]:
    for row in data["rules"]:
        asks = row["level"] == "ask"
        yield Rule(
            id=row["id"],
            category=Category(data["category"]),
            level=Level.none if asks else Level[row["level"]],
            if_no_answer=Level[row["if_no_answer"]] if asks else Level.none,
            subtype=row.get("subtype"),
            only_in=row.get("only_in"),
            not_in=row.get("not_in"),
            loose=bool(row.get("loose")),
            qualifiers=frozenset(row.get("qualifiers", ())),
            says=_phrases(row["says"], grammar),
            unless=_phrases(row.get("unless", ()), grammar),
            must=tuple(row["must"]),
            must_not=tuple(row["must_not"]),
            source=str(row["source"]),
            reviewer=str(row["reviewer"] or ""),
        )


def _qualifier(name: str, row: Mapping[str, Any], grammar: Grammar) -> Qualifier:
    effects = tuple(
        Effect(
            of=frozenset(Category(kind) for kind in (KINDS if effect["of"] == "all" else effect["of"])),
            at=frozenset(effect["at"]),
            makes=effect["makes"],
        )
        for effect in row["effects"]
    )
    return Qualifier(
        name=name,
        where=row["where"],
        reach=int(row.get("reach", 0)),
        says=_phrases(row.get("says", ()), grammar),
        after=_phrases(row.get("after", ()), grammar),
        unless=_phrases(row.get("unless", ()), grammar),
        practices=frozenset(row.get("practices", ())),
        effects=effects,
        subtype=row.get("subtype"),
        alone=bool(row.get("alone")),
    )


def _phrases(texts: Any, grammar: Grammar) -> tuple[Phrase, ...]:
    return tuple(grammar.read(text) for text in texts)
