"""Consent through the services: versions are kept, a journey puts it off, a changed text holds messages back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.bootstrap import Application
from bot.core.people import Patient
from bot.services.access import AccessService, TooEarly
from tests import builders


def consented(app: Application, patient: Patient) -> Patient:
    while (step := app.access.next_consent(patient.id)) is not None:
        app.access.record_consent(patient.id, str(step["id"]), "yes")
    with app.uow() as tx:
        found = tx.patient(patient.id)
    assert found is not None
    return found


def test_each_answer_is_kept_with_the_version_of_the_text_that_was_read(app: Application) -> None:
    patient = consented(app, builders.patient(app))
    with app.uow() as tx:
        kept = tx.consent_records(patient.id)
    assert [c.text_id for c in kept] == [str(step["id"]) for step in app.library.onboarding]
    assert all(len(c.version) == 16 for c in kept)
    assert app.access.may_write(patient)


def test_a_changed_text_is_asked_before_the_next_message_but_not_close_to_a_journey(app: Application) -> None:
    patient = consented(app, builders.patient(app))
    steps = [dict(step) for step in app.library.onboarding]
    steps[4]["prompt"] = ["The rules about alerts changed."]
    changed = AccessService(app.uow, app.clock, replace(app.library, onboarding=tuple(steps)))
    assert not changed.may_write(patient)
    assert changed.was_asked_before(patient.id)
    step = changed.next_consent(patient.id)
    assert step is not None
    assert step["id"] == steps[4]["id"]
    builders.journey_ended(app, patient.id, 3)
    assert changed.may_write(patient)


def test_consent_is_not_taken_within_a_day_of_a_dose(app: Application, clock: builders.MovableClock) -> None:
    patient = builders.patient(app, hours_since_journey=20)
    assert app.access.consent_waits_until(patient.id) is not None
    with pytest.raises(TooEarly):
        app.access.record_consent(patient.id, "ob_age", "yes")
    clock.move(hours=5)
    app.access.record_consent(patient.id, "ob_age", "yes")
