"""Backups and restoring them."""

from __future__ import annotations

from pathlib import Path

import click

from bot.cli.inputs import application, settings


@click.command()
@click.argument("target", type=click.Path(path_type=Path), required=False)
def backup(target: Path | None) -> None:
    """Write one encrypted backup of the database and Rasa's store, while everything runs."""
    from bot.adapters.backup import write_backup
    from bot.bootstrap import clinic_keys

    app = application()
    now = app.clock()
    place = target or app.settings.data_path / "backups" / f"{now:%Y-%m-%dT%H%M%SZ}.backup"
    size = write_backup(app.database, app.settings.tracker_store, clinic_keys(app.settings)[0], place, now)
    with app.uow() as tx:
        tx.audit("system", "backup.written", "clinic", now, bytes=size)
    click.echo(f"{place} ({size // 1024 + 1} KiB). Without the clinic's key it cannot be opened; keep them apart.")


@click.command()
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Overwrite the present database and Rasa's store.")
def restore(source: Path, replace: bool) -> None:
    """Restore a backup. Stop all processes first."""
    from bot.adapters.backup import BackupUnreadable, NotEmpty, restore_backup
    from bot.bootstrap import clinic_keys

    found = settings()
    try:
        taken = restore_backup(source, clinic_keys(found), found.database, found.tracker_store, replace=replace)
    except (BackupUnreadable, NotEmpty) as error:
        raise click.ClickException(f"{error} Nothing was changed.") from error
    app = application()
    with app.uow() as tx:
        broken = tx.verify_audit()
        tx.audit("system", "backup.restored", "clinic", app.clock(), taken=taken)
    if broken is not None:
        raise click.ClickException(f"Restored, but the audit chain does not hold from entry {broken} on.")
    click.echo(f"Restored as of {taken}; the audit chain is whole.")
