"""Sending what is owed. At least once, until a named person answers; every attempt is recorded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bot.core.escalation import AlertEvent, AlertStatus, back_off
from bot.services.escalation import EscalationService
from bot.services.ports import Clock, Notifier, Owed, SendFailed, UnitOfWork

CLAIM = timedelta(seconds=60)  # a worker that died gives its rows back after this


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What one round did."""

    sent: int
    failed: int


class DeliveryService:
    """Claims due notifications, sends them through the notifier and writes down what happened."""

    def __init__(
        self,
        uow: UnitOfWork,
        clock: Clock,
        notifier: Notifier,
        escalation: EscalationService,
        address: str,
        clinic: str,
    ) -> None:
        self._uow, self._clock, self._notifier, self._escalation = uow, clock, notifier, escalation
        self._address, self._clinic = address, clinic

    def run_once(self, worker: str, limit: int = 20) -> Sent:
        """One round of escalating and sending."""
        self._escalation.escalate_due()
        now = self._clock()
        with self._uow() as tx:
            owed = tx.claim(worker, now, now + CLAIM, limit)
        outcomes = [self._send(row) for row in owed]
        return Sent(sent=outcomes.count(True), failed=outcomes.count(False))

    def _send(self, owed: Owed) -> bool | None:
        with self._uow() as tx:
            alert = tx.alert(owed.alert_id)
            patient = tx.patient(alert.patient_id) if alert is not None else None
            recipient = next((m for m in tx.staff() if m.id == owed.recipient_id), None)
            if alert is None or patient is None or recipient is None or alert.status is not AlertStatus.open:
                tx.settle_owed(owed.id, state="dropped", due_at=self._clock(), sent_at=None, error=None)
                return None
        subject = f"[{self._clinic}] journal alert {alert.level.name.upper()} ref {alert.reference}"
        body = (
            f"{alert.level.name.upper()} alert {alert.reference} for {patient.initials}, raised "
            f"{alert.raised_at:%H:%M} UTC.\nOpen and acknowledge: {self._address}/staff/alerts/{alert.id}\n"
        )
        try:
            self._notifier.send(recipient, subject, body)
        except SendFailed as error:
            self._record(owed, error)
            return False
        now = self._clock()
        with self._uow() as tx:
            tx.settle_owed(owed.id, state="sent", due_at=now, sent_at=now, error=None)
            detail = {"recipient": owed.recipient_id, "target": owed.target, "attempt": owed.attempts}
            tx.add_alert_event(owed.alert_id, AlertEvent(at=now, kind="notified", actor_id=None, detail=detail))
            tx.audit("system", "alert.notified", owed.alert_id, now, recipient=owed.recipient_id)
        return True

    def _record(self, owed: Owed, error: SendFailed) -> None:
        now = self._clock()
        state = "failed" if error.permanent else "waiting"
        with self._uow() as tx:
            tx.settle_owed(owed.id, state=state, due_at=now + back_off(owed.attempts), sent_at=None, error=error.code)
            detail = {"recipient": owed.recipient_id, "attempt": owed.attempts, "code": error.code}
            tx.add_alert_event(owed.alert_id, AlertEvent(at=now, kind="send_failed", actor_id=None, detail=detail))
            if error.permanent:
                alert = tx.alert(owed.alert_id)
                others = [m for m in tx.staff() if m.id != owed.recipient_id and "responder" in m.roles]
                if alert is not None and others and owed.target != "fallback":
                    tx.owe(owed.alert_id, others[0].id, "fallback", now)
