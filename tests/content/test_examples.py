"""What Rasa learns from: enough of it, in no two minds, and apart from what it is measured on."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import yaml

from bot.core.steering import COMMANDS, TWINS

ROOT = Path(__file__).parents[2]
KEPT_APART = sorted((ROOT / "tests/evaluation").glob("steering_*.jsonl"))
# Samples of protocol 8 that a command answers; everywhere else they would be questions about the whole programme.
SAID_BY_COMMANDS = {"i want to stop", "delete my data", "export", "can i delete entries", "when is my next journey"}


@cache
def examples() -> dict[str, list[str]]:
    """The examples of each intent; questions of the FAQ as `faq/<id>`."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "data/nlu").rglob("*.yml")):
        for block in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
            found[block["intent"]] += [line[2:] for line in block["examples"].splitlines() if line.startswith("- ")]
    return dict(found)


def plain(text: str) -> str:
    """The words alone, so that two spellings of one phrase are seen to be one."""
    return " ".join(re.findall(r"[\w']+", text.lower())) or text


def test_every_command_has_at_least_sixty_examples_and_answers_have_fifteen_hundred() -> None:
    assert {name for name in COMMANDS if len(examples()[name]) < 60} == set()
    assert len(examples()["inform"]) >= 1500


def test_every_question_of_the_faq_has_at_least_nineteen_paraphrases_beside_the_protocols_own() -> None:
    questions = {name: rows for name, rows in examples().items() if name.startswith("faq/")}
    faq = yaml.safe_load((ROOT / "data/faq/faq.yml").read_text(encoding="utf-8"))["faq"]
    assert set(questions) == {f"faq/{row['id'].removeprefix('faq_')}" for row in faq}
    assert {name for name, rows in questions.items() if len(rows) < 19} == set()


def test_the_protocols_own_samples_are_learned_under_their_question_or_its_command() -> None:
    for row in yaml.safe_load((ROOT / "data/faq/faq.yml").read_text(encoding="utf-8"))["faq"]:
        question = row["id"].removeprefix("faq_")
        places = [f"faq/{question}", TWINS.get(question, "")]
        known = {plain(text) for place in places if place for text in examples()[place]}
        missing = {plain(sample) for sample in row["q"]} - known - SAID_BY_COMMANDS
        assert not missing, (question, missing)


def test_no_example_is_learned_under_two_intents() -> None:
    where: dict[str, set[str]] = defaultdict(set)
    for name, rows in examples().items():
        for row in rows:
            where[plain(row)].add(name)
    assert {text: names for text, names in where.items() if len(names) > 1} == {}


def test_what_is_measured_on_is_apart_from_what_is_learned_from_but_for_bare_phrases() -> None:
    """Phrases of up to four words ("skip this one", "who reads this") are the same in everyone's mouth."""
    learned = {plain(row) for rows in examples().values() for row in rows}
    for path in KEPT_APART:
        for line in path.read_text(encoding="utf-8").splitlines():
            text = plain(json.loads(line)["text"])
            assert text not in learned or len(text.split()) <= 4, text
