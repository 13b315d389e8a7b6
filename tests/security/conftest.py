"""One site for all tests of a module that leave it as they found it, and one of its own for each that does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.bootstrap import Application
from tests import builders
from tests.security.site import Site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    app = builders.application(tmp_path_factory.mktemp("site"), builders.MovableClock(), builders.Outbox())
    yield Site(app)
    app.database.dispose()


@pytest.fixture
def own_site(app: Application) -> Site:
    return Site(app)
