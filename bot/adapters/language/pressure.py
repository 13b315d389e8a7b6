"""Blood pressure in figures: 180 over 120 and above is urgent, with symptoms an emergency. Source: protocol 6.3."""

from __future__ import annotations

import re

from bot.core.safety.verdict import Category, Evidence, Finding, Level

_READING = re.compile(r"\b(\d{3}) ?(?:/|over|sobre|on) ?(\d{2,3})\b", re.IGNORECASE)
_SYMPTOM = re.compile(
    r"(?<!no )(?<!or )\b(vision|blurr\w*|see spots|chest|headache|head is|breath\w*|weak\w*|speech|numb\w*|"
    r"confus\w*|dizzy)\b",
    re.IGNORECASE,
)


def pressure_findings(text: str) -> list[Finding]:
    """At most one finding, on the first reading that is too high."""
    for match in _READING.finditer(text):
        systolic, diastolic = int(match.group(1)), int(match.group(2))
        plausible = 60 <= systolic <= 300 and 30 <= diastolic <= 200 and diastolic < systolic
        if plausible and (systolic >= 180 or diastolic >= 120):
            level = Level.emergency if _SYMPTOM.search(text) else Level.urgent
            evidence = Evidence(start=match.start(), end=match.end(), score=1.0, rule="MED-BP-01")
            return [Finding(category=Category.medical, level=level, subtype="bp", evidence=evidence)]
    return []
