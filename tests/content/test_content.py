"""The authored content, read as protocol appendix D asks. Texts are the clinic's; these tests guard their form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.adapters.content import compile_library, load_library
from bot.adapters.review import SIGN, as_html, as_markdown, changes
from bot.core.flow.render import slots_of

DATA = Path(__file__).parents[2] / "data"
OWN = sorted(
    [
        *DATA.glob("practices/*.yml"),
        *DATA.glob("safety/flows/*.yml"),
        *DATA.glob("sitting/*.yml"),
        DATA / "safety/shared.yml",
        *DATA.glob("consent/*.yml"),
        *DATA.glob("faq/*.yml"),
        *DATA.glob("resources/*.yml"),
    ]
)
SPOKEN = {
    "body",
    "about",
    "title",
    "say",
    "say_one_of",
    "prompt",
    "ack",
    "nudge",
    "answer_text",
    "reprompt",
    "say_if_no_date",
}
RASA_KEYS = {
    "nlu",
    "rules",
    "stories",
    "responses",
    "intents",
    "entities",
    "slots",
    "forms",
    "actions",
    "session_config",
}
FORBIDDEN = (
    "this means",
    "that shows",
    "it's just a",
    "don't worry",
    "relax!",
    "calm down",
    "you'll be fine",
    "committed suicide",
    "failed attempt",
    "successful suicide",
    "i understand",
    "i feel",
    "i'm so proud",
    "i love",
    "i'm worried about you",
    "trust me",
    "just between us",
    "no one will see",
    "confidential",
    "medicine wants",
    "your exile",
    "inner child",
    "go back to that memory",
    "stop taking",
    "increase the dose",
    "everything happens for a reason",
    "heal yourself",
    "breakthrough",
    "cure",
    "promise me",
    "think of your family",
)


def spoken(node: Any, key: str = "") -> Iterator[str]:
    """Every patient-facing string below a node."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield from spoken(value, name if name in SPOKEN or name.endswith("_say") else key if key else "")
    elif isinstance(node, list):
        for value in node:
            yield from spoken(value, key)
    elif isinstance(node, str) and key:
        yield node


