"""The reply to a disclosure says, within itself, what issue 4 asks of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from bot.adapters.content import load_library
from bot.settings import ROOT

LIBRARY = load_library(ROOT / "data")
DISCLOSED = sorted(
    flow.id for flow in LIBRARY.flows.values() if flow.kind == "response" and flow.level in ("urgent", "emergency")
)
LINE = re.compile(r"\b(911|988|1-800-|\{clinic_phone\})")
TEAM = re.compile(r"the (on-call |medical )?team|let them know|a senior person")
TRUSTED = re.compile(r"someone you trust", re.I)


def opening(name: str) -> str:
    return " ".join(text for variants in LIBRARY.flows[name].say for text in variants)


@pytest.mark.parametrize("name", DISCLOSED)
class TestEachReply:
    def test_it_says_that_it_is_a_program_and_not_a_person(self, name: str) -> None:
        assert "automated journal, not a person" in opening(name)

    def test_it_offers_a_line_and_names_a_professional_and_a_trusted_person(self, name: str) -> None:
        for pattern in (LINE, TEAM, TRUSTED):
            assert pattern.search(opening(name)), pattern.pattern

    def test_it_neither_minimises_nor_promises_nor_ends_the_talk(self, name: str) -> None:
        said = opening(name).lower()
        for bad in ("it's not that bad", "you'll be fine", "i promise", "secret", "goodbye", "can't talk about", "!"):
            assert bad not in said

    def test_every_bubble_is_short(self, name: str) -> None:
        assert all(len(text.split()) <= 45 for variants in LIBRARY.flows[name].say for text in variants)


def test_no_question_of_a_response_flow_leads_with_a_negative() -> None:
    for flow in LIBRARY.flows.values():
        if flow.kind == "response":
            for step in flow.steps.values():
                for prompt in step.prompts:
                    assert not re.search(
                        r"\byou're not\b.*\?|\byou aren't\b.*\?|\bnot (going|thinking|planning)\b", prompt
                    )


def test_where_danger_is_immediate_distance_and_company_are_asked_about_and_cannot_is_an_answer() -> None:
    emergency = LIBRARY.flows["suicide.emergency"].steps
    assert {"se_done", "se_company", "se_distance"} <= set(emergency)
    answer = emergency["se_distance"].answer
    assert answer is not None
    assert "cant" in [option.value for option in answer.options]


def test_every_flow_of_the_protocol_keeps_its_own_words() -> None:
    for path in Path(ROOT / "data/safety/flows").glob("*.yml"):
        raw = yaml.safe_load(path.read_text())["flow"]
        if raw["id"] in LIBRARY.flows:
            loaded = opening(raw["id"])
            for line in raw.get("say", ()):
                assert line in loaded, raw["id"]
