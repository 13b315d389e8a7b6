"""The people of the clinic as records. Names and numbers are private; they leave these records only to be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

ROLES = ("patient", "coach", "responder", "clinical_lead", "medical", "administrator")


@dataclass(frozen=True, kw_only=True)
class Patient:
    """A patient. `flags` are the care team's switches of protocol 1.5; `coach_id` is a user id."""

    id: str
    conversation_id: str  # opaque; the only id that Rasa ever sees
    first_name: str
    last_name: str
    phone: str
    coach_id: int | None
    time_zone: str
    created_at: datetime
    user_id: int | None = None
    flags: Mapping[str, Any] = field(default_factory=dict)
    restricted_staff: tuple[int, ...] = ()  # user ids who must never receive this patient's data
    consented_at: datetime | None = None
    shares_from: datetime | None = None  # a new coach reads what was shared from here on; None is everything shared
    shares_nothing: bool = False  # a new coach reads nothing yet (protocol 7.5)
    erased_at: datetime | None = None  # all that may be deleted was

    @property
    def initials(self) -> str:
        """What staff messages carry in place of a name."""
        return ".".join(name[0].upper() for name in (self.first_name, self.last_name) if name) + "."


@dataclass(frozen=True, kw_only=True)
class StaffMember:
    """A person on the clinic's side, as far as alerts need to know."""

    id: int
    name: str
    email: str
    roles: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Channel:
    """One way to reach a responder, such as e-mail, SMS or a paging service. `url` is an Apprise address: a secret."""

    id: str
    name: str  # shown to staff
    url: str = field(repr=False)
    delay_seconds: int = 0  # after the person was first to be notified, when nobody has acknowledged
