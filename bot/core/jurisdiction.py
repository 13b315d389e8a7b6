"""What the law of a place asks of the assistant, as one record, and when to say that this is a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.privacy import Retention


@dataclass(frozen=True, kw_only=True)
class Jurisdiction:
    """One profile of data/jurisdictions."""

    name: str
    disclose_every: timedelta  # of continued use
    disclose_after_away: timedelta
    disclosure: str
    functions: Sequence[str]  # what the assistant may be used for
    crisis_lines: Sequence[Mapping[str, str]]
    report_counts: Sequence[str]  # what is counted for the yearly report
    retention: Retention


def disclosure_due(place: Jurisdiction, said_at: datetime | None, written_at: datetime | None, now: datetime) -> bool:
    """Whether to say again that this is a program: after hours of use since it was said, and after days away.

    `said_at` is when it was last said, `written_at` when the patient last wrote before now; None for never. The first
    time is the greeting's small print, and asking always gets the answer; this is for what comes between.
    """
    if written_at is None:
        return False
    said_now = said_at is not None and said_at > written_at
    if now - written_at >= place.disclose_after_away and not said_now:
        return True
    return now - (said_at or written_at) >= place.disclose_every
