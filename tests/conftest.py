"""Fixtures shared by all suites: an application on a fresh database with a clock that moves and an outbox in memory,
and the whole program running for real, started once for all suites that drive it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.bootstrap import Application
from tests import builders
from tests.running import Stack


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


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """All processes on ports of their own. The tests share it, each with patients of its own."""
    running = Stack(tmp_path_factory.mktemp("stack")).start()
    yield running
    assert running.stop() == 0
