"""The pages over a fresh database, and browsers for people of every role. No server, no mocks of ours."""

from __future__ import annotations

import ast
import re
import uuid
from collections.abc import Callable
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bot.bootstrap import Application
from bot.core.journal import Entry, EntryLine, Visibility
from bot.core.people import ROLES, Patient
from bot.core.safety.verdict import Level
from bot.settings import ROOT
from bot.web.accounts import new_user
from bot.web.app import create_app
from tests import builders

PASSPHRASE = "plum blossom river stone"


class Browser:
    """One browser: its cookies, its CSRF token."""

    def __init__(self, flask: Flask, email: str | None = None) -> None:
        self.client: FlaskClient = flask.test_client()
        self.email = email
        self.page_token: str | None = None  # of a page that stays open; without one each change fetches its own

    @property
    def token(self) -> str:
        return self.page_token or str(self.client.get("/api/v1/session").get_json()["csrf_token"])

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, **options)

    def form(self, path: str, **fields: Any) -> TestResponse:
        return self.client.post(path, data={**fields, "csrf_token": self.token})

    def json(self, path: str, body: Any, method: str = "POST") -> TestResponse:
        return self.client.open(path, method=method, json=body, headers={"X-CSRFToken": self.token})

    def sign_in(self, passphrase: str = PASSPHRASE, **more: str) -> TestResponse:
        return self.json("/api/v1/session", {"email": self.email, "passphrase": passphrase, **more})

    @property
    def is_signed_in(self) -> bool:
        return bool(self.client.get("/api/v1/session").get_json()["signed_in"])


class Site:
    """The application with one account of each role, a patient with entries and an alert, and a second patient."""

    def __init__(self, app: Application) -> None:
        self.app = app
        self.flask = create_app(app)
        with self.flask.app_context():
            self.ids = {"patient": new_user(self.flask, "patient@plum-spring.example", PASSPHRASE, "", ["patient"])}
            self.ids |= {role: self._account(f"{role}@plum-spring.example", role.title(), role) for role in ROLES[1:]}
            self.other_id = self._account("other@example.com", "", "patient")
            self.stranger_id = self._account("kit@plum-spring.example", "Kit", "coach")
        self.patient = self._patient(self.ids["patient"], self.ids["coach"])
        self.other = self._patient(self.other_id, self.stranger_id)
        self.shared = self.entry(self.patient, Visibility.shared, "a green field")
        self.private = self.entry(self.patient, Visibility.private, "a locked drawer")
        self.others_entry = self.entry(self.other, Visibility.shared, "another's words")
        with app.uow() as tx:
            self.alert = app.escalation.raise_alert(
                tx, self.patient, level=Level.urgent, categories=("suicide",), reason="test", words="words of an alert"
            )

    def _account(self, email: str, name: str, role: str) -> int:
        """An account with the first one's passphrase, without hashing it again."""
        datastore = self.flask.extensions["security"].datastore
        same = datastore.find_user(id=self.ids["patient"]).password
        user = datastore.create_user(
            email=email, password=same, display_name=name, roles=[role], fs_uniquifier=uuid.uuid4().hex
        )
        datastore.commit()
        return int(user.id)

    def _patient(self, user_id: int, coach_id: int) -> Patient:
        made = self.app.access.invite(first_name="Rae", last_name="Lind", phone="555-0142", coach_id=coach_id)
        self.app.access.accept(made.token, user_id)
        builders.journey_ended(self.app, made.patient_id, 48)
        while (step := self.app.access.next_consent(made.patient_id)) is not None:
            self.app.access.record_consent(made.patient_id, str(step["id"]), "yes")
        found = self.app.access.patient_of_user(user_id)
        assert found is not None
        return found

    def entry(self, patient: Patient, visibility: Visibility, text: str) -> Entry:
        now = self.app.clock()
        made = Entry(
            id=uuid.uuid4().hex,
            patient_id=patient.id,
            sitting_id=uuid.uuid4().hex,
            phase="h24_72",
            visibility=visibility,
            practices=("arrive",),
            lines=(EntryLine(field="recall.title", label="Title", step="sample", text=text),),
            created_at=now,
            shared_at=now if visibility is Visibility.shared else None,
        )
        with self.app.uow() as tx:
            tx.put_entry(made)
        return made

    def browser(self, who: str | None = None) -> Browser:
        """A browser; signed in where a role, or `other` or `kit`, is named. The site is rested: no limit is near."""
        for limiter in self.flask.extensions["limiter"]:
            limiter.reset()
        if who is None:
            return Browser(self.flask)
        domain = "example.com" if who == "other" else "plum-spring.example"
        browser = Browser(self.flask, f"{who}@{domain}")
        assert browser.sign_in().status_code == 200
        return browser

    def routes(self) -> list[tuple[str, str, str]]:
        """Every (endpoint, method, path) that the site answers, with ids that nobody has."""
        found = []
        for rule in self.flask.url_map.iter_rules():
            path = re.sub(r"<int:[^>]+>", "999999", rule.rule)
            path = re.sub(r"<[^>]+>", "nothing", path)
            found += [(rule.endpoint, method, path) for method in sorted(rule.methods - {"HEAD", "OPTIONS"})]
        return found


def text_for_rasa() -> Callable[[str], str]:
    """The channel's own function; the rest of its file can be imported on Rasa's interpreter only."""
    tree = ast.parse((ROOT / "bot/rasa_ext/channel.py").read_text(encoding="utf-8"))
    tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "text_for_rasa"]
    scope: dict[str, Any] = {}
    exec(compile(tree, "channel.py", "exec"), scope)
    found: Callable[[str], str] = scope["text_for_rasa"]
    return found
