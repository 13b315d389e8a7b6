"""The staff's pages over HTTP: what is shown to whom, what a link does, and that words stay closed until opened."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from bot.bootstrap import Application
from bot.core.people import Patient, StaffMember
from bot.web.accounts import new_user
from bot.web.app import create_app
from tests import builders
from tests.builders import MovableClock, Outbox

PASSPHRASE = "plum blossom river stone"
WORDS = "I want to die, zanzibarmark"


@pytest.fixture
def flask(app: Application) -> Flask:
    return create_app(app)


@pytest.fixture
def staff(app: Application, flask: Flask) -> dict[str, StaffMember]:
    people = {"noor": ("responder",), "lee": ("clinical_lead",), "mo": ("coach",)}
    with flask.app_context():
        for name, roles in people.items():
            new_user(flask, f"{name}@plum-spring.example", PASSPHRASE, name.title(), roles)
    with app.uow() as tx:
        members = {member.name.lower(): member for member in tx.staff()}
    builders.on_duty(app, "on_call", members["noor"])
    builders.on_duty(app, "second", members["lee"])
    return members


@pytest.fixture
def patient(app: Application, staff: dict[str, StaffMember]) -> Patient:
    return builders.patient(app, staff["mo"])


def browser(flask: Flask, name: str) -> FlaskClient:
    client = flask.test_client()
    token = client.get("/api/v1/session").get_json()["csrf_token"]
    body = {"email": f"{name}@plum-spring.example", "passphrase": PASSPHRASE}
    assert client.post("/api/v1/session", json=body, headers={"X-CSRFToken": token}).status_code == 200
    return client


def post(client: FlaskClient, path: str, **fields: str) -> tuple[int, str]:
    token = client.get("/api/v1/session").get_json()["csrf_token"]
    answer = client.post(path, data={**fields, "csrf_token": token}, follow_redirects=True)
    return answer.status_code, answer.get_data(as_text=True)


def page(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.get_data(as_text=True)


def only_alert(app: Application) -> str:
    with app.uow() as tx:
        (alert,) = tx.alerts()
    return alert.id


def test_the_board_shows_who_is_next_and_no_words(app: Application, flask: Flask, patient: Patient) -> None:
    app.screening.receive(patient.id, "c1", WORDS)
    board = page(browser(flask, "noor"), "/staff/")
    assert "URGENT" in board
    assert "No one has it." in board
    assert "Lee at" in board
    assert "zanzibarmark" not in board
    assert "Lind" not in board


def test_words_are_shown_only_after_they_were_opened_and_that_is_audited(
    app: Application, flask: Flask, patient: Patient, staff: dict[str, StaffMember]
) -> None:
    app.screening.receive(patient.id, "c1", WORDS)
    alert_id, client = only_alert(app), browser(flask, "noor")
    assert "zanzibarmark" not in page(client, f"/staff/alerts/{alert_id}")
    _, opened = post(client, f"/staff/alerts/{alert_id}/words")
    assert "zanzibarmark" in opened
    with app.uow() as tx:
        facts = [(row["actor"], row["action"]) for row in tx.audit_of(alert_id)]
    assert (f"user:{staff['noor'].id}", "alert.words_read") in facts


def test_the_link_in_a_message_shows_on_get_and_acknowledges_on_post(
    app: Application, flask: Flask, patient: Patient, outbox: Outbox
) -> None:
    app.screening.receive(patient.id, "c1", WORDS)
    app.delivery.run_once("w1")
    path = re.search(r"http://localhost:8080(\S+)", outbox.sent[0][2])
    assert path is not None
    nobody = flask.test_client()
    for _ in range(3):  # mail scanners open links
        assert "Acknowledge as Noor" in page(nobody, path[1])
    noor = next(view.alert for view in app.escalation.board(_member(app, "Noor")))
    assert noor.acknowledged_by is None
    status, body = post(nobody, path[1])
    assert (status, "<strong>Noor</strong> has it" in body) == (200, True)
    assert "zanzibarmark" not in body
    assert nobody.get(path[1][:-3] + "abc").status_code == 410
    assert nobody.get(f"/staff/alerts/{noor.id}").status_code == 302  # the page itself needs a sign-in


def test_a_link_runs_out_after_a_day_and_opens_no_other_alert(app: Application, flask: Flask, patient: Patient) -> None:
    app.screening.receive(patient.id, "c1", WORDS)
    token = app.links.to_alert(only_alert(app), _member(app, "Noor").id).rsplit("/", 1)[1]
    assert flask.test_client().get(f"/staff/alerts/anotherone/answer/{token}").status_code == 410


@pytest.mark.parametrize("path", ["/staff/", "/staff/rota/", "/staff/reports/", "/staff/reports/week.csv"])
def test_staff_pages_are_not_the_coachs_nor_anyones(
    app: Application, flask: Flask, patient: Patient, path: str
) -> None:
    assert browser(flask, "mo").get(path).status_code == 404
    assert flask.test_client().get(path).status_code == 302
    assert browser(flask, "lee").get(path).status_code == 200


def test_a_mistake_on_a_form_says_what_to_correct_and_keeps_everything(
    app: Application, flask: Flask, patient: Patient
) -> None:
    app.screening.receive(patient.id, "c1", WORDS)
    alert_id, client = only_alert(app), browser(flask, "lee")
    status, body = post(client, f"/staff/alerts/{alert_id}/resolve", outcome="contacted", note=" ")
    assert (status, "nothing was changed" in body) == (422, True)
    status, body = post(client, "/staff/rota/override", duty="on_call", member="1", starts="soon", ends="later")
    assert (status, "Please give a date and an hour" in body) == (422, True)
    assert post(client, f"/staff/alerts/{alert_id}/explode")[0] == 404


def test_an_alert_is_noted_closed_and_opened_again_from_its_page(
    app: Application, flask: Flask, patient: Patient
) -> None:
    app.screening.receive(patient.id, "c1", WORDS)
    alert_id, client = only_alert(app), browser(flask, "noor")
    path = f"/staff/alerts/{alert_id}"
    assert "has it since" in post(client, f"{path}/acknowledge")[1]
    assert "Rang, no answer" in post(client, f"{path}/note", note="Rang, no answer")[1]
    assert "Closed: Spoke with the patient" in post(client, f"{path}/resolve", outcome="contacted", note="Spoke")[1]
    assert "Open again since" in post(client, f"{path}/clear")[1]
    assert "No one has it." in post(client, f"{path}/reopen", reason="The family rang")[1]


def test_readiness_turns_red_when_a_drill_is_missing(
    app: Application, flask: Flask, patient: Patient, clock: MovableClock
) -> None:
    app.watch.watch()
    for days, status, words in ((0, 200, "ready"), (2, 503, "the daily drill has not arrived")):
        clock.move(days=days)
        with app.uow() as tx:
            tx.beat("worker", clock())
        answer = flask.test_client().get("/readyz")
        assert (answer.status_code, answer.get_data(as_text=True)) == (status, words)


def test_a_stuck_notification_turns_readiness_red(
    app: Application, flask: Flask, patient: Patient, clock: MovableClock
) -> None:
    app.screening.receive(patient.id, "c1", WORDS)
    clock.move(minutes=3)
    with app.uow() as tx:
        tx.beat("worker", clock())
    assert flask.test_client().get("/readyz").get_data(as_text=True) == "alerts are waiting to be sent"


def _member(app: Application, name: str) -> StaffMember:
    with app.uow() as tx:
        return next(member for member in tx.staff() if member.name == name)
