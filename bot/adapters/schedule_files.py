"""Reading a clinic's schedule from CSV or iCalendar. What cannot be read is named by its place and left out."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from bot.core.journeys import Route
from bot.core.programme import SessionKind
from bot.services.schedule import Planned, Refused, ScheduleUnreadable

COLUMNS = ("kind", "patient", "date", "time")  # and, where known: route, attendants, session, id
TITLE = re.compile(r"\s*(?P<kind>journey|session)\s*[:\-–—]\s*(?P<patient>.+?)\s*", re.I)
MOST_ROWS = 2000


def read_schedule(name: str, content: bytes, zone: str) -> tuple[list[Planned], list[Refused]]:
    """The rows of a schedule file, and those that cannot be read. Times without a zone are in `zone`.

    A name ending in .ics is read as iCalendar, with titles such as "Journey: Rae Lind"; anything else as CSV with
    a heading line. Raises ScheduleUnreadable.
    """
    read = _calendar if name.lower().endswith(".ics") else _table
    rows, refused = read(content, ZoneInfo(zone))
    if len(rows) > MOST_ROWS:
        raise ScheduleUnreadable(f"The file has more than {MOST_ROWS} rows; nothing was taken over.")
    return rows, refused


def _table(content: bytes, zone: ZoneInfo) -> tuple[list[Planned], list[Refused]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ScheduleUnreadable("The file is not UTF-8 text; nothing was taken over.") from error
    reader = csv.DictReader(io.StringIO(text))
    heading = [name.strip().lower() for name in reader.fieldnames or ()]
    if not set(COLUMNS) <= set(heading):
        raise ScheduleUnreadable(
            f"The first line has to name the columns {', '.join(COLUMNS)}; nothing was taken over."
        )
    reader.fieldnames = heading
    rows: list[Planned] = []
    refused: list[Refused] = []
    for row in reader:
        place = f"line {reader.line_num}"
        try:
            rows.append(_row(place, {key: (value or "").strip() for key, value in row.items() if key}, zone))
        except ValueError as error:
            refused.append(Refused(place=place, reason=str(error)))
    return rows, refused


def _row(place: str, row: dict[str, str], zone: ZoneInfo) -> Planned:
    kind = row["kind"].lower()
    if kind not in ("journey", "session"):
        raise ValueError("its kind is neither journey nor session")
    try:
        at = datetime.fromisoformat(f"{row['date']}T{row['time']}")
    except ValueError as error:
        raise ValueError("its date or time cannot be read; expected 2026-11-30 and 09:30") from error
    return Planned(
        place=place,
        kind=kind,
        patient=row["patient"],
        at=at if at.tzinfo else at.replace(tzinfo=zone),
        key=row.get("id") or at.isoformat(),
        route=_route(row.get("route", "")),
        attended_by=_names(row.get("attendants", "").split(";")),
        session_kind=_session_kind(row.get("session", "")),
    )


def _calendar(content: bytes, zone: ZoneInfo) -> tuple[list[Planned], list[Refused]]:
    import icalendar  # a large library, and few processes ever read a calendar

    try:
        calendar = icalendar.Calendar.from_ical(content)
    except (ValueError, IndexError) as error:
        raise ScheduleUnreadable("The file is no iCalendar file; nothing was taken over.") from error
    rows: list[Planned] = []
    refused: list[Refused] = []
    for number, event in enumerate(calendar.walk("VEVENT"), start=1):
        place = f"event {number}"
        try:
            rows.append(_event(place, event, zone))
        except ValueError as error:
            refused.append(Refused(place=place, reason=str(error)))
    return rows, refused


def _event(place: str, event: Any, zone: ZoneInfo) -> Planned:
    title = TITLE.fullmatch(str(event.get("summary", "")))
    if title is None:
        raise ValueError('its title is not like "Journey: full name" or "Session: full name"')
    if str(event.get("status", "")).upper() == "CANCELLED":
        raise ValueError("it is cancelled; please take it off by hand where it was planned before")
    start = event.get("dtstart")
    if start is None:
        raise ValueError("it has no start")
    at = start.dt if isinstance(start.dt, datetime) else datetime.combine(start.dt, time(9), zone)
    attendees = event.get("attendee", [])
    names = [str(a.params.get("CN", "")) for a in (attendees if isinstance(attendees, list) else [attendees])]
    route, session = (_described(event, name) for name in ("route", "session"))
    return Planned(
        place=place,
        kind=title["kind"].lower(),
        patient=title["patient"],
        at=at if at.tzinfo else at.replace(tzinfo=zone),
        key=str(event.get("uid") or at.isoformat()),
        route=_route(route),
        attended_by=_names(names),
        session_kind=_session_kind(session),
    )


def _route(text: str) -> Route | None:
    if not text:
        return None
    try:
        return Route(text.lower())
    except ValueError as error:
        raise ValueError("its route is none of sublingual, intranasal, intramuscular") from error


def _session_kind(text: str) -> SessionKind:
    """The kind of a session; without a word for it, one of integration."""
    try:
        return SessionKind(text.lower() or SessionKind.integration.value)
    except ValueError as error:
        raise ValueError("its session is neither preparation nor integration") from error


def _described(event: Any, name: str) -> str:
    """What an event's description says of this, as in "route: sublingual"."""
    found = re.search(rf"\b{name}:\s*(\w+)", str(event.get("description", "")), re.I)
    return found[1] if found else ""


def _names(names: Iterable[str]) -> str:
    return ", ".join(name.strip() for name in names if name.strip())
