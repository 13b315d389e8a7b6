"""A coach's desk over HTTP: people with accounts, one patient with entries of every kind, and signed-in clients."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient

from bot.bootstrap import Application
from bot.core.journal import Entry, EntryLine, Visibility
from bot.core.people import StaffMember
from bot.web.accounts import new_user
from bot.web.app import create_app
from tests import builders

PASSPHRASE = "plum blossom river stone"
SECRET = "the-private-orchard"  # words of a private entry
HELD = "the-held-complaint"
SHARED = "the-shared-meadow"
QUESTION = "why is the meadow blue?"


@dataclass
class Desk:
    """The program in one process: no Rasa, a fresh database, a clock that stands still."""

    folder: Path
    clock: builders.MovableClock = field(default_factory=builders.MovableClock)

    def __post_init__(self) -> None:
        limits = {"requests_per_minute": 100_000, "sign_ins_per_minute": 10_000}
        self.app: Application = builders.application(self.folder, self.clock, builders.Outbox(), **limits)
        self.flask: Flask = create_app(self.app)
        self.flask.config["WTF_CSRF_ENABLED"] = False
        self.coach = self.account("Mo", "coach")
        self.other = self.account("Kit", "coach")
        self.patient_id = builders.patient(self.app, self.coach, hours_since_journey=72).id
        self.account("Rae", "patient", patient_id=self.patient_id)
        self.private = self.entry(Visibility.private, SECRET)
        self.held = self.entry(Visibility.shared, HELD, held=True)
        self.shared = self.entry(Visibility.shared, SHARED, questions=QUESTION)

    def account(self, name: str, role: str, *, patient_id: str | None = None) -> StaffMember:
        with self.flask.app_context():
            email = f"{name.lower()}@plum-spring.example"
            user_id = new_user(self.flask, email, PASSPHRASE, name, [role])
            self.flask.extensions["accounts_session"].remove()
        if patient_id is not None:
            from dataclasses import replace

            with self.app.uow() as tx:
                found = tx.patient(patient_id)
                assert found is not None
                tx.put_patient(replace(found, user_id=user_id, consented_at=self.clock()))
        return StaffMember(id=user_id, name=name, email=email, roles=frozenset({role}))

    def entry(
        self, visibility: Visibility, words: str, *, held: bool = False, questions: str = "", **lines: str
    ) -> str:
        """An entry written an hour ago; returns its id."""
        at = self.clock() - timedelta(hours=1)
        rows = {"recall.images": words, "part.name": f"Keeper of {words}", **lines}
        rows |= {"questions": questions} if questions else {}
        entry = Entry(
            id=uuid.uuid4().hex,
            patient_id=self.patient_id,
            sitting_id=uuid.uuid4().hex,
            phase="open_integration",
            visibility=visibility,
            practices=("journey_recall",),
            lines=tuple(EntryLine(field=name, label=name, step="s", text=text) for name, text in rows.items()),
            created_at=at,
            shared_at=at if visibility is Visibility.shared else None,
            held=held,
        )
        with self.app.uow() as tx:
            tx.put_entry(entry)
        return entry.id

    def question_id(self) -> str:
        with self.app.uow() as tx:
            return tx.tracked_questions(self.patient_id)[0].id

    def client(self, name: str | None) -> FlaskClient:
        """A browser; signed in where a name is given."""
        client = self.flask.test_client()
        if name is not None:
            body = {"email": f"{name.lower()}@plum-spring.example", "passphrase": PASSPHRASE}
            assert client.post("/api/v1/session", json=body).status_code == 200
        return client

    def coach_routes(self) -> list[tuple[str, str]]:
        """(method, path) of every route of the coach's face that names a patient, filled in for this one."""
        values = {
            "patient_id": self.patient_id,
            "entry_id": self.shared,
            "question_id": self.question_id(),
            "note_id": "n" * 32,
            "kind": "md",
        }
        found = []
        for rule in self.flask.url_map.iter_rules():
            if rule.endpoint.startswith("coach.") and "patient_id" in rule.arguments:
                with self.flask.test_request_context():
                    from flask import url_for

                    path = url_for(rule.endpoint, **{name: values[name] for name in rule.arguments})
                found += [(method, path) for method in sorted((rule.methods or set()) & {"GET", "POST"})]
        found.append(("GET", f"/api/v1/patients/{self.patient_id}/entries"))
        return found

    def pages(self) -> list[str]:
        """Every page and file of one patient that a coach can open."""
        paths = [path for method, path in self.coach_routes() if method == "GET"]
        base = f"/coach/patients/{self.patient_id}/digest."
        return [*paths, f"{base}json", f"{base}fhir", "/coach/"]
