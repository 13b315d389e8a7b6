"""`kat`: the console command. Each command calls one service; nothing is decided here."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, TextIO

import click

MIDDAY = 12


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """The integration-coaching assistant: run it, invite patients, assess messages."""


@main.command()
def run() -> None:
    """Start web, Rasa, actions, worker and, in development, the mail sink; Ctrl-C stops all."""
    from bot.supervisor.run import run_all

    sys.exit(run_all())


@main.command()
def env() -> None:
    """Write a .env with fresh keys where there is none; an existing one is never changed."""
    from bot.supervisor.environment import write_env

    click.echo(write_env())


@main.command()
def migrate() -> None:
    """Bring the database up to date."""
    from bot.adapters.sql.migrate import upgrade

    upgrade(_settings().database)
    click.echo("The database is up to date.")


@main.command()
@click.option("--force", is_flag=True, help="Train even when nothing changed.")
def train(force: bool) -> None:
    """Train Rasa when its configuration, domain, data or components changed."""
    from bot.supervisor.training import train as train_model

    click.echo(f"The model is {train_model(force=force).name}.")


@main.command()
def web() -> None:
    """Serve the pages and the JSON API."""
    from bot.web.server import serve

    serve(_application())


@main.command()
def worker() -> None:
    """Deliver alerts, escalate, break silences, answer what waits."""
    from bot.worker.loop import work

    work(_application())


@main.command()
def actions() -> None:
    """Serve Rasa's actions on loopback."""
    from actions.server import serve

    serve(_settings())


@main.command()
def sink() -> None:
    """Receive the alert e-mails of development: one line and one file each."""
    from bot.supervisor.sink import serve

    serve(_settings())


@main.command()
@click.option("--first-name", required=True, help="As the assistant greets them.")
@click.option("--last-name", required=True, help="Used for initials in alerts.")
@click.option("--phone", default="", help="Where the clinic may call.")
@click.option("--coach", default=None, help="E-mail of the coach's account.")
@click.option("--days", default=7, show_default=True, help="How long the link is good for.")
def invite(first_name: str, last_name: str, phone: str, coach: str | None, days: int) -> None:
    """Make a patient's record and print a one-time invitation link."""
    app = _application()
    coach_id = None
    if coach is not None:
        with app.uow() as tx:
            coach_id = next((m.id for m in tx.staff() if m.email == coach), None)
        if coach_id is None:
            raise click.ClickException(f"No account has the e-mail {coach}.")
    made = app.access.invite(
        first_name=first_name, last_name=last_name, phone=phone, coach_id=coach_id, days_valid=days
    )
    click.echo(f"patient {made.patient_id}")
    click.echo(f"{app.settings.address}/invitation/{made.token}")


@main.command()
@click.option("--patient", required=True, help="The patient's id, as `kat invite` printed it.")
@click.option("--date", required=True, help="Date and hour of the journey, such as 2026-11-22T10:00 (UTC).")
@click.option("--route", type=click.Choice(["sublingual", "intranasal", "intramuscular"]), required=True)
@click.option("--ended", default=None, help="When the dose ended, where it has taken place (UTC).")
def schedule(patient: str, date: str, route: str, ended: str | None) -> None:
    """Put a journey on a patient's timeline."""
    from bot.core.journeys import Route

    app = _application()
    finished = _moment(ended) if ended else None
    app.access.schedule_journey(
        patient,
        Route(route),
        _moment(date),
        dose_ended_at=finished,
        discharged_at=finished + timedelta(hours=2) if finished else None,
    )
    click.echo("The journey is on the timeline.")


@main.command()
@click.argument("email")
@click.option("--name", required=True, help="Shown to patients and colleagues.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice(["coach", "responder", "clinical_lead", "medical", "administrator"]),
    help="May be given several times.",
)
@click.password_option("--passphrase", help="At least 12 characters; asked for when not given.")
def user(email: str, name: str, roles: tuple[str, ...], passphrase: str) -> None:
    """Make a staff account."""
    from bot.web.accounts import make_account

    make_account(_application(), email, passphrase, name, roles)
    click.echo(f"{email} can sign in.")


