"""Reading typed answers: a number in words, an option by its label, a plain "go on"."""

from __future__ import annotations

import re
from typing import Any

from bot.core.flow.content import Step
from bot.core.flow.speech import AnswerType, Option


def is_free(step: Step) -> bool:
    return step.answer is not None and step.answer.type in (AnswerType.text, AnswerType.short_text)


def says_go_on(text: str) -> bool:
    return re.sub(r"\W+", " ", text.lower()).strip() in {
        "ok",
        "okay",
        "continue",
        "yes",
        "go on",
        "next",
        "k",
        "sure",
        "ready",
    }


def find_number(value: Any) -> int | None:
    words = {
        "zero": 0,
        "one": 1,
        "two": 2,
        "three": 3,
        "four": 4,
        "five": 5,
        "six": 6,
        "seven": 7,
        "eight": 8,
        "nine": 9,
        "ten": 10,
    }
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return value
    text = str(value).strip().lower()
    found = re.findall(r"\d+", text)
    if len(found) == 1:
        return int(found[0])
    if len(found) == 2 and found[1] == "10" and re.search(r"/|out of", text):
        return int(found[0])
    named = [words[w] for w in re.findall(r"[a-z]+", text) if w in words]
    return named[0] if len(named) == 1 and len(text.split()) <= 6 else None


def find_option(options: tuple[Option, ...], typed: str) -> Option | None:
    """The option that a typed or tapped answer names: by value, by label, or by the label's first word."""
    plain = re.sub(r"[^\w ]+", "", typed.lower()).strip()
    for option in options:
        if typed == option.value or plain in (option.value.lower(), re.sub(r"[^\w ]+", "", option.label.lower())):
            return option
    starts = [o for o in options if plain and re.sub(r"[^\w ]+", "", o.label.lower()).startswith(plain + " ")]
    return starts[0] if len(starts) == 1 else None
