"""An invented clinic for trying the coach's desk."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from bot.cli.inputs import moment, settings


@click.command()
@click.option("--patients", default=40, show_default=True, type=click.IntRange(1, 2000), help="How many to invent.")
@click.option("--weeks", default=12, show_default=True, type=click.IntRange(1, 104), help="How far back they began.")
@click.option("--until", default=None, help="Their last day, such as 2026-11-24T20:00 (UTC). Default: now.")
@click.option("--seed", default="plum", show_default=True, help="Another seed invents other people.")
@click.option("--coach", default="mo@plum-spring.example", show_default=True, help="Whose patients they are.")
def demo(patients: int, weeks: int, until: str | None, seed: str, coach: str) -> None:
    """Invent patients with weeks of entries. The same seed and day give the same words; never in production."""
    from bot.adapters.sql.migrate import upgrade
    from bot.bootstrap import build
    from bot.supervisor.demo import PASSPHRASE, STAFF
    from bot.supervisor.demo_clinic import DemoClinic, DemoClock
    from bot.web.accounts import make_account

    chosen = settings()
    if chosen.env == "production":
        raise click.ClickException("Invented patients have no place among real ones; nothing was made.")
    clock = DemoClock(moment(until) if until else datetime.now(UTC).replace(microsecond=0))
    app = build(chosen, clock=clock)
    upgrade(chosen.database)
    with app.uow() as tx:
        staff = {member.email: member for member in tx.staff()}
    for email, name, roles in STAFF:
        if email not in staff:
            make_account(app, email, PASSPHRASE, name, roles)
    with app.uow() as tx:
        member = next((m for m in tx.staff() if m.email == coach and "coach" in m.roles), None)
    if member is None:
        raise click.ClickException(f"No coach has the e-mail {coach}; nothing was made.")
    made = DemoClinic(app, clock, member, seed=seed).make(patients, weeks)
    click.echo(f"{len(made)} invented patients of {member.name}, {weeks} weeks each.")
    click.echo(f"Sign in as {coach} with the passphrase: {PASSPHRASE}")
