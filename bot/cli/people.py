"""Patients and staff accounts."""

from __future__ import annotations

import click

from bot.cli.inputs import application


@click.command()
@click.option("--first-name", required=True, help="As the assistant greets them.")
@click.option("--last-name", required=True, help="Used for initials in alerts.")
@click.option("--phone", default="", help="Where the clinic may call.")
@click.option("--coach", default=None, help="E-mail of the coach's account.")
@click.option("--days", default=7, show_default=True, help="How long the link is good for.")
def invite(first_name: str, last_name: str, phone: str, coach: str | None, days: int) -> None:
    """Make a patient's record and print a one-time invitation link."""
    app = application()
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


@click.command()
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

    make_account(application(), email, passphrase, name, roles)
    click.echo(f"{email} can sign in.")


@click.command("assign-coach")
@click.argument("patient_id")
@click.argument("email")
def assign_coach(patient_id: str, email: str) -> None:
    """Give a patient another coach. The patient chooses first what the new one may read (protocol 7.5)."""
    from bot.services.ports import NotPermitted

    app = application()
    with app.uow() as tx:
        coach_id = next((m.id for m in tx.staff() if m.email == email and "coach" in m.roles), None)
    if coach_id is None:
        raise click.ClickException(f"No coach's account has the e-mail {email}.")
    try:
        app.desk.change_coach(patient_id, coach_id, "system")
    except NotPermitted as error:
        raise click.ClickException("There is no patient with this id.") from error
    click.echo("Proposed. The patient is told, and nothing passes on before they choose; a first coach begins at once.")


@click.command()
@click.argument("email")
def recover(email: str) -> None:
    """Print a one-time way to a new passphrase, to be given by the clinic's own channel after checking who asks."""
    from bot.services.ports import NotPermitted

    app = application()
    try:
        offered = app.sign_in.offer_recovery(email, "system")
    except NotPermitted as error:
        raise click.ClickException("There is no open account with this e-mail address.") from error
    click.echo(f"{app.settings.address}/recover/{offered.token}")
    click.echo(f"It works once, until {offered.expires_at:%Y-%m-%d %H:%M} UTC; earlier ones are void.")


@click.command()
@click.argument("email")
def unlock(email: str) -> None:
    """Let an account sign in again that too many tries have locked."""
    application().sign_in.unlock(email, "system")
    click.echo("It can sign in again.")
