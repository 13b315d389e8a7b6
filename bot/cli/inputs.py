"""What several commands need: the wired application, moments, JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, TextIO

import click


def settings() -> Any:
    """The settings, or one clear sentence."""
    from bot.settings import SettingsError, load

    try:
        return load()
    except SettingsError as error:
        raise click.ClickException(str(error)) from error


def application() -> Any:
    """The clinic's services for these settings."""
    from bot.adapters.clinic_key import KeyUnavailable
    from bot.adapters.jurisdictions import JurisdictionUnknown
    from bot.bootstrap import build

    try:
        return build(settings())
    except (KeyUnavailable, JurisdictionUnknown) as error:
        raise click.ClickException(str(error)) from error


def moment(text: str) -> datetime:
    """An aware moment; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.ClickException(f"{text} is no date and hour, such as 2026-11-22T10:00.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def json_lines(source: TextIO) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """(line number, object) of each line that is not empty; None where it is no JSON object."""
    for number, line in enumerate(source, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        yield number, row if isinstance(row, dict) else None
