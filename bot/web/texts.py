"""Authored texts with their slots filled, for pages."""

from __future__ import annotations

from bot.bootstrap import Application
from bot.core.flow.render import fill


def application_text(application: Application, text: str, patient_id: str | None = None) -> str:
    """An authored text with the clinic's and the patient's words in it."""
    slots = {"clinic_name": application.settings.clinic_name, "clinic_phone": application.settings.clinic_phone}
    if patient_id is not None:
        with application.uow() as tx:
            patient = tx.patient(patient_id)
            if patient is not None:
                slots = application.sittings.slots(tx, patient, application.clock())
    return fill(text, slots)
