"""What the patient is told about an alert, in the chat: only what is true, and each thing once."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.core.escalation import AlertEvent
from bot.core.flow.render import fill
from bot.core.journal import Message
from bot.services.ports import Transaction


@dataclass(frozen=True, kw_only=True)
class ClinicFacts:
    """The clinic's own words for the slots of authored texts."""

    name: str
    phone: str
    oncall_phone: str
    hours: str
    covered: bool  # what the clinic declares where it keeps no rota


class Telling:
    """Puts authored texts into a patient's conversation."""

    def __init__(self, texts: Mapping[str, str], clinic: ClinicFacts) -> None:
        self._texts, self._clinic = texts, clinic

    def slots(self, expectation: str) -> dict[str, str]:
        """The clinic's slots of protocol 0.2; `expectation` is in_hours, covered or no_cover."""
        promise = fill(self._texts[f"contact_expectation.{expectation}"], {"clinic_hours": self._clinic.hours})
        return {
            "clinic_name": self._clinic.name,
            "clinic_phone": self._clinic.phone,
            "oncall_phone": self._clinic.oncall_phone,
            "clinic_hours": self._clinic.hours,
            "contact_expectation": promise,
        }

    def text(self, text_id: str) -> str:
        """One authored text that has no slot of the moment."""
        return fill(self._texts[text_id], {"clinic_name": self._clinic.name, "clinic_phone": self._clinic.phone})

    def say(self, tx: Transaction, patient_id: str, text_id: str, now: datetime, *, expectation: str) -> None:
        """Say one authored text."""
        text = fill(self._texts[text_id], self.slots(expectation))
        put_text(tx, patient_id, text_id, text, now, kind="crisis")

    def say_once(
        self, tx: Transaction, alert_id: str, patient_id: str, text_id: str, now: datetime, *, expectation: str
    ) -> bool:
        """Say one authored text unless this alert's patient was told it already. Returns whether it was said."""
        if any(event.kind == "told" and event.detail.get("text") == text_id for event in tx.alert_events(alert_id)):
            return False
        self.say(tx, patient_id, text_id, now, expectation=expectation)
        tx.add_alert_event(alert_id, AlertEvent(at=now, kind="told", actor_id=None, detail={"text": text_id}))
        return True


def put_text(
    tx: Transaction,
    patient_id: str,
    text_id: str,
    text: str,
    now: datetime,
    *,
    kind: str,
    reply_to: str | None = None,
    sender: str = "assistant",
) -> Message:
    """Put one bubble into a patient's conversation."""
    return tx.add_message(
        Message(
            id=uuid.uuid4().hex,
            seq=0,
            patient_id=patient_id,
            sender=sender,
            kind=kind,
            text=text,
            text_id=text_id,
            reply_to=reply_to,
            created_at=now,
        )
    )


def texts_for_telling(library_texts: Mapping[str, Sequence[Sequence[str]]]) -> dict[str, str]:
    """The one wording of each text that is told about alerts, from the library."""
    wanted = ("contact_expectation.", "safety_shared.", "staff_news.")
    return {name: groups[0][0] for name, groups in library_texts.items() if name.startswith(wanted)}
