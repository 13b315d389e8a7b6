"""The authored content, read as protocol appendix D asks. Texts are the clinic's; these tests guard their form."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.adapters.content import load_library
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
    ]
)
SPOKEN = {"say", "say_one_of", "prompt", "ack", "nudge", "answer_text", "reprompt", "say_if_no_date"}
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
            assert not [bad for bad in FORBIDDEN if bad in text.lower()], text

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
