"""All that one alert's page shows, in one audited read. The patient's words stay closed until someone opens them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.core.escalation import Alert, AlertEvent, may_clear_at
from bot.core.journal import Entry, Visibility
from bot.core.people import StaffMember
from bot.services.escalation import AlertView, EscalationService
from bot.services.ports import Clock, NotPermitted, Transaction, UnitOfWork

MONTH = timedelta(days=30)
MOST_ENTRIES = 3
CONTACT_QUESTIONS = ("ab_contact", "au_contact", "cb_safe")  # what the patient said about being contacted


@dataclass(frozen=True, kw_only=True)
class AlertPage:
    """One alert, ready to be shown."""

    view: AlertView
    answers: Sequence[tuple[datetime, str, str]]  # when, question id, chosen value: the latest of each question
    contact_answer: tuple[str, str] | None  # question id and value, where the patient was asked
    contexts: Sequence[Mapping[str, Any]]  # phase, hours since dose, flow; one per raising
    evidence: Sequence[Mapping[str, Any]]  # rule or example ids, scores, versions; no words
    attempts: Sequence[Mapping[str, Any]]
    notes: Sequence[tuple[datetime, int, str]]
    prior_30_days: int
    may_clear_at: datetime
    text_count: int  # texts that may be opened


class AlertPages:
    """Reads alerts for their pages."""

    def __init__(self, uow: UnitOfWork, clock: Clock, escalation: EscalationService) -> None:
        self._uow, self._clock, self._escalation = uow, clock, escalation

    def open(self, alert_id: str, viewer: StaffMember) -> AlertPage:
        """The page of an alert. The view is audited. Raises NotPermitted."""
        view = self._escalation.view(alert_id, viewer)
        with self._uow() as tx:
            events = tx.alert_events(alert_id)
            earlier = [a for a in tx.alerts(patient_id=view.alert.patient_id) if a.id != alert_id and not a.drill]
            attempts = tx.attempts(alert_id)
            evidence = self._evidence(tx, view.alert, events)
        answers = {
            str(e.detail["question"]): (e.at, str(e.detail["question"]), str(e.detail.get("value")))
            for e in events
            if e.kind == "staff_answer" and e.detail.get("value") is not None
        }
        contact = next((answers[q][1:] for q in CONTACT_QUESTIONS if q in answers), None)
        recent = [a for a in earlier if not a.boundary and view.alert.raised_at - a.raised_at <= MONTH]
        return AlertPage(
            view=view,
            answers=sorted(answers.values()),
            contact_answer=contact,
            contexts=[e.detail for e in events if e.kind == "raised"],
            evidence=evidence,
            attempts=attempts,
            notes=[(e.at, e.actor_id, e.words) for e in events if e.words is not None and e.actor_id is not None],
            prior_30_days=len(recent),
            may_clear_at=may_clear_at(view.alert),
            text_count=sum(event.words is not None and event.actor_id is None for event in events),
        )

    def glance(self, alert_id: str, viewer: StaffMember) -> AlertView:
        """How the alert stands, for keeping an open page current. Not audited again. Raises NotPermitted."""
        return next((v for v in self._escalation.all_for(viewer) if v.alert.id == alert_id), None) or _refuse(alert_id)

    def shared_entries(self, alert_id: str, viewer: StaffMember) -> list[Entry]:
        """The patient's last shared entries. The patient sees who read them. Raises NotPermitted."""
        view = self._escalation.view(alert_id, viewer)
        with self._uow() as tx:
            tx.audit(f"user:{viewer.id}", "entries.viewed", view.patient.id, self._clock(), alert=alert_id)
            entries = [e for e in tx.entries(view.patient.id) if e.visibility is Visibility.shared and not e.held]
        return entries[:MOST_ENTRIES]

    def _evidence(self, tx: Transaction, alert: Alert, events: Sequence[AlertEvent]) -> list[Mapping[str, Any]]:
        messages = dict.fromkeys(str(e.detail["message"]) for e in events if e.detail.get("message"))
        found: list[Mapping[str, Any]] = []
        for message_id in messages:
            assessment = tx.assessment(message_id)
            for row in (assessment or {}).get("evidence", ()):
                found.append({**row, "version": (assessment or {}).get("version", alert.version)})
        return found


def _refuse(alert_id: str) -> AlertView:
    raise NotPermitted(alert_id)
