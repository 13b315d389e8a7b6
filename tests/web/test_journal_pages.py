"""The patient's own pages over HTTP: what each shows, whose it is, and what it changes."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from flask.testing import FlaskClient

from bot.bootstrap import Application
from bot.core.journal import Entry, EntryLine, Visibility
from bot.core.journeys import ProgramStatus
from bot.core.people import Patient
from bot.core.programme import Evaluation, SessionKind
from bot.web.accounts import new_user
from bot.web.app import create_app
from tests import builders
from tests.builders import MovableClock

PASSPHRASE = "plum blossom river stone"
PAGES = ["/entries", "/entries/on-this-day", "/entries/search", "/entries/parts", "/entries/steps",
         "/entries/questions", "/entries/seen", "/entries/copy", "/programme", "/resources"]  # fmt: skip


class Visitor:
    """A signed-in browser."""

    def __init__(self, client: FlaskClient, email: str) -> None:
        self.client = client
        signed = client.post(
            "/api/v1/session", json={"email": email, "passphrase": PASSPHRASE}, headers={"X-CSRFToken": self.token}
        )
        assert signed.status_code == 200, signed.text

    @property
    def token(self) -> str:
        return str(self.client.get("/api/v1/session").json["csrf_token"])

    def get(self, path: str) -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.text

    def post(self, path: str, **fields: str) -> Any:
        return self.client.post(path, data={**fields, "csrf_token": self.token}, follow_redirects=True)


def kept(app: Application, patient: Patient, *rows: tuple[str, str, str], shared: bool = False) -> str:
    entry_id = uuid.uuid4().hex
    with app.uow() as tx:
        tx.put_entry(
            Entry(
                id=entry_id, patient_id=patient.id, sitting_id=uuid.uuid4().hex, phase="h24_72",
                visibility=Visibility.shared if shared else Visibility.private, practices=("journey_recall",),
                lines=tuple(EntryLine(field=f, label=label, step="s", text=text) for f, label, text in rows),
                created_at=app.clock(), shared_at=app.clock() if shared else None,
            )
        )  # fmt: skip
        for field, _, text in rows:
            if field == "part.name":
                tx.see_part(patient.id, text, app.clock())
    return entry_id


@pytest.fixture
def flask(app: Application) -> Any:
    return create_app(app)


@pytest.fixture
def patient(app: Application, flask: Any) -> Patient:
    made = builders.patient(app, builders.staff_member(app, "Mo", "coach"))
    with flask.app_context():
        user_id = new_user(flask, "rae@example.com", PASSPHRASE, "Rae", ["patient"])
    with app.uow() as tx:
        tx.put_patient(type(made)(**{**_fields(made), "user_id": user_id, "consented_at": app.clock()}))
    return made


def _fields(patient: Patient) -> dict[str, Any]:
    return {name: getattr(patient, name) for name in patient.__dataclass_fields__}


@pytest.fixture
def rae(flask: Any, patient: Patient) -> Visitor:
    return Visitor(flask.test_client(), "rae@example.com")


@pytest.mark.parametrize("path", PAGES)
def test_each_page_opens_before_anything_was_written(rae: Visitor, path: str) -> None:
    assert "<h1>" in rae.get(path)


def test_an_entry_is_listed_opened_shared_and_unshared(app: Application, patient: Patient, rae: Visitor) -> None:
    entry_id = kept(app, patient, ("recall.title", "Title", "The field"))
    assert "The field" in rae.get("/entries")
    assert "Share with my coach" in rae.get(f"/entries/{entry_id}")
    assert "Stop sharing" in rae.post(f"/entries/{entry_id}/visibility", visibility="shared").text
    assert app.journal.entry(patient.id, entry_id).visibility is Visibility.shared
    rae.post(f"/entries/{entry_id}/visibility", visibility="private")
    assert app.journal.entry(patient.id, entry_id).visibility is Visibility.private


def test_search_finds_own_words_and_keeps_them_out_of_the_address(
    app: Application, patient: Patient, rae: Visitor
) -> None:
    kept(app, patient, ("recall.images", "Images", "a Green field"))
    kept(app, patient, ("recall.images", "Images", "a lake"))
    answer = rae.post("/entries/search", words="green FIELD")
    assert "1 entry found" in answer.text
    assert "green" not in answer.request.url.lower()


def test_removing_asks_first_and_leaves_no_words(app: Application, patient: Patient, rae: Visitor) -> None:
    entry_id = kept(app, patient, ("recall.title", "Title", "The field"))
    assert "can&#39;t be brought back" in rae.get(f"/entries/{entry_id}/remove") or "can't be brought back" in rae.get(
        f"/entries/{entry_id}/remove"
    )
    assert "removed" in rae.post(f"/entries/{entry_id}/remove").text
    assert rae.client.get(f"/entries/{entry_id}").status_code == 404
    with app.uow() as tx:
        found = tx.entry(entry_id)
    assert found is not None
    assert found.lines == ()


def test_within_a_day_of_a_dose_removal_only_sets_aside(
    app: Application, patient: Patient, rae: Visitor, clock: MovableClock
) -> None:
    builders.journey_ended(app, patient.id, 3.0)
    entry_id = kept(app, patient, ("recall.title", "Title", "The field"))
    assert "Nothing is removed yet" in rae.post(f"/entries/{entry_id}/remove").text
    assert app.journal.waiting_removals(patient.id) == 1
    with app.uow() as tx:
        found = tx.entry(entry_id)
    assert found is not None
    assert found.lines


def test_another_patients_entry_does_not_exist_here(app: Application, patient: Patient, rae: Visitor) -> None:
    other = kept(app, builders.patient(app), ("recall.title", "Title", "not yours"))
    for path in (f"/entries/{other}", f"/entries/{other}/remove"):
        assert rae.client.get(path).status_code == 404
    assert rae.post(f"/entries/{other}/visibility", visibility="shared").status_code == 404


def test_two_parts_are_made_one_only_by_asking(app: Application, patient: Patient, rae: Visitor) -> None:
    kept(app, patient, ("part.name", "A part", "the Clerk"), ("part.job", "What it does for me", "keeps the list"))
    kept(app, patient, ("part.name", "A part", "the List-keeper"))
    page = rae.get("/entries/parts")
    assert "keeps the list" in page
    register = {p.part.names[0]: p.part.id for p in app.journal.parts(patient.id)}
    rae.post("/entries/parts/merge", kept=register["the Clerk"], gone=register["the List-keeper"], sure="yes")
    merged = app.journal.parts(patient.id)
    assert [p.part.names for p in merged] == [("the Clerk", "the List-keeper")]
    assert merged[0].part.times == 2


def test_a_copy_holds_shared_and_private_entries_in_three_forms(
    app: Application, patient: Patient, rae: Visitor
) -> None:
    kept(app, patient, ("recall.title", "Title", "The field"))
    kept(app, patient, ("recall.title", "Title", "The lake"), shared=True)
    markdown = rae.post("/entries/copy/markdown").text
    assert "> The field" in markdown
    assert "> The lake" in markdown
    entries = json.loads(rae.post("/entries/copy/json").text)["entries"]
    assert {e["entry_visibility"] for e in entries} == {"shared", "private"}
    pdf = rae.post("/entries/copy/pdf")
    assert pdf.data.startswith(b"%PDF")
    assert pdf.headers["Cache-Control"] == "no-store"


def test_questions_show_their_answer_and_can_be_taken_back(app: Application, patient: Patient, rae: Visitor) -> None:
    nurse = builders.staff_member(app, "Ira", "medical")
    with app.uow() as tx:
        tx.add_question(patient.id, "medical_team", "can I take melatonin", app.clock())
        tx.add_question(patient.id, "coach", "why do I cry", app.clock())
    first = next(q for q in app.journal.questions(patient.id) if q.addressee == "medical_team")
    app.requests.answer(nurse, first.id, "Please call us first.")
    assert "Please call us first." in rae.get("/entries/questions")
    second = next(q for q in app.journal.questions(patient.id) if q.addressee == "coach")
    assert "taken back" in rae.post(f"/entries/questions/{second.id}/withdraw").text


def test_the_programme_page_says_where_things_stand_and_names_no_date_while_paused(
    app: Application, patient: Patient, rae: Visitor, clock: MovableClock
) -> None:
    ahead = clock.now.replace(day=28)
    app.programme.set_evaluation(patient.id, Evaluation.cleared, clock.now)
    app.programme.add_session(patient.id, SessionKind.integration, ahead, with_whom="Mo", bring="your blanket")
    app.access.schedule_journey(patient.id, builders.Route.intranasal, ahead, attended_by="Dr. Sol")
    page = rae.get("/programme")
    assert "your blanket" in page
    assert "intranasal" in page
    app.programme.set_status(patient.id, ProgramStatus.paused_by_medical)
    paused = rae.get("/programme")
    assert "Dr. Sol" not in paused
    assert "paused by the medical team" in paused


def test_each_resource_opens(app: Application, rae: Visitor) -> None:
    for resource in app.library.resources:
        assert resource.body[0].replace("'", "&#39;") in rae.get(f"/resources/{resource.id}")


def test_a_stranger_is_sent_to_the_sign_in(flask: Any) -> None:
    for path in PAGES:
        assert flask.test_client().get(path).status_code == 302