def labels(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "label" in node and "value" in node:
            yield node["label"]
        for value in node.values():
            yield from labels(value)
    elif isinstance(node, list):
        for value in node:
            yield from labels(value)


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
class TestEachFile:
    def test_no_message_is_longer_than_45_words(self, path: Path) -> None:
        for text in spoken(yaml.safe_load(path.read_text())):
            assert len(text.split()) <= 45, text

    def test_only_slots_of_the_protocol_are_used(self, path: Path) -> None:
        for text in spoken(yaml.safe_load(path.read_text())):
            slots_of(text)

    def test_no_forbidden_string_is_said(self, path: Path) -> None:
        for text in spoken(yaml.safe_load(path.read_text())):
            assert not [bad for bad in FORBIDDEN if re.search(rf"\b{re.escape(bad)}(?!\w)", text.lower())], text

    def test_labels_are_short_enough_for_a_button(self, path: Path) -> None:
        """Appendix D asks for five words; five labels of the protocol's own, final wording have six or seven."""
        for label in labels(yaml.safe_load(path.read_text())):
            assert len(label.split()) <= 7, label

    def test_no_top_level_key_belongs_to_rasa(self, path: Path) -> None:
        assert not RASA_KEYS & set(yaml.safe_load(path.read_text()))


def test_the_whole_library_loads_and_every_target_resolves() -> None:
    library = load_library(DATA)
    assert {"arrive", "grounding", "journey_recall", "meet_a_part", "closing", "summary"} <= set(library.flows)
    assert len(library.faq) >= 30


def test_every_safety_flow_names_a_line_before_its_first_question() -> None:
    library = load_library(DATA)
    for flow in library.flows.values():
        if flow.level in ("emergency", "urgent"):
            opening = " ".join(text for variants in flow.say for text in variants)
            assert any(line in opening for line in ("988", "911", "{clinic_phone}", "1-800")), flow.id


SLOT = re.compile(r"\{\w+\}")
NUMBERS = re.compile(r"\b(?:911|988|1-800-[\d-]+|[\d/-]{3,}|HOME|START|SAMHSA)\b")
MOST_GRADE = 8.0  # mean of a block; 6 for the response flows (appendix D, item 5)
MOST_GRADE_OF_RESPONSES = 6.0


def syllables(word: str) -> int:
    """Groups of vowels, a silent final e left out: textstat's own count needs a dictionary from the network."""
    plain = re.sub(r"[^a-z]", "", word.lower())
    groups = len(re.findall(r"[aeiouy]+", re.sub(r"(?<=[^aeiouyl])e(?:s|d)?$", "", plain)))
    return max(1, groups)


def grade(texts: list[str]) -> float:
    """The mean Flesch-Kincaid grade of messages, with names and hotline numbers left out."""
    plain = [NUMBERS.sub("", SLOT.sub("Mo", text)) for text in texts]
    scored = [_grade(text) for text in plain if len(re.findall(r"[A-Za-z']+", text)) >= 4]
    return sum(scored) / len(scored) if scored else 0.0


def _grade(text: str) -> float:
    words = re.findall(r"[A-Za-z']+", text)
    sentences = max(1, len(re.findall(r"[.?:;](?:\s|$)", text)))
    return 0.39 * len(words) / sentences + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_a_block_reads_at_the_grade_that_the_protocol_asks_for(path: Path) -> None:
    response = path.parent.name == "flows"
    limit = MOST_GRADE_OF_RESPONSES if response else MOST_GRADE
    assert grade(list(spoken(yaml.safe_load(path.read_text())))) <= limit


def test_no_prompt_that_reflects_has_an_exclamation_mark_or_an_emoji() -> None:
    for path in OWN:
        for text in spoken(yaml.safe_load(path.read_text())):
            assert "!" not in text, text
            assert not re.search("[\U0001f300-\U0001faff\u2600-\u27bf]", text), text


def test_every_skip_that_needs_a_decision_leads_to_the_gentlest_road() -> None:
    """Protocol 3.1, table of skips."""
    library = load_library(DATA)
    steps = {step.id: step.skip_to for flow in library.flows.values() for step in flow.steps.values()}
    assert steps["mp_find"] == "mp_none"
    assert steps["bt_size"] == "bt_wide"
    assert steps["jr_any"] == "jr_title"
    assert steps["os_step"] == "closing"
    assert {"mp_unblend_other", "mp_unblend_self", "mp_neutral"} <= {s for s, to in steps.items() if to == "mp_enough"}


def test_every_resource_is_the_clinics_own_and_names_no_outside_address() -> None:
    for resource in load_library(DATA).resources:
        assert "http" not in " ".join(resource.body)
        assert resource.body, resource.id


def test_a_changed_file_changes_the_version_and_the_earlier_one_can_be_compiled_again() -> None:
    library = load_library(DATA)
    path = "practices/glimmer.yml"
    changed = compile_library({**library.sources, path: library.sources[path].replace("slightly okay", "a bit okay")})
    assert changed.version != library.version
    assert compile_library(library.sources).version == library.version
    assert "slightly okay" in changes(changed, library)
    assert changes(library, library) == ""


def test_the_page_for_clinicians_holds_every_prompt_option_and_place_to_sign() -> None:
    library = load_library(DATA)
    page = as_markdown(library)
    for flow in library.flows.values():
        for step in flow.steps.values():
            for prompt in step.prompts:
                assert prompt in page
            for option in step.answer.options if step.answer else ():
                assert option.label in page
    assert page.count(SIGN) >= len(library.flows)
    assert "if the answer is “Thoughts of dying”: goes to suicide.urgent" in page
    assert as_html(library).startswith("<!doctype html>")
