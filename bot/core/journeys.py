"""Journeys and the phase that they put a patient in. Source: protocol 2.1; never guessed, only computed."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

BEFORE_NEXT_WINDOW = timedelta(days=5)  # P-12


class Route(str, enum.Enum):
    """How the ketamine is given at the attended journey."""

    sublingual = "sublingual"
    intranasal = "intranasal"
    intramuscular = "intramuscular"


class Phase(str, enum.Enum):
    """Where the patient is on the journey timeline (protocol 2.1)."""

    unknown = "unknown"
    preparation = "preparation"
    journey_day_before = "journey_day_before"  # the day itself, before the dose
    journey_day_after = "journey_day_after"  # after the dose, not yet discharged
    first_24h = "first_24h"
    h24_72 = "h24_72"
    open_integration = "open_integration"
    before_next = "before_next"

    @property
    def protocol_id(self) -> str:
        """The id that the protocol's tables use: both halves of the day are `journey_day`."""
        return "journey_day" if self.value.startswith("journey_day") else self.value


class ProgramStatus(str, enum.Enum):
    """Where the patient stands in the clinic's programme."""

    active = "active"
    paused_by_medical = "paused_by_medical"
    completed = "completed"
    discharged = "discharged"


@dataclass(frozen=True, kw_only=True)
class Journey:
    """One attended journey. Times are aware UTC; `dose_ended_at` is None until the dose is recorded."""

    id: str
    patient_id: str
    route: Route
    scheduled_at: datetime
    dose_ended_at: datetime | None = None
    discharged_at: datetime | None = None
    attendants: tuple[str, ...] = ()  # names of the staff who are there


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """The facts about journeys at one moment."""

    phase: Phase
    journeys_completed: int
    last_dose_ended_at: datetime | None
    next_journey_at: datetime | None

    def hours_since_dose(self, now: datetime) -> float | None:
        """Hours since the last dose ended, or None before the first."""
        if self.last_dose_ended_at is None:
            return None
        return (now - self.last_dose_ended_at) / timedelta(hours=1)


def timeline(
    journeys: Iterable[Journey],
    *,
    now: datetime,
    time_zone: str,
    status: ProgramStatus = ProgramStatus.active,
    slept_since_dose: bool | None = None,
) -> Timeline:
    """Compute the phase; first match of protocol 2.1 wins. A patient without any journey on record is `unknown`."""
    known = sorted(journeys, key=lambda journey: journey.scheduled_at)
    done = [journey for journey in known if journey.dose_ended_at is not None]
    ahead = [
        j
        for j in known
        if j.dose_ended_at is None and _local_date(j.scheduled_at, time_zone) >= _local_date(now, time_zone)
    ]
    last = max(done, key=lambda j: j.dose_ended_at or datetime.min.replace(tzinfo=timezone.utc), default=None)
    upcoming = ahead[0] if ahead and status is not ProgramStatus.paused_by_medical else None
    last_dose = last.dose_ended_at if last else None
    return Timeline(
        phase=_phase(known, last, upcoming, now, time_zone, slept_since_dose),
        journeys_completed=len(done),
        last_dose_ended_at=last_dose,
        next_journey_at=upcoming.scheduled_at if upcoming else None,
    )


def _phase(
    known: list[Journey], last: Journey | None, upcoming: Journey | None, now: datetime, zone: str, slept: bool | None
) -> Phase:
    if not known:
        return Phase.unknown
    if (
        last is not None
        and last.discharged_at is None
        and last.dose_ended_at is not None
        and now - last.dose_ended_at < timedelta(hours=12)
    ):
        return Phase.journey_day_after
    if upcoming is not None and _local_date(upcoming.scheduled_at, zone) == _local_date(now, zone):
        return Phase.journey_day_before
    if last is not None and last.dose_ended_at is not None:
        since = now - last.dose_ended_at
        if since < timedelta(hours=24) or (slept is False and since < timedelta(hours=36)):
            return Phase.first_24h
        if since < timedelta(hours=72):
            return Phase.h24_72
    if upcoming is not None and upcoming.scheduled_at - now <= BEFORE_NEXT_WINDOW:
        return Phase.before_next
    return Phase.preparation if last is None else Phase.open_integration


def _local_date(moment: datetime, zone: str) -> date:
    return moment.astimezone(ZoneInfo(zone)).date()
