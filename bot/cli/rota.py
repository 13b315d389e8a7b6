"""The rota on the console: shifts, overrides, swaps, days off, gaps, and how each person is reached."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import click

from bot.cli.inputs import application

DUTIES = click.Choice(["on_call", "second", "medical_team", "director", "safeguarding"])
DATE = click.DateTime(["%Y-%m-%d"])
HOUR = click.DateTime(["%H:%M"])


@click.group()
def rota() -> None:
    """Who is on duty when, and how to reach them."""


@rota.command()
@click.argument("duty", type=DUTIES)
@click.argument("email")
@click.option("--from", "first", type=DATE, required=True, help="The first day, such as 2026-11-23.")
@click.option("--at", "starts", type=HOUR, default="09:00", show_default=True, help="Hand-over, the clinic's time.")
@click.option("--days", default=7, show_default=True, help="Days until the hand-over at its end; 0 for the same day.")
@click.option("--until", "ends", type=HOUR, default=None, help="Hour at its end, where it is not the hand-over's.")
@click.option("--every", default=7, show_default=True, help="Days between starts; 0 means once.")
@click.option("--last", type=DATE, default=None, help="The last day on which it may start.")
@click.option("--not-on-holidays", is_flag=True, help="Leave it out on days when the clinic is closed.")
def shift(
    duty: str,
    email: str,
    first: datetime,
    starts: datetime,
    days: int,
    ends: datetime | None,
    every: int,
    last: datetime | None,
    not_on_holidays: bool,
) -> None:
    """Give someone a recurring shift."""
    app = application()
    made = _try(
        lambda: app.rota.add_shift(
            None,
            duty=duty,
            member_id=member(app, email),
            first_day=first.date(),
            starts=starts.time(),
            lasts_days=days,
            ends=None if ends is None else ends.time(),
            every_days=every,
            last_day=None if last is None else last.date(),
            on_holidays=not not_on_holidays,
        )
    )
    click.echo(f"shift {made.id}")
    _print_gaps(app)


@rota.command()
@click.argument("duty", type=DUTIES)
@click.argument("email")
@click.option("--from", "start", required=True, help="Such as 2026-11-26T18:00, the clinic's time.")
@click.option("--until", "end", required=True, help="Such as 2026-11-27T09:00, the clinic's time.")
@click.option("--reason", default="")
def override(duty: str, email: str, start: str, end: str, reason: str) -> None:
    """Give a duty to one person for a time, whatever the shifts say."""
    app = application()
    zone = ZoneInfo(app.settings.time_zone)
    made = _try(
        lambda: app.rota.override(
            None,
            duty=duty,
            member_id=member(app, email),
            starts_at=clinic_time(start, zone),
            ends_at=clinic_time(end, zone),
            reason=reason,
        )
    )
    click.echo(f"override {made.id}")
    _print_gaps(app)


@rota.command()
@click.argument("duty", type=DUTIES)
@click.argument("first")
@click.argument("second")
def swap(duty: str, first: str, second: str) -> None:
    """Exchange the stretches that cover two moments, such as 2026-11-26T20:00 (the clinic's time)."""
    app = application()
    zone = ZoneInfo(app.settings.time_zone)
    _try(lambda: app.rota.swap(None, duty=duty, first=clinic_time(first, zone), second=clinic_time(second, zone)))
    click.echo("The two stretches are swapped.")


@rota.command("day-off")
@click.option("--from", "first", type=DATE, required=True)
@click.option("--until", "last", type=DATE, default=None, help="The last day; the first where not given.")
@click.option("--person", default=None, help="E-mail of who is away; without it the clinic is closed.")
@click.option("--name", default="", help="Such as Thanksgiving.")
def day_off(first: datetime, last: datetime | None, person: str | None, name: str) -> None:
    """Write down a person's leave, or days on which the clinic is closed."""
    app = application()
    days: tuple[date, date] = (first.date(), (last or first).date())
    who = None if person is None else member(app, person)
    made = _try(lambda: app.rota.day_off(None, first_day=days[0], last_day=days[1], member_id=who, name=name))
    click.echo(f"day off {made.id}")
    _print_gaps(app)


@rota.command()
@click.argument("row_id")
def remove(row_id: str) -> None:
    """Take a shift, an override or a day off away again, by its id."""
    from bot.services.ports import NotPermitted

    app = application()
    try:
        app.rota.remove(None, row_id)
    except NotPermitted as error:
        raise click.ClickException("The rota has no row with this id.") from error
    click.echo("Removed.")
    _print_gaps(app)


@rota.command()
def show() -> None:
    """Print who holds each duty in the coming seven days."""
    app = application()
    zone = ZoneInfo(app.settings.time_zone)
    for row in app.rota.week(app.clock()):
        start, end = (moment.astimezone(zone) for moment in (row.span.starts_at, row.span.ends_at))
        names = ", ".join(row.names) or "NO ONE"
        click.echo(f"{row.duty:<13} {start:%a %b %d %H:%M} to {end:%a %b %d %H:%M %Z}  {names}")


@rota.command()
def gaps() -> None:
    """Print when no one will be on call in the next 30 days; the exit status is 1 when there is a gap."""
    app = application()
    if _print_gaps(app):
        raise SystemExit(1)


@rota.command()
@click.argument("email")
@click.argument("channels", nargs=-1)
def channels(email: str, channels: tuple[str, ...]) -> None:
    """Set how a person is reached, in order: NAME@SECONDS=APPRISE-ADDRESS, such as pager@0=json://host/hook.

    The addresses are kept sealed and never printed.
    """
    app = application()
    rows = []
    for text in channels:
        head, found, url = text.partition("=")
        name, _, delay = head.partition("@")
        if not found or not name or not (delay or "0").isdigit():
            raise click.ClickException(f"{head} is not NAME@SECONDS=ADDRESS.")
        rows.append((name, url, int(delay or 0)))
    _try(lambda: app.rota.set_channels(None, member(app, email), rows))
    click.echo(f"{email} is reached by {', '.join(name for name, _, _ in rows) or 'e-mail'}.")


@rota.command()
@click.argument("email")
@click.argument("supervisor")
def supervise(email: str, supervisor: str) -> None:
    """Write down that EMAIL works under SUPERVISOR: a complaint about one is kept from the other."""
    app = application()
    _try(lambda: app.rota.supervise(None, member_id=member(app, email), supervisor_id=member(app, supervisor)))
    click.echo("Noted.")


def member(app: Any, email: str) -> int:
    """The id of the active staff account with this e-mail."""
    with app.uow() as tx:
        found = next((m.id for m in tx.staff() if m.email == email.strip().lower()), None)
    if found is None:
        raise click.ClickException(f"No staff account has the e-mail {email}.")
    return int(found)


def clinic_time(text: str, zone: ZoneInfo) -> datetime:
    """A moment; without a zone it is the clinic's time."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.ClickException(f"{text} is no date and hour, such as 2026-11-26T18:00.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _try(change: Callable[[], Any]) -> Any:
    from bot.services.rota import RotaError

    try:
        return change()
    except RotaError as error:
        raise click.ClickException(str(error)) from error


def _print_gaps(app: Any) -> int:
    zone = ZoneInfo(app.settings.time_zone)
    found = app.rota.gaps()
    for row in found:
        start, end = (moment.astimezone(zone) for moment in (row.span.starts_at, row.span.ends_at))
        click.echo(f"gap: no one is {row.duty} from {start:%a %b %d %H:%M} to {end:%a %b %d %H:%M %Z}")
    if not found:
        click.echo("No gaps in the next 30 days.")
    return len(found)
