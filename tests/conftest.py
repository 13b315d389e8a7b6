"""Fixtures shared by all suites: an application on a fresh database, a clock that moves, an outbox in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.bootstrap import Application
from tests import builders


@pytest.fixture
def clock() -> builders.MovableClock:
    return builders.MovableClock()


@pytest.fixture
def outbox() -> builders.Outbox:
    return builders.Outbox()


@pytest.fixture
def app(tmp_path: Path, clock: builders.MovableClock, outbox: builders.Outbox) -> Iterator[Application]:
    built = builders.application(tmp_path, clock, outbox)
    yield built
    built.database.dispose()
