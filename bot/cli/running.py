"""Starting the processes, one by one or all."""

from __future__ import annotations

import sys
from typing import Any

import click

from bot.cli.inputs import application, settings


@click.command()
def run() -> None:
    """Start web, Rasa, actions, worker and, in development, the mail sink; Ctrl-C stops all."""
    from bot.supervisor.run import run_all

    sys.exit(run_all())


@click.command()
def env() -> None:
    """Write a .env with fresh keys where there is none; an existing one is never changed."""
    from bot.supervisor.environment import write_env

    click.echo(write_env())


@click.command()
def migrate() -> None:
    """Bring the database up to date."""
    from bot.adapters.sql.migrate import upgrade

    upgrade(settings().database)
    click.echo("The database is up to date.")


@click.command()
@click.option("--force", is_flag=True, help="Train even when nothing changed.")
def train(force: bool) -> None:
    """Train Rasa when its configuration, domain, data or components changed."""
    from bot.supervisor.training import train as train_model

    click.echo(f"The model is {train_model(force=force).name}.")


@click.command()
def web() -> None:
    """Serve the pages and the JSON API."""
    from bot.web.server import serve

    serve(covered(application()))


@click.command()
def worker() -> None:
    """Deliver alerts, escalate, break silences, answer what waits."""
    from bot.worker.loop import work

    work(covered(application()))


def covered(app: Any) -> Any:
    """The application, unless this is production and no one is on call (P-01)."""
    missing = app.rota.missing_cover() if app.settings.env == "production" else None
    if missing is not None:
        raise click.ClickException(missing)
    return app


@click.command()
def actions() -> None:
    """Serve Rasa's actions on loopback."""
    from actions.server import serve

    serve(settings())


@click.command()
def sink() -> None:
    """Receive the alert e-mails of development: one line and one file each."""
    from bot.supervisor.sink import serve

    serve(settings())


@click.command()
@click.option("--email", required=True, help="The patient's account to speak as, such as rae@example.com.")
def shell(email: str) -> None:
    """Talk to Rasa in this terminal as an invented patient (`rasa shell`); `kat run` must be running.

    The conversation is the patient's own one, so their page shows it too. Development only.
    """
    from bot.supervisor.shell import ShellRefused, talk

    try:
        sys.exit(talk(application(), email))
    except ShellRefused as error:
        raise click.ClickException(str(error)) from error
