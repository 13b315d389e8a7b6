"""Sending what is owed. At least once, until a named person answers; every attempt is on record before it is made."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from bot.core.escalation import MOST_TRIES, Alert, AlertEvent, AlertStatus, back_off
from bot.core.people import Patient, StaffMember
from bot.services.escalation import EscalationService, speaking_alert
from bot.services.ports import Clock, Notifier, Owed, SendFailed, StaffLinks, Transaction, UnitOfWork
from bot.services.rounds import each

CLAIM = timedelta(seconds=60)  # a worker that died gives its rows back after this; longer than any channel takes
AT_ONCE_SECONDS = 5.0  # how long the gateway waits for the first sending before it tells the patient the truth
ALARMS = {
    "channel_down": "A channel has failed three times in a row. Alerts are tried by the next one and the next person.",
    "alert_not_sent": "An alert could not be handed over within five seconds. It is being tried again.",
    "no_one_permitted": "An alert has no one left whom it may reach. Take the external route named in the runbook.",
    "drill_missing": "The daily drill has not arrived. Until one does, nobody should count on alerts arriving.",
    "no_cover": "No one is on call for some time in the next two days. The rota page shows when.",
    "uncleared": "A patient's journal is held back for a day or more. Please clear it, or note on the alert why not.",
}


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What one round did."""

    sent: int
    failed: int


@dataclass(frozen=True, kw_only=True)
class _Letter:
    """One notification, ready to be handed over."""

    recipient: StaffMember
    subject: str
    body: str
    url: str | None
    channel: str


