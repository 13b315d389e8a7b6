"""A whole sitting through the services: what the patient sees, what is kept, what the coach may read."""

from __future__ import annotations

from typing import Any

import pytest

from bot.bootstrap import Application
from bot.core.journal import Visibility
from bot.core.people import Patient, StaffMember
from bot.services.ports import NotPermitted
from tests import builders

SITTING: list[tuple[Any, str]] = [
    ("continue", ""), ("no", ""), ("mixed", ""), (5, ""), (7, ""), ([{"place": "jaw", "word": "tight"}], ""),
    ("medium", ""), ("journey_recall", ""), ("continue", ""), ("some", ""), (None, "a green field"),
    ("skip", ""), (["awe", "sadness"], ""), (None, "not yet"), ("no", ""), (3, ""), (None, "The field"),
    (2, ""), (None, "field"), ("rest", ""),
]  # fmt: skip


class Sitting:
    """A patient at the page: answers the control that is open."""

    def __init__(self, app: Application, patient: Patient) -> None:
        self.app, self.patient, self.number = app, patient, 0
        app.conversation.open(patient.conversation_id)

    @property
    def control(self) -> dict[str, Any]:
        messages = self.app.conversation.since(self.patient.id, 0)
        return next(dict(m.control) for m in reversed(messages) if m.control is not None)

    def answer(self, value: Any, text: str = "", lines: dict[str, str | None] | None = None) -> list[str]:
        self.number += 1
        received = self.app.screening.receive(
            self.patient.id, f"c{self.number}", text, control_id=self.control["id"], value=value, lines=lines
        )
        return [message.text for message in self.app.conversation.deliver(received.message.id)]


@pytest.fixture
def coach(app: Application) -> StaffMember:
    return builders.staff_member(app, "Mo", "coach")


@pytest.fixture
def patient(app: Application, coach: StaffMember) -> Patient:
    return builders.patient(app, coach)


def at_summary(app: Application, patient: Patient) -> Sitting:
    sitting = Sitting(app, patient)
    for value, text in SITTING:
        sitting.answer(value, text)
    assert sitting.control["type"] == "summary"
    return sitting


def test_a_shared_entry_reaches_the_coach_in_the_patients_words(
    app: Application, patient: Patient, coach: StaffMember
) -> None:
    at_summary(app, patient).answer("share")
    page = app.digests.patient_page(coach, patient.id)
    words = {line.label: line.text for line in page.entries[0].lines}
    assert words["Images"] == "a green field"
    assert words["Title"] == "The field"
    assert words["Feelings"] == "Awe, Sadness"
    assert app.digests.readers(patient.id)[0][0] == "Mo"


def test_a_private_entry_never_reaches_the_coach(app: Application, patient: Patient, coach: StaffMember) -> None:
    at_summary(app, patient).answer("private")
    page = app.digests.patient_page(coach, patient.id)
    assert page.entries == []
    assert page.private_count == 1


def test_edited_and_left_out_lines_are_kept_as_the_patient_chose(
    app: Application, patient: Patient, coach: StaffMember
) -> None:
    sitting = at_summary(app, patient)
    ids = {line["label"]: line["id"] for line in sitting.control["lines"]}
    sitting.answer("share", lines={ids["Images"]: "a wide green field", ids["Title"]: None})
    words = {line.label: line.text for line in app.digests.patient_page(coach, patient.id).entries[0].lines}
    assert words["Images"] == "a wide green field"
    assert "Title" not in words


def test_discarding_asks_once_more_and_keeps_nothing(app: Application, patient: Patient) -> None:
    sitting = at_summary(app, patient)
    sitting.answer("discard")
    sitting.answer("yes")
    assert app.digests.own_entries(patient.id) == []


def test_sharing_can_be_taken_back(app: Application, patient: Patient, coach: StaffMember) -> None:
    at_summary(app, patient).answer("share")
    entry = app.digests.own_entries(patient.id)[0]
    app.digests.set_visibility(patient.id, entry.id, Visibility.private)
    assert app.digests.patient_page(coach, patient.id).entries == []


def test_another_coach_sees_nothing(app: Application, patient: Patient) -> None:
    other = builders.staff_member(app, "Kit", "coach")
    with pytest.raises(NotPermitted):
        app.digests.patient_page(other, patient.id)
    assert app.caseload.rows(other) == []


def test_a_message_answered_twice_moves_the_sitting_once(app: Application, patient: Patient) -> None:
    sitting = Sitting(app, patient)
    control = sitting.control["id"]
    received = app.screening.receive(patient.id, "c1", "", control_id=control, value="continue")
    first = app.conversation.deliver(received.message.id)
    again = app.conversation.deliver(received.message.id)
    assert [m.id for m in first] == [m.id for m in again]


def test_two_tabs_with_the_same_button_move_the_sitting_once(app: Application, patient: Patient) -> None:
    sitting = Sitting(app, patient)
    control = sitting.control["id"]
    for tab in ("a", "b"):
        received = app.screening.receive(patient.id, tab, "", control_id=control, value="continue")
        replies = app.conversation.deliver(received.message.id)
    assert "earlier question" in replies[0].text
    assert "person" in replies[1].text


def test_pausing_and_coming_back_offers_to_pick_it_up(app: Application, patient: Patient) -> None:
    sitting = Sitting(app, patient)
    sitting.answer("continue")
    app.sittings.steer(patient.conversation_id, "m-pause", "pause")
    spoken = app.sittings.open(patient.conversation_id)
    assert "pick it up" in spoken[0].utterance.text
    replies = sitting.answer("resume")
    assert "person" in replies[-1]


def test_onboarding_texts_come_in_order_and_the_last_completes_consent(app: Application, patient: Patient) -> None:
    while (step := app.access.next_consent(patient.id)) is not None:
        app.access.record_consent(patient.id, str(step["id"]), "yes")
    with app.uow() as tx:
        found = tx.patient(patient.id)
    assert found is not None
    assert found.consented_at is not None
    with pytest.raises(ValueError, match="not the text"):
        app.access.record_consent(patient.id, "ob_age", "yes")
