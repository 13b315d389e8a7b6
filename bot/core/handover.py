"""A change of coach as a record: nothing passes to a new coach unless the patient says so. Source: protocol 7.5."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime


class Sharing(str, enum.Enum):
    """What the patient shares with a new coach."""

    past = "past"  # what the coach before could read, and what is shared from now on
    today = "today"  # only what is shared from now on
    nothing = "nothing"  # nothing yet; sharing is not offered until the patient chooses otherwise


@dataclass(frozen=True, kw_only=True)
class Handover:
    """The latest change of a patient's coach. `entry_ids` were shared before and are private until chosen."""

    patient_id: str
    coach_id: int
    at: datetime
    entry_ids: tuple[str, ...]
    choice: Sharing | None = None  # None: not asked yet
    chosen_at: datetime | None = None
