"""A short plan for staying safe: made by the patient, kept sealed, shown again, and part of no entry."""

from __future__ import annotations

import uuid

from bot.bootstrap import Application
from bot.core.people import Patient
from tests import builders


def say(app: Application, patient: Patient, text: str, *, button: str | None = None) -> list[str]:
    """Send words, or press a button of the current control; returns all that was said."""
    control = None
    if button is not None:
        with app.uow() as tx:
            controls = [m.control for m in tx.messages(patient.id) if m.control is not None]
        control = str(controls[-1]["id"])
    received = app.screening.receive(patient.id, uuid.uuid4().hex, text, control_id=control, value=button)
    return [message.text for message in app.conversation.deliver(received.message.id)]


def disclose_and_answer(app: Application, patient: Patient) -> None:
    """A disclosure, safe for now, and every other question left unanswered: what follows is the choice."""
    app.sittings.open(patient.conversation_id)
    say(app, patient, "I want to die")
    said = say(app, patient, "Yes", button="yes")
    for _ in range(12):
        if any("settle a little" in text for text in said):
            return
        said = say(app, patient, "Rather not say")
    raise AssertionError("the choice after a disclosure was never offered")


def test_the_plan_is_offered_after_a_disclosure_kept_sealed_and_shown_again(app: Application) -> None:
    builders.clinic_staff(app)
    patient = builders.patient(app, builders.staff_member(app, "Mo", "coach"))
    disclose_and_answer(app, patient)
    assert "harder hours" in say(app, patient, "A plan for staying safe", button="plan")[0]
    say(app, patient, "I stop answering the phone, zanzibarmark")
    say(app, patient, "a walk by the canal")
    say(app, patient, "Skip", button="skip")
    said = say(app, patient, "my sister's kitchen")
    assert any("988 belongs on it" in text for text in said)
    again = say(app, patient, "A plan for staying safe", button="plan")
    assert any("What helps a little: a walk by the canal" in text for text in again)
    with app.uow() as tx:
        assert set(tx.safety_plan(patient.id)) == {"warning", "helps", "places"}
        assert all("canal" not in line.text for entry in tx.entries(patient.id) for line in entry.lines)
        alert_words = [e.words for a in tx.alerts() for e in tx.alert_events(a.id) if e.words]
    assert not any("canal" in words for words in alert_words)
    stored = b"".join(path.read_bytes() for path in app.settings.data_path.iterdir() if path.is_file())
    assert b"zanzibarmark" not in stored
