"""The shape of an arriving message."""

from __future__ import annotations

import pytest

from bot.web.incoming import Malformed, read_message, whole


def test_a_message_is_read_as_sent() -> None:
    sent = read_message({"client_id": "a", "control_id": "b", "value": [{"place": "chest", "word": "warm"}, "x"]})
    assert (sent.text, sent.value) == ("", [{"place": "chest", "word": "warm"}, "x"])


@pytest.mark.parametrize(("raw", "kept"), [("a\ud83d", "a\ufffd"), ("\ud83c\udf3f", "\U0001f33f"), ("river", "river")])
def test_halves_of_a_character_are_replaced_and_pairs_joined(raw: str, kept: str) -> None:
    assert whole(raw) == kept


@pytest.mark.parametrize("body", [None, [], {"client_id": "a", "value": {}}, {"client_id": "a", "lines": {"0": 1}}])
def test_another_shape_is_refused(body: object) -> None:
    with pytest.raises(Malformed):
        read_message(body)