class DeliveryService:
    """Claims due notifications, sends them through the notifier and writes down what happened."""

    def __init__(
        self,
        uow: UnitOfWork,
        clock: Clock,
        notifier: Notifier,
        escalation: EscalationService,
        links: StaffLinks,
        clinic: str,
    ) -> None:
        self._uow, self._clock, self._notifier, self._escalation = uow, clock, notifier, escalation
        self._links, self._clinic = links, clinic
        self._pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="send")

    def run_once(self, worker: str, limit: int = 20, alert_id: str | None = None) -> Sent:
        """One round of escalating, sending, and telling patients what has become true.

        None of the three keeps the others from being done; the last failure is raised at the end.
        """
        outcomes: list[bool | None] = []

        def send_all() -> None:
            claims = iter(lambda: self._claim_one(worker, alert_id), None)
            each(islice(claims, limit), lambda owed: outcomes.append(self._send(owed)))

        each((self._escalation.escalate_due, send_all, self._escalation.release_claims), lambda part: part())
        return Sent(sent=outcomes.count(True), failed=outcomes.count(False))

    def _claim_one(self, worker: str, alert_id: str | None) -> Owed | None:
        """One at a time: a worker that dies holds up one notification, never a batch."""
        now = self._clock()
        with self._uow.reading() as tx:
            if tx.oldest_owed(now) is None:
                return None
        with self._uow() as tx:
            return next(iter(tx.claim(worker, now, now + CLAIM, 1, alert_id)), None)

    def send_at_once(self, patient_id: str, worker: str) -> None:
        """Send what this patient's alert owes without waiting for the worker, for a few seconds at most."""
        with self._uow() as tx:
            alert = speaking_alert(tx, patient_id)
        if alert is None:
            return
        try:
            self._pool.submit(self.run_once, worker, 20, alert.id).result(timeout=AT_ONCE_SECONDS)
        except TookTooLong:
            self._escalation.release_claims()

    def _send(self, owed: Owed) -> bool | None:
        with self._uow() as tx:
            letter = self._letter(tx, owed)
            if letter is None:
                tx.settle_owed(owed, state="dropped", now=self._clock())
                return None
        try:
            self._notifier.send(letter.recipient, letter.subject, letter.body, url=letter.url)
        except SendFailed as error:
            self._failed(owed, letter, error)
            return False
        now = self._clock()
        with self._uow() as tx:
            tx.settle_owed(owed, state="sent", now=now)
            if owed.alert_id is not None:
                self._escalation.tell_late_sending(tx, owed.alert_id, now)
                detail = {"recipient": owed.recipient_id, "target": owed.target, "channel": letter.channel}
                tx.add_alert_event(owed.alert_id, AlertEvent(at=now, kind="notified", actor_id=None, detail=detail))
                tx.audit("system", "alert.notified", owed.alert_id, now, recipient=owed.recipient_id)
        return True

    def _letter(self, tx: Transaction, owed: Owed) -> _Letter | None:
        """What to send, or None where it is no longer to be sent: answered, closed, or to someone who may not know."""
        recipient = next((member for member in tx.staff() if member.id == owed.recipient_id), None)
        channel = None if owed.channel_id is None else tx.channel(owed.channel_id)
        url, name = (None, "e-mail") if channel is None else (channel.url, channel.name)
        if owed.alert_id is None:
            if recipient is None:
                return None
            subject = f"[{self._clinic}] journal: the program needs someone"
            return _Letter(recipient=recipient, subject=subject, body=ALARMS[owed.about], url=url, channel=name)
        alert = tx.alert(owed.alert_id)
        patient = tx.patient(alert.patient_id) if alert is not None else None
        if alert is None or patient is None or not _still_wanted(alert, owed):
            return None
        if recipient is None or recipient.id in self._escalation.paging.barred(tx, patient, alert):
            self._escalation.paging.move_on(tx, alert, patient, self._clock())
            return None
        subject, body = self._words(alert, patient, owed)
        return _Letter(recipient=recipient, subject=subject, body=body, url=url, channel=name)

    def _words(self, alert: Alert, patient: Patient, owed: Owed) -> tuple[str, str]:
        level = alert.level.name.upper()
        to_coach = owed.target == "coach"
        link = self._links.to_caseload() if to_coach else self._links.to_alert(alert.id, owed.recipient_id)
        raised = f"{alert.raised_at.astimezone(self._escalation.policy.hours.zone):%H:%M %Z}"
        if alert.drill:
            subject = f"[{self._clinic}] DRILL ref {alert.reference}"
            return subject, f"This is the daily drill, {raised}. Nobody is in danger and nothing needs doing.\n"
        if owed.kind == "reminder":
            return f"[{self._clinic}] journal reminder ref {alert.reference}", f"{ALARMS['uncleared']}\n{link}\n"
        more = "There is more on" if owed.kind == "update" else "Open and acknowledge:"
        subject = f"[{self._clinic}] journal alert {level} ref {alert.reference}"
        return subject, f"{level} alert {alert.reference} for {patient.initials}, raised {raised}.\n{more} {link}\n"

    def _failed(self, owed: Owed, letter: _Letter, error: SendFailed) -> None:
        """Write the failure down, try again later unless that cannot help, and meanwhile try the next channel.

        Where there is no next channel, the next person is paged at once.
        """
        now = self._clock()
        state = "failed" if error.permanent else "waiting"
        with self._uow() as tx:
            tx.settle_owed(owed, state=state, now=now, due_at=now + back_off(owed.attempts), error=error.code)
            if error.permanent or owed.attempts == MOST_TRIES:
                self._escalation.paging.alarm(tx, "channel_down", now)
            if owed.alert_id is None:
                return
            detail = {"recipient": owed.recipient_id, "channel": letter.channel, "code": error.code}
            tx.add_alert_event(owed.alert_id, AlertEvent(at=now, kind="send_failed", actor_id=None, detail=detail))
            if error.permanent or owed.attempts == MOST_TRIES:
                self._move_on(tx, owed, now)

    def _move_on(self, tx: Transaction, owed: Owed, now: datetime) -> None:
        assert owed.alert_id is not None
        if tx.bring_forward(owed.alert_id, owed.recipient_id, owed.place + 1, now):
            return
        alert = tx.alert(owed.alert_id, lock=True)
        patient = tx.patient(alert.patient_id) if alert is not None else None
        if alert is not None and patient is not None and alert.status is AlertStatus.open and owed.kind == "alert":
            self._escalation.paging.move_on(tx, alert, patient, now)


def _still_wanted(alert: Alert, owed: Owed) -> bool:
    if owed.kind == "reminder":
        return alert.cleared_at is None
    if owed.kind == "update":
        return alert.status is AlertStatus.acknowledged
    return alert.status is AlertStatus.open
