"""`kat schedule`: what the clinic plans with a patient: journeys, coaching sessions, the evaluation, the programme."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click

from bot.cli.inputs import application, moment

PATIENT = click.option("--patient", required=True, help="The patient's id, as `kat invite` printed it.")


class Schedule(click.Group):
    """Without a subcommand it puts a journey on the timeline, as `kat schedule journey` does."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0].startswith("--") and args[0] not in ("--help",):
            args = ["journey", *args]
        return super().parse_args(ctx, args)


@click.group(cls=Schedule)
def schedule() -> None:
    """Journeys, coaching sessions, the medical evaluation and the programme's state."""


@schedule.command()
@PATIENT
@click.option("--date", required=True, help="Date and hour of the journey, such as 2026-11-22T10:00 (UTC).")
@click.option("--route", type=click.Choice(["sublingual", "intranasal", "intramuscular"]), required=True)
@click.option("--ended", default=None, help="When the dose ended, where it has taken place (UTC).")
@click.option("--attended-by", default="", help="The physician or coach who is with the patient.")
def journey(patient: str, date: str, route: str, ended: str | None, attended_by: str) -> None:
    """Put a journey on a patient's timeline."""
    from bot.core.journeys import Route

    finished = moment(ended) if ended else None
    made = _carry_out(
        lambda app: app.access.schedule_journey(
            patient,
            Route(route),
            moment(date),
            dose_ended_at=finished,
            discharged_at=finished + timedelta(hours=2) if finished else None,
            attended_by=attended_by,
        )
    )
    click.echo(f"The journey is on the timeline: {made.id}")


@schedule.command()
@PATIENT
@click.option("--date", required=True, help="Date and hour of the session, such as 2026-11-22T10:00 (UTC).")
@click.option("--kind", type=click.Choice(["preparation", "integration"]), required=True)
@click.option("--with", "with_whom", default="", help="The coach or attendant, as the patient knows them.")
@click.option("--bring", default="", help="What to bring, in one sentence of the clinic's.")
def session(patient: str, date: str, kind: str, with_whom: str, bring: str) -> None:
    """Put a coaching session on a patient's calendar."""
    from bot.core.programme import SessionKind

    when = moment(date)
    made = _carry_out(
        lambda app: app.programme.add_session(patient, SessionKind(kind), when, with_whom=with_whom, bring=bring)
    )
    click.echo(f"The session is on the calendar: {made.id}")


@schedule.command()
@PATIENT
@click.option("--state", type=click.Choice(["not_scheduled", "scheduled", "cleared", "paused"]), required=True)
@click.option("--date", default=None, help="Date and hour of the evaluation (UTC).")
def evaluation(patient: str, state: str, date: str | None) -> None:
    """Record where the physician's evaluation stands."""
    from bot.core.programme import Evaluation

    when = moment(date) if date else None
    _carry_out(lambda app: app.programme.set_evaluation(patient, Evaluation(state), when))
    click.echo("The evaluation is recorded.")


@schedule.command()
@PATIENT
@click.option("--state", type=click.Choice(["active", "paused_by_medical", "completed", "discharged"]), required=True)
def status(patient: str, state: str) -> None:
    """Record the state of a patient's programme."""
    from bot.core.journeys import ProgramStatus

    _carry_out(lambda app: app.programme.set_status(patient, ProgramStatus(state)))
    click.echo("The programme's state is recorded.")


@schedule.command()
@PATIENT
def confirm(patient: str) -> None:
    """Record that the dates were looked at today; after 14 days without it the patient is asked instead."""
    _carry_out(lambda app: app.programme.confirm_schedule(patient))
    click.echo("The dates are confirmed as of today.")


@schedule.command()
@PATIENT
@click.argument("item")
def cancel(patient: str, item: str) -> None:
    """Cancel a session or a journey ahead, by the id that was printed."""
    _carry_out(lambda app: app.programme.cancel(patient, item))
    click.echo("It is cancelled.")


def _carry_out(work: Any) -> Any:
    from bot.services.ports import NotPermitted

    try:
        return work(application())
    except NotPermitted as error:
        raise click.ClickException("There is no such patient, or nothing of theirs with that id.") from error
