"""Showing that the path can be trusted: the audit chain, drills, reports."""

from __future__ import annotations

import csv
import sys
import time

import click

from bot.cli.inputs import application


@click.group()
def audit() -> None:
    """The tamper-evident record of alerts, views, acknowledgements and changes of the rota."""


@audit.command()
@click.option("--anchor", default=None, help="SEQ:HASH as `kat audit head` once printed it; finds a cut-off end.")
def verify(anchor: str | None) -> None:
    """Check every link of the chain; says where it breaks. The exit status is 1 when it does."""
    app = application()
    with app.uow() as tx:
        broken, (last, _) = tx.verify_audit(), tx.audit_head()
        row = None if broken is None else tx.audit_row(broken)
        kept = None
        if anchor is not None:
            number, _, digest = anchor.partition(":")
            if not number.isdigit():
                raise click.ClickException("An anchor is SEQ:HASH, as `kat audit head` prints it.")
            kept = tx.audit_row(int(number))
            if kept is None or kept["hash"] != digest:
                click.echo(f"Record {number} is not the one that was noted: the chain was cut off or written anew.")
                sys.exit(1)
    if broken is None:
        click.echo(f"All {last} records fit together.")
        return
    what = (
        "it is missing"
        if row is None
        else f"{row['action']} of {row['at'][:19]} UTC was changed, or one before it is gone"
    )
    click.echo(f"The chain breaks at record {broken}: {what}. Records before it fit; do not trust those after it.")
    sys.exit(1)


@audit.command()
def head() -> None:
    """Print the last link as SEQ:HASH, to be noted outside this computer."""
    app = application()
    with app.uow() as tx:
        number, digest = tx.audit_head()
    click.echo(f"{number}:{digest}")


@click.command()
@click.option("--wait", default=60, show_default=True, help="Seconds to wait for the running worker to send it.")
def drill(wait: int) -> None:
    """Send a marked test through the whole path and wait until it was handed over."""
    app = application()
    started = app.watch.start_drill()
    until = time.monotonic() + wait
    while time.monotonic() < until:
        app.watch.follow_drills()
        found = app.watch.drill(started.id)
        if found.arrived_at is not None:
            seconds = (found.arrived_at - found.started_at).total_seconds()
            click.echo(f"The drill was handed over after {seconds:.1f} s.")
            return
        if found.failed_at is not None:
            break
        time.sleep(0.5)
    raise click.ClickException(
        "The drill has not arrived. Is the worker running, is someone on call (`kat rota show`), is their channel up?"
    )


@click.command()
@click.option("--year", type=int, default=None, help="The yearly count by category and level, without identities.")
@click.option("--weeks-ago", default=0, show_default=True)
def report(year: int | None, weeks_ago: int) -> None:
    """Print a week of alerts, or the yearly count, as CSV."""
    from bot.core.reports import week_rows

    app = application()
    out = csv.writer(sys.stdout)
    if year is not None:
        out.writerow(["category", "level", "count"])
        out.writerows(app.reports.year(None, year))
        return
    out.writerows(week_rows(app.reports.week(None, weeks_ago)))
