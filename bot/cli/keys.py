"""The clinic's key."""

from __future__ import annotations

import base64
import os

import click

from bot.cli.inputs import application


@click.group()
def keys() -> None:
    """Change the clinic's key, which wraps the key of every patient."""


@keys.command()
def new() -> None:
    """Print a fresh clinic key. It goes into KAT_CLINIC_KEY, or where the file or the command reads it."""
    click.echo(base64.b64encode(os.urandom(32)).decode())


@keys.command()
def rotate() -> None:
    """Wrap every patient's key with the current clinic key, while everything runs; can be stopped and run again."""
    app = application()
    changed = app.keys.rotate("system")
    left = app.keys.count().earlier
    click.echo(f"{changed} keys were wrapped anew, {left} are left with an earlier clinic key.")
    if not left:
        click.echo("KAT_EARLIER_CLINIC_KEYS can be emptied. Backups made before this need the earlier key.")


@keys.command()
def status() -> None:
    """Say how many patients' keys are wrapped with the current clinic key."""
    count = application().keys.count()
    click.echo(f"{count.current} with the current clinic key, {count.earlier} with an earlier one.")
