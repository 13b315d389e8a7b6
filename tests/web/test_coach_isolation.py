"""Who may see what, over HTTP, for every route of the coach's face: new routes are taken in by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.coaching import History
from bot.core.journal import Visibility
from tests.web.desk import HELD, QUESTION, SECRET, SHARED, Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.app.database.dispose()


def refused(desk: Desk, name: str | None, statuses: set[int]) -> None:
    client = desk.client(name)
    for method, path in desk.coach_routes():
        answer = client.open(path, method=method, data={"text": "hello", "until": "2026-11-24T20:00:00+00:00"})
        assert answer.status_code in statuses, (method, path, answer.status_code)
        assert SHARED not in answer.text


def test_there_are_routes_to_guard(desk: Desk) -> None:
    assert len(desk.coach_routes()) >= 20
    client = desk.client("Mo")
    assert {client.get(path).status_code for path in desk.pages()} == {200}


def test_another_coach_finds_nothing_anywhere(desk: Desk) -> None:
    refused(desk, "Kit", {404})
    assert "Rae" not in desk.client("Kit").get("/coach/").text


def test_other_staff_and_patients_find_nothing_anywhere(desk: Desk) -> None:
    desk.account("Noor", "responder")
    desk.account("Adm", "administrator")
    for name in ("Noor", "Adm", "Rae"):
        refused(desk, name, {404})


def test_without_signing_in_every_route_leads_to_the_sign_in(desk: Desk) -> None:
    refused(desk, None, {302, 401})


def test_a_restricted_coach_finds_nothing_anywhere_and_not_even_the_name(desk: Desk) -> None:
    with desk.app.uow() as tx:
        patient = tx.patient(desk.patient_id)
        assert patient is not None
        tx.put_patient(replace(patient, restricted_staff=(desk.coach.id,)))
    refused(desk, "Mo", {404})
    assert "Rae" not in desk.client("Mo").get("/coach/").text


def test_words_of_private_and_held_entries_are_on_no_page_and_in_no_file(desk: Desk) -> None:
    client = desk.client("Mo")
    shown = "".join(client.get(path, query_string={"since": "all"}).text for path in desk.pages())
    assert SHARED in shown
    assert SECRET not in shown
    assert HELD not in shown
    for entry_id in (desk.private, desk.held):
        assert client.get(f"/coach/patients/{desk.patient_id}/entries/{entry_id}").status_code == 404


def test_an_entry_that_is_no_longer_shared_is_gone_with_its_question(desk: Desk) -> None:
    client, question = desk.client("Mo"), desk.question_id()
    paths = desk.pages()
    desk.app.digests.set_visibility(desk.patient_id, desk.shared, Visibility.private)
    answers = {path: client.get(path, query_string={"since": "all"}) for path in paths}
    for answer in answers.values():
        assert SHARED not in answer.text
        assert QUESTION not in answer.text
    assert answers[f"/coach/patients/{desk.patient_id}/entries/{desk.shared}"].status_code == 404
    path = f"/coach/patients/{desk.patient_id}/questions/{question}/answer"
    assert client.post(path, data={"text": "because"}).status_code == 404


def test_after_a_hand_over_the_old_coach_is_out_and_the_new_one_reads_what_was_chosen(desk: Desk) -> None:
    desk.app.desk.write_note(desk.coach, desk.patient_id, "a private thought of Mo")
    desk.app.desk.propose_handover(desk.coach, desk.patient_id, desk.other.id)
    assert desk.client("Kit").get(f"/coach/patients/{desk.patient_id}").status_code == 404  # not before the choice
    assert desk.client("Rae").post("/coach-change", data={"history": "from_today"}).status_code == 302
    refused(desk, "Mo", {404})
    new = desk.client("Kit")
    shown = "".join(
        new.get(path, query_string={"since": "all"}).text for path in desk.pages() if "/entries/" not in path
    )
    assert SHARED not in shown
    assert "a private thought of Mo" not in shown
    desk.clock.move(hours=2)
    desk.entry(Visibility.shared, "a-new-brook")
    shown = desk.client("Kit").get(f"/coach/patients/{desk.patient_id}/entries").text
    assert "a-new-brook" in shown


def test_sharing_nothing_yet_closes_later_entries_too_until_the_patient_chooses_again(desk: Desk) -> None:
    desk.app.desk.propose_handover(desk.coach, desk.patient_id, desk.other.id)
    desk.app.desk.choose_history(desk.patient_id, History.nothing)
    desk.clock.move(hours=2)
    desk.entry(Visibility.shared, "a-new-brook")
    new = desk.client("Kit")
    assert "a-new-brook" not in new.get(f"/coach/patients/{desk.patient_id}/entries").text
    desk.app.desk.choose_history(desk.patient_id, History.all)
    assert "a-new-brook" in new.get(f"/coach/patients/{desk.patient_id}/entries").text


def test_every_view_is_audited_and_the_patient_sees_who_looked(desk: Desk) -> None:
    client, viewed = desk.client("Mo"), 0
    for path in desk.pages():
        client.get(path)
        with desk.app.uow() as tx:
            facts = [fact for fact in tx.audit_of(desk.patient_id) if fact["action"] == "entries.viewed"]
        if path != "/coach/":
            viewed += 1
        assert len(facts) == viewed, path
    assert "Last seen by Mo on Tuesday" in desk.client("Rae").get("/my-digest").text


def test_only_patients_open_my_digest_and_only_their_own(desk: Desk) -> None:
    assert desk.client("Mo").get("/my-digest").status_code == 404
    page = desk.client("Rae").get("/my-digest?since=all")
    assert page.status_code == 200
    assert SHARED in page.text
    assert SECRET not in page.text  # the same page that the coach sees


def test_a_form_without_its_token_is_refused(desk: Desk) -> None:
    desk.flask.config["WTF_CSRF_ENABLED"] = True
    client = desk.flask.test_client()
    answer = client.post(f"/coach/patients/{desk.patient_id}/notes", data={"text": "x"})
    assert answer.status_code in (302, 400)
    with desk.app.uow() as tx:
        assert tx.notes(desk.patient_id, desk.coach.id) == []
