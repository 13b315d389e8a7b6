"""Consent, deletion and retention as records and decisions. `now` is always an argument. Source: protocol 7."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.core.journeys import Phase, Timeline

REVOKED = "revoked"  # the text id under which taking consent back is kept
RENEW_AFTER = timedelta(days=365)
AWAY = timedelta(days=90)
CLEAR_AFTER = timedelta(hours=24)
CLOUDED = (Phase.journey_day_before, Phase.journey_day_after, Phase.first_24h)


@dataclass(frozen=True, kw_only=True)
class Consent:
    """One answer to one onboarding text, with the version of the text that was read."""

    text_id: str
    answer: str
    version: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class DeletionRequest:
    """A patient's wish to delete everything. Nothing happens before `not_before`, nor before it is confirmed."""

    id: str
    patient_id: str
    asked_at: datetime
    not_before: datetime
    confirmed_at: datetime | None = None
    withdrawn_at: datetime | None = None
    done_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Retention:
    """How long each kind of record is kept, in days. Source: the clinic's jurisdiction profile."""

    messages: int
    entries: int
    alerts: int
    invitations: int
    sign_ins: int


def undecided_until(where: Timeline, now: datetime) -> datetime | None:
    """Until when nothing binding may be decided, or None. A day passes after a dose first. Source: protocol 7.6."""
    hours = where.hours_since_dose(now)
    if hours is not None and hours < CLEAR_AFTER / timedelta(hours=1):
        assert where.last_dose_ended_at is not None
        return where.last_dose_ended_at + CLEAR_AFTER
    return now + CLEAR_AFTER if where.phase in CLOUDED else None


def text_version(step: Mapping[str, Any], coach_id: int | None) -> str:
    """The version of an onboarding text: 16 hex digits over its words and answers, and the coach where it names one."""
    words = {key: step.get(key) for key in ("prompt", "options", "ack_label")}
    coach = coach_id if "{coach_name}" in str(step.get("prompt")) else None
    return hashlib.sha256(json.dumps([words, coach], sort_keys=True).encode()).hexdigest()[:16]


def next_text(
    texts: Sequence[Mapping[str, Any]],
    given: Sequence[Consent],
    *,
    coach_id: int | None,
    last_written_at: datetime | None,
    now: datetime,
) -> Mapping[str, Any] | None:
    """The first text that needs an answer, or None. `given` is oldest first. Source: protocol 7.2 and 7.3.

    A text is asked again when its words or the coach it names changed, a year after it was answered, when the patient
    returns after 90 days, and after consent was taken back.
    """
    standing: dict[str, Consent] = {}
    for consent in given:
        if consent.text_id == REVOKED:
            standing.clear()
        standing[consent.text_id] = consent
    fresh_from = now - RENEW_AFTER
    if last_written_at is not None and now - last_written_at >= AWAY:
        fresh_from = now - AWAY
    for text in texts:
        answer = standing.get(str(text["id"]))
        if answer is None or answer.at < fresh_from or answer.version != text_version(text, coach_id):
            return text
    return None
