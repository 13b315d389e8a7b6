"""What a coach reads."""

from __future__ import annotations

import click

from bot.cli.inputs import application


@click.command()
@click.option("--coach", required=True, help="E-mail of the coach whose view this is.")
@click.option("--patient", required=True, help="The patient's id.")
def digest(coach: str, patient: str) -> None:
    """Print a patient's shared entries as their coach sees them; the view is audited."""
    from bot.services.ports import NotPermitted

    app = application()
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
