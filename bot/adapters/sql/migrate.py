"""Bringing a database to the current tables, with Alembic."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config

from bot.adapters.sql.engine import make_engine

MIGRATIONS = Path(__file__).resolve().parents[3] / "migrations"


def upgrade(url: str) -> None:
    """Apply all migrations that the database lacks."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = make_engine(url)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
    engine.dispose()
