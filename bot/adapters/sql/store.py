"""The unit of work over SQLAlchemy: repositories of every record, with patients' words sealed on the way in and out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.orm import sessionmaker

from bot.adapters.crypto import Vault
from bot.adapters.sql.accounts import AccountRecords
from bot.adapters.sql.coaching import CoachingRecords
from bot.adapters.sql.conversation import ConversationRecords
from bot.adapters.sql.escalation import EscalationRecords
from bot.adapters.sql.journal import JournalRecords
from bot.adapters.sql.outbox import OutboxRecords
from bot.adapters.sql.pins import PinRecords
from bot.adapters.sql.privacy import PrivacyRecords
from bot.adapters.sql.programme import ProgrammeRecords
from bot.adapters.sql.rights import RightsRecords
from bot.adapters.sql.rota import RotaRecords
from bot.adapters.sql.trust import TrustRecords


class SqlTransaction(
    CoachingRecords,
    ConversationRecords,
    JournalRecords,
    EscalationRecords,
    TrustRecords,
    AccountRecords,
    PrivacyRecords,
    ProgrammeRecords,
    OutboxRecords,
    RotaRecords,
    RightsRecords,
    PinRecords,
):
    """One open transaction. Fulfils bot.services.ports.Transaction."""


class Store:
    """Makes units of work. `with store() as tx:` commits on a clean exit and rolls back on any exception."""

    def __init__(self, engine: Engine, vault: Vault) -> None:
        self._sessions = sessionmaker(engine, expire_on_commit=False)
        self._reading = sessionmaker(engine.execution_options(writes=False))
        self._vault = vault

    @contextmanager
    def __call__(self) -> Iterator[SqlTransaction]:
        with self._sessions() as session, session.begin():
            yield SqlTransaction(session, self._vault)

    @contextmanager
    def reading(self) -> Iterator[SqlTransaction]:
        """One consistent look at the records, without the writer's lock. What is written in it is lost."""
        with self._reading() as session:
            yield SqlTransaction(session, self._vault)
