"""Filling the slots of authored texts: those of protocol 0.2, and one of ours. An empty slot is never shown."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

SLOTS = frozenset(
    {
        "first_name",
        "coach_name",
        "clinic_name",
        "clinic_phone",
        "oncall_phone",
        "clinic_hours",
        "contact_expectation",
        "phone_masked",
        "part_name",
        "last_part",
        "body_place",
        "user_words",
        "last_step",
        "last_intention",
        "glimmer",
        "resource",
        "plan_when",
        "plan_step",
        "next_journey_date",
        "activation",
        "activation_start",
        "saved_count",
        "new_coach_name",  # ours, for the question of protocol 7.5
    }
)
# What stands in where every variant needs a slot that is empty.
FALLBACKS = {
    "coach_name": "your coach",
    "new_coach_name": "Your new coach",
    "part_name": "this part",
    "last_part": "that part",
    "plan_when": "when it fits",
    "plan_step": "your small step",
    "first_name": "there",
    "next_journey_date": "a date your medical team will confirm",
    "contact_expectation": "",
    "phone_masked": "the number on file",
}
_SLOT = re.compile(r"\{(\w+)\}")


class UnknownSlot(ValueError):
    """An authored text uses a slot outside protocol 0.2. Raised when content is loaded."""


def slots_of(text: str) -> frozenset[str]:
    """The slot names in a text. Raises UnknownSlot for one outside protocol 0.2."""
    found = frozenset(_SLOT.findall(text))
    if found - SLOTS:
        raise UnknownSlot(f"{sorted(found - SLOTS)} in {text!r}")
    return found


def choose(variants: Sequence[str], times_shown: int, values: Mapping[str, str]) -> str:
    """The variant for this showing: `times_shown` modulo the number of variants, moving on where a slot is empty.

    Where every variant needs an empty slot, the fallback words of FALLBACKS stand in. Source: protocol, "Lists".
    """
    for offset in range(len(variants)):
        candidate = variants[(times_shown + offset) % len(variants)]
        if all(values.get(slot) for slot in slots_of(candidate)):
            return fill(candidate, values)
    return fill(variants[times_shown % len(variants)], values)


def fill(text: str, values: Mapping[str, str]) -> str:
    """Fill every slot, from `values` or the fallback words; spaces left by an empty sentence are closed up."""
    filled = _SLOT.sub(lambda match: values.get(match.group(1)) or FALLBACKS.get(match.group(1), ""), text)
    return re.sub(r" {2,}", " ", filled).strip()
