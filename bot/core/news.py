"""The truth about help, for the patient: sent when and to whom, seen or not, who is next and when. Pure.

Nothing here promises; every sentence states what is recorded. Source: protocol 6.4d (timing), 6.5.0, 6.9.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.core.safety.verdict import Level

ROLES = {
    "on_call": "the on-call clinician",
    "second": "the second on-call clinician",
    "medical_team": "the medical team",
    "clinical_lead": "the clinical lead",
    "director": "the medical director",
    "safeguarding": "a senior person outside your sessions",
    "everyone": "everyone on the team",
    "coach": "your coach",
}
MOST_RETRACTING_WORDS = 14
NOT_EMERGENCY = "Not an emergency service: 911 · 988."


@dataclass(frozen=True, kw_only=True)
class PatientAlertStatus:
    """The truth about help, for the patient's own page."""

    reference: str
    level: Level
    sent_at: datetime | None
    sent_to: str | None  # a target of the policy, never a name before it is seen
    seen_at: datetime | None
    seen_by: str | None
    next_at: datetime | None
    next_to: tuple[str, ...]
    delivery_failed: bool
    closed: bool = False  # a person has finished; the journal is still held back


@dataclass(frozen=True, kw_only=True)
class HeldText:
    """An authored sentence that says staff were told; it waits until that is true."""

    alert_id: str
    text_id: str
    kind: str
    text: str
    held_at: datetime
    reply_to: str | None = None
    id: int = 0  # given when it is kept


def role(target: str | None) -> str:
    """A policy target in the patient's words."""
    return ROLES.get(target or "", "the team")


def banner(status: PatientAlertStatus, zone: str, oncall_phone: str) -> str:
    """The banner's words, with times in the patient's own zone."""

    def clock(moment: datetime) -> str:
        return f"{moment.astimezone(ZoneInfo(zone)):%-I:%M %p}"

    if status.closed:
        return f"Someone from the team has finished with the alert. The rest opens once they clear it. {NOT_EMERGENCY}"
    if status.sent_at is None:
        failed = f"My alert to the clinic has not gone through. I keep trying. You can call {oncall_phone}."
        return f"{failed if status.delivery_failed else 'An alert to the clinic is on its way.'} {NOT_EMERGENCY}"
    words = f"Sent {clock(status.sent_at)} to {role(status.sent_to)}."
    if status.seen_at is not None:
        words += f" Seen {clock(status.seen_at)} by {status.seen_by or 'a person'}."
    else:
        words += " Not seen yet."
    if status.next_at is not None:
        words += f" Next: {_people(status.next_to)} at {clock(status.next_at)}."
    return f"{words} {NOT_EMERGENCY}"


def _people(targets: Sequence[str]) -> str:
    return " and ".join(dict.fromkeys(role(target) for target in targets)) or "the team"


def split_claim(text: str, phrases: Sequence[str]) -> tuple[str, str]:
    """(what may be shown now, what waits): an authored text, cut before the sentence that says staff were told.

    Such a sentence is shown only once it is true; numbers before it in the same bubble are shown at once.
    """
    places = [place for phrase in phrases if (place := text.find(phrase)) >= 0]
    if not places:
        return text, ""
    sentence = max((text.rfind(end, 0, min(places)) for end in (". ", "? ")), default=-1)
    cut = 0 if sentence < 0 else sentence + 2
    return text[:cut].rstrip(), text[cut:]


def taken_back(words: str, phrases: Mapping[str, Sequence[str]]) -> str | None:
    """The authored reply where a short message takes an alert back or says it was a misreading, or None.

    `phrases` maps a text id to what patients write. A longer text is a story, not a retraction.
    """
    plain = " ".join(re.findall(r"[a-z']+", words.casefold().replace("’", "'")))
    if not plain or len(plain.split()) > MOST_RETRACTING_WORDS:
        return None
    return next((text for text, known in phrases.items() if any(phrase in plain for phrase in known)), None)
