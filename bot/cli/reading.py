"""What a coach reads."""

from __future__ import annotations

import json
from datetime import datetime

import click

from bot.cli.inputs import application


@click.command()
@click.option("--coach", required=True, help="E-mail of the coach whose view this is.")
@click.option("--patient", required=True, help="The patient's id.")
@click.option(
    "--since",
    default="",
    type=click.Choice(["", "session", "journey", "all", "dates"]),
    help="From the last session, the last journey, the beginning, or --from and --to. Default: the most useful.",
)
@click.option("--from", "first", default=None, type=click.DateTime(["%Y-%m-%d"]), help="First day, with --since dates.")
@click.option("--to", "last", default=None, type=click.DateTime(["%Y-%m-%d"]), help="Last day, with --since dates.")
@click.option("--as", "form", default="markdown", show_default=True, type=click.Choice(["markdown", "json", "fhir"]))
def digest(coach: str, patient: str, since: str, first: datetime | None, last: datetime | None, form: str) -> None:
    """Print the digest of a patient's shared entries as their coach sees it; the view is audited."""
    from bot.core.digest.data import as_data
    from bot.core.digest.plain import as_markdown
    from bot.core.digest.window import WindowChoice
    from bot.services.ports import NotPermitted

    app = application()
    choice = WindowChoice(name=since, first=first and first.date(), last=last and last.date())
    with app.uow() as tx:
        member = next((m for m in tx.staff() if m.email == coach), None)
    try:
        if member is None:
            raise NotPermitted(coach)
        view = app.digests.patient_page(member, patient, choice, page=f"command, {form}")
    except NotPermitted as error:
        raise click.ClickException("That coach has no such patient.") from error
    if form == "markdown":
        click.echo(as_markdown(view.digest, who=view.patient.first_name, coach=member.name), nl=False)
    else:
        data = as_data(view.digest) if form == "json" else app.fhir_bundle(view)
        click.echo(json.dumps(data, ensure_ascii=False, indent=1))
