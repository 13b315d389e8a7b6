"""Builders of invented people and of an application on a fresh database."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy.orm import Session

from bot.adapters.language.assess import load_assessor
from bot.adapters.sql.tables import Base, Role, User
from bot.bootstrap import Application, build
from bot.core.journal import Message
from bot.core.journeys import Route
from bot.core.people import ROLES, Patient, StaffMember
from bot.core.safety.verdict import Verdict
from bot.services.ports import Assessor, EngineUnavailable, SendFailed
from bot.settings import ROOT, Settings

NOON = datetime(2026, 11, 24, 20, tzinfo=UTC)  # noon in Los Angeles
KEY = base64.b64encode(b"k" * 32).decode()


class MovableClock:
    """A clock that stands still until moved."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class Outbox:
    """Takes notifications in memory; can be told to fail."""

    sent: list[tuple[str, str, str]] = field(default_factory=list)
    broken: SendFailed | None = None
    unreachable: set[str] = field(default_factory=set)  # people whose address does not exist

    def send(self, recipient: StaffMember, subject: str, body: str, *, url: str | None = None) -> None:
        if self.broken is not None:
            raise self.broken
        if recipient.email.split("@")[0] in self.unreachable:
            raise SendFailed("address", permanent=True)
        self.sent.append((recipient.email, subject, body))


class AbsentEngine:
    """Rasa that is down."""

    def turn(self, conversation_id: str, message: Message, verdict: Verdict) -> None:
        raise EngineUnavailable("down")


@dataclass
class DirectEngine:
    """Rasa reduced to its safety rule and the form, calling the sittings as its actions do."""

    application: Callable[[], Application]

    def turn(self, conversation_id: str, message: Message, verdict: Verdict) -> None:
        from bot.core.flow.speech import Reply

        sittings = self.application().sittings
        if verdict.interrupts:
            sittings.respond_to_risk(conversation_id, message.id, verdict)
            return
        payload = message.payload or {}
        reply = Reply(
            message_id=message.id,
            text=message.text,
            control_id=payload.get("control_id"),
            value=payload.get("value"),
            lines=payload.get("lines"),
        )
        sittings.answer(conversation_id, reply)


def settings(folder: Path, **changes: Any) -> Settings:
    values = {
        "clinic_key": KEY,
        "tracker_key": KEY,
        "session_secret": "s" * 40,
        "password_salt": "p" * 20,
        "channel_secret": "c" * 40,
        "action_secret": "a" * 40,
        "data_dir": str(folder),
    }
    return Settings(**(values | changes))


@lru_cache
def shared_assessor() -> Assessor:
    """The real assessment, loaded once for all tests of a process."""
    return load_assessor(ROOT / "data/safety")


def application(folder: Path, clock: MovableClock, notifier: Outbox, engine: Any = None, **changes: Any) -> Application:
    built: list[Application] = []
    app = build(
        settings(folder, **changes),
        clock=clock,
        notifier=notifier,
        engine=engine or DirectEngine(lambda: built[0]),
        assessor=shared_assessor(),
    )
    built.append(app)
    Base.metadata.create_all(app.database)
    return app


def web_in_production(folder: Path) -> Flask:
    """The pages as production sets them, over a fresh database."""
    from bot.web.app import create_app

    return create_app(
        application(
            folder,
            MovableClock(),
            Outbox(),
            env="production",
            public_url="https://journal.plum-spring.example",
            mail_url="mailto://mail.plum-spring.example",
        )
    )


def staff_member(app: Application, name: str, *roles: str) -> StaffMember:
    with Session(app.database) as session:
        known = {role.name: role for role in session.query(Role)}
        for role in ROLES:
            if role not in known:
                known[role] = Role(name=role)
                session.add(known[role])
        user = User(
            email=f"{name.lower()}@plum-spring.example",
            display_name=name,
            active=True,
            fs_uniquifier=uuid.uuid4().hex,
            roles=[known[role] for role in roles],
        )
        session.add(user)
        session.commit()
        return StaffMember(id=user.id, name=name, email=str(user.email), roles=frozenset(roles))


def on_duty(app: Application, duty: str, member: StaffMember) -> None:
    """The member holds the duty day and night."""
    app.rota.add_shift(
        None, duty=duty, member_id=member.id, first_day=date(2026, 1, 1), starts=time(9), lasts_days=1, every_days=1
    )


def clinic_staff(app: Application) -> dict[str, StaffMember]:
    """A clinic with someone on every duty: Noor on call, Ola second, Lee leads, Max directs, Sage safeguards."""
    people = {
        "Noor": ("responder",),
        "Ola": ("responder",),
        "Lee": ("clinical_lead",),
        "Max": ("medical", "clinical_lead"),
        "Sage": ("clinical_lead",),
        "Mia": ("medical",),
    }
    members = {name: staff_member(app, name, *roles) for name, roles in people.items()}
    duties = {"on_call": "Noor", "second": "Ola", "director": "Max", "safeguarding": "Sage", "medical_team": "Mia"}
    for duty, name in duties.items():
        on_duty(app, duty, members[name])
    return members


def journey_ended(app: Application, patient_id: str, hours_ago: float) -> None:
    ended = app.clock() - timedelta(hours=hours_ago)
    app.access.schedule_journey(
        patient_id,
        Route.sublingual,
        ended - timedelta(hours=2),
        dose_ended_at=ended,
        discharged_at=ended + timedelta(hours=1),
    )


def patient(app: Application, coach: StaffMember | None = None, *, hours_since_journey: float = 48.0) -> Patient:
    invited = app.access.invite(
        first_name="Rae", last_name="Lind", phone="555-0142", coach_id=coach.id if coach else None
    )
    journey_ended(app, invited.patient_id, hours_since_journey)
    app.access.set_flags(invited.patient_id, parts_work_ok=True, body_work_ok=True)
    with app.uow() as tx:
        found = tx.patient(invited.patient_id)
    assert found is not None
    return found