@main.command()
@click.argument("source", type=click.File("r", encoding="utf-8"), default="-")
def assess(source: TextIO) -> None:
    """Assess JSON lines {"id","text","phase"?,"history"?}; writes one verdict a line, in order."""
    from bot.adapters.language.assess import load_assessor
    from bot.core.safety.verdict import AssessmentContext
    from bot.settings import ROOT

    assessor = load_assessor(ROOT / "data/safety")
    failed = False
    for number, row in _json_lines(source):
        if row is None or not isinstance(row.get("text"), str) or "id" not in row:
            click.echo(f'line {number}: needs a JSON object with "id" and "text"', err=True)
            failed = True
            continue
        context = AssessmentContext(
            phase=str(row.get("phase", "open_integration")), history=tuple(map(str, row.get("history", ())))
        )
        verdict = assessor.assess(row["text"], context).as_json()
        verdict.pop("subtype")
        click.echo(json.dumps({"id": row["id"], **verdict}))
    sys.exit(1 if failed else 0)


@main.command()
@click.argument("source", type=click.File("r", encoding="utf-8"), default="-")
def interpret(source: TextIO) -> None:
    """Tell answers from commands: JSON lines {"id","text","context"} to {"id","command","confidence"}."""
    from bot.core.steering import StepContext, decide
    from bot.supervisor.interpreting import rankings

    failed = False
    rows: list[tuple[Any, str, str]] = []
    for number, row in _json_lines(source):
        if row is None or not isinstance(row.get("text"), str) or "id" not in row:
            click.echo(f'line {number}: needs a JSON object with "id" and "text"', err=True)
            failed = True
            continue
        rows.append((row["id"], row["text"], str(row.get("context", "any"))))
    for (row_id, text, context), ranking in zip(rows, rankings([text for _, text, _ in rows]), strict=True):
        kind = "text" if context in ("mid_step", "start_or_mid_step", "any") else None
        decision = decide(text, ranking, StepContext(context=context, answer_type=kind))
        answer = {"id": row_id, "command": decision.command, "confidence": round(decision.confidence, 4)}
        click.echo(json.dumps(answer))
    sys.exit(1 if failed else 0)


@main.command()
@click.option("--coach", required=True, help="E-mail of the coach whose view this is.")
@click.option("--patient", required=True, help="The patient's id.")
def digest(coach: str, patient: str) -> None:
    """Print a patient's shared entries as their coach sees them; the view is audited."""
    from bot.services.ports import NotPermitted

    app = _application()
    with app.uow() as tx:
        member = next((m for m in tx.staff() if m.email == coach), None)
    try:
        if member is None:
            raise NotPermitted(coach)
        page = app.digests.patient_page(member, patient)
    except NotPermitted as error:
        raise click.ClickException("That coach has no such patient.") from error
    click.echo(f"{len(page.entries)} shared, {page.private_count} private (content not shared)")
    for entry in page.entries:
        click.echo(f"\n{entry.created_at:%Y-%m-%d} · {entry.phase.replace('_', ' ')}")
        for line in entry.lines:
            click.echo(f"  {line.label}: {line.text}")


def _json_lines(source: TextIO) -> Iterator[tuple[int, dict[str, Any] | None]]:
    for number, line in enumerate(source, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        yield number, row if isinstance(row, dict) else None


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.ClickException(f"{text} is no date and hour, such as 2026-11-22T10:00.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _settings() -> Any:
    from bot.settings import SettingsError, load

    try:
        return load()
    except SettingsError as error:
        raise click.ClickException(str(error)) from error


def _application() -> Any:
    from bot.bootstrap import build

    return build(_settings())
