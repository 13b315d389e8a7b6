"""Raising alerts, and what their patients are told. Levels go up by machine only."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.core.escalation import WEEK, Alert, AlertEvent, AlertStatus, Disclosure, accumulated, joins
from bot.core.journeys import timeline
from bot.core.news import HeldText, PatientAlertStatus, split_claim
from bot.core.people import Patient
from bot.core.policy import Policy
from bot.core.safety.verdict import Level
from bot.services.paging import Paging, reopened
from bot.services.ports import Clock, Transaction, UnitOfWork
from bot.services.rounds import each
from bot.services.telling import Telling, put_text

EXCERPT = 300  # characters of the flagged message that staff may read (protocol 6.7)


class Raising:
    """How alerts begin and grow, and the truth about them for the patient."""

    def __init__(
        self, uow: UnitOfWork, clock: Clock, policy: Policy, paging: Paging, telling: Telling, claims: Sequence[str]
    ) -> None:
        self._uow, self._clock, self.policy = uow, clock, policy
        self.paging, self._telling, self._claims = paging, telling, tuple(claims)

    # --- raising ---

    def raise_alert(
        self,
        tx: Transaction,
        patient: Patient,
        *,
        level: Level,
        categories: tuple[str, ...],
        reason: str,
        subtype: str | None = None,
        message_id: str | None = None,
        words: str | None = None,
        version: str = "",
        drill: bool = False,
    ) -> Alert:
        """Raise an alert inside the caller's transaction, or add to the open one; its level only rises.

        A rise in level notifies again from the start. Concerns that add up become urgent (protocol 6.2 step 6).
        Idempotent for the same message, level and categories.
        """
        now = self._clock()
        tx.lock_patient(patient.id)
        known = tx.alerts(patient_id=patient.id)
        again = self._already(tx, known, level, categories, message_id)
        if again is not None:
            return again
        counted = accumulated(level, categories, self._disclosures(tx, known, now), now)
        event = AlertEvent(
            at=now,
            kind="raised",
            actor_id=None,
            detail={
                "level": counted.name,
                "asked_level": level.name,
                "categories": list(categories),
                "subtype": subtype,
                "reason": reason if counted is level else f"{reason}; adds up to {counted.name}",
                "message": message_id,
                **self._where(tx, patient, now),
            },
            words=None if words is None or counted is Level.concern else words[:EXCERPT],
        )
        unresolved = [alert for alert in known if alert.status is not AlertStatus.resolved]
        current = None if drill else joins(unresolved, counted, subtype)
        if current is None:
            alert = tx.add_alert(
                Alert(
                    id=uuid.uuid4().hex,
                    reference="",
                    patient_id=patient.id,
                    level=counted,
                    categories=categories,
                    subtype=subtype,
                    status=AlertStatus.open,
                    raised_at=now,
                    level_at=now,
                    message_id=message_id,
                    reason=reason,
                    version=version,
                    phase=str(event.detail["phase"]),
                    drill=drill,
                )
            )
        else:
            alert = self._join(tx, current, counted, categories, subtype, patient, now)
        tx.add_alert_event(alert.id, event)
        tx.audit("system", "alert.raised", alert.id, now, level=counted.name, categories=list(categories))
        return self.paging.look_at(tx, alert, patient)

    def _already(
        self,
        tx: Transaction,
        known: Sequence[Alert],
        level: Level,
        categories: tuple[str, ...],
        message_id: str | None,
    ) -> Alert | None:
        """The alert that this very message has raised already."""
        if message_id is None:
            return None
        same = (level.name, list(categories), message_id)
        for alert in known:
            for e in tx.alert_events(alert.id):
                if (e.detail.get("asked_level"), e.detail.get("categories"), e.detail.get("message")) == same:
                    return alert
        return None

    def _disclosures(self, tx: Transaction, known: Sequence[Alert], now: datetime) -> list[Disclosure]:
        """What was raised within a week, but what a named person found to be no risk."""
        counting = [a for a in known if a.outcome != "not_a_risk" and not a.drill and now - a.level_at <= 5 * WEEK]
        return [
            Disclosure(at=e.at, categories=tuple(e.detail["categories"]), reason=str(e.detail["reason"]))
            for alert in counting
            for e in tx.alert_events(alert.id)
            if e.kind == "raised" and now - e.at <= WEEK
        ]

    def _where(self, tx: Transaction, patient: Patient, now: datetime) -> dict[str, Any]:
        where = timeline(tx.journeys(patient.id), now=now, time_zone=patient.time_zone)
        hours = where.hours_since_dose(now)
        sitting = tx.sitting(patient.id)
        frames = sitting.state.get("frames") if sitting is not None else None
        return {
            "phase": where.phase.protocol_id,
            "hours_since_dose": None if hours is None else int(hours),
            "in_sitting": frames[-1]["flow"] if frames else None,
        }

    def _join(
        self,
        tx: Transaction,
        current: Alert,
        level: Level,
        categories: tuple[str, ...],
        subtype: str | None,
        patient: Patient,
        now: datetime,
    ) -> Alert:
        """Add a disclosure to the open alert.

        1. A higher level, or a route that another category opens, pages from the beginning.
        2. Otherwise whoever has it is told that there is more; where no one has it, the on-call person is paged again
           once the last page is old enough (protocol 6.9).
        """
        merged = replace(
            current,
            categories=tuple(dict.fromkeys((*current.categories, *categories))),
            subtype=current.subtype or subtype,
            cleared_at=None,
        )
        rerouted = self._route_name(merged) != self._route_name(current)
        if level > current.level:
            tx.drop_waiting(current.id)
            return replace(reopened(merged, now), level=level, level_at=now, paging_since=None)
        if rerouted and current.status is AlertStatus.open:
            return reopened(merged, now)
        holder = next((m for m in tx.staff() if m.id == current.acknowledged_by), None)
        if holder is not None:
            self.paging.notify(tx, merged, holder, "holder", now, kind="update")
        elif merged.level >= Level.urgent and self._last_page(tx, merged) + self.policy.repage_repeated <= now:
            self.paging.page(tx, merged, patient, "on_call", now, set())
        return merged

    def _route_name(self, alert: Alert) -> str:
        return self.policy.route(alert.level, alert.categories, alert.subtype, alert.phase).name

    def _last_page(self, tx: Transaction, alert: Alert) -> datetime:
        return max((row["created_at"] for row in tx.deliveries(alert.id)), default=alert.raised_at)

    def escalate_due(self) -> int:
        """Do what time asks of the alerts that are due; called by the worker. Returns how many were looked at."""
        with self._uow.reading() as tx:
            due = tx.due_alerts(self._clock())
        return len(each(due, self._look_at))

    def _look_at(self, alert_id: str) -> None:
        with self._uow() as tx:
            alert = tx.alert(alert_id, lock=True)
            patient = tx.patient(alert.patient_id) if alert is not None else None
            if alert is not None and patient is not None:
                self.paging.look_at(tx, alert, patient)

    def note_retraction(
        self, tx: Transaction, patient: Patient, text_id: str, words: str, message_id: str, now: datetime
    ) -> bool:
        """Record that the patient took an alert back, or says it was misread; the level stays (protocol 6.8).

        `text_id` names the authored reply, which is said here. Returns False where there is no alert to take back.
        """
        alert = speaking_alert(tx, patient.id)
        if alert is None:
            return False
        kind = "misread" if text_id.endswith("correction") else "retracted"
        tx.put_alert(replace(alert, retracted_at=now))
        tx.add_alert_event(alert.id, AlertEvent(at=now, kind=kind, actor_id=None, words=words[:EXCERPT]))
        tx.audit("system", f"alert.{kind}", alert.id, now)
        text = self._telling.text(text_id)
        put_text(tx, patient.id, text_id, text, now, kind="notice", reply_to=message_id)
        return True

    # --- what the patient is told ---

    def showable(
        self, tx: Transaction, patient: Patient, text_id: str, text: str, kind: str, reply_to: str | None, now: datetime
    ) -> str:
        """The part of an authored text that is true now. A sentence that says staff were told waits for it."""
        before, claim = split_claim(text, self._claims)
        alert = speaking_alert(tx, patient.id) if claim else None
        if alert is None or self._sent(tx, alert) is not None:
            return text
        tx.hold_text(
            HeldText(alert_id=alert.id, text_id=text_id, kind=kind, text=claim, held_at=now, reply_to=reply_to)
        )
        return before

    def release_claims(self) -> int:
        """Say what waited to become true; say plainly what did not become true in time. Returns how many were said."""
        now, said = self._clock(), 0
        with self._uow.reading() as tx:
            if not tx.held_texts():
                return 0
        with self._uow() as tx:
            for held in tx.held_texts():
                alert = tx.alert(held.alert_id)
                assert alert is not None
                sent = self._sent(tx, alert) is not None
                late = now - held.held_at >= self.policy.claim_checked
                if not (sent or late) or not tx.mark_text_told(held.id, now):
                    continue
                if sent:
                    put_text(tx, alert.patient_id, held.text_id, held.text, now, kind=held.kind, reply_to=held.reply_to)
                else:
                    self._telling.say_once(
                        tx,
                        alert.id,
                        alert.patient_id,
                        "safety_shared.alert_failed",
                        now,
                        expectation=self.paging.expectation(tx, now),
                    )
                    self.paging.alarm(tx, "alert_not_sent", now)
                said += 1
        return said

    def tell_late_sending(self, tx: Transaction, alert_id: str, now: datetime) -> None:
        """Where the patient was told that the alert did not go through, say that it has now."""
        alert = tx.alert(alert_id)
        failed = {"text": "safety_shared.alert_failed"}
        if alert is None or not any(e.kind == "told" and e.detail == failed for e in tx.alert_events(alert_id)):
            return
        expectation = self.paging.expectation(tx, now)
        self._telling.say_once(tx, alert_id, alert.patient_id, "safety_shared.alert_sent", now, expectation=expectation)

    def _sent(self, tx: Transaction, alert: Alert) -> Mapping[str, Any] | None:
        """The first notification that was handed over since the alert came to its level."""
        sent = [
            row
            for row in tx.deliveries(alert.id)
            if row["sent_at"] is not None and row["sent_at"] >= alert.level_at and row["kind"] == "alert"
        ]
        return min(sent, key=lambda row: row["sent_at"], default=None)

    def status_for_patient(self, patient_id: str) -> PatientAlertStatus | None:
        """What to tell the patient about the alert that concerns them, or None."""
        with self._uow.reading() as tx:
            alert = speaking_alert(tx, patient_id) or restricting_alert(tx, patient_id)
            if alert is None:
                return None
            sent = self._sent(tx, alert)
            seen = [e for e in tx.alert_events(alert.id) if e.kind == "acknowledged" and e.at >= alert.level_at]
            names = {member.id: member.name for member in tx.staff()}
            next_at, next_to = self.paging.next_step(alert, self.paging.rota(tx).holidays)
            return PatientAlertStatus(
                reference=alert.reference,
                level=alert.level,
                sent_at=None if sent is None else sent["sent_at"],
                sent_to=None if sent is None else sent["target"],
                seen_at=seen[-1].at if seen else None,
                seen_by=names.get(seen[-1].actor_id or 0) if seen else None,
                next_at=next_at,
                next_to=next_to,
                delivery_failed=sent is None and any(row["error"] for row in tx.deliveries(alert.id)),
                closed=alert.status is AlertStatus.resolved,
            )


def restricting_alert(tx: Transaction, patient_id: str) -> Alert | None:
    """The gravest alert that holds the journal back, or None."""
    return max((a for a in tx.alerts(patient_id=patient_id) if a.restricts), key=lambda a: a.level, default=None)


def speaking_alert(tx: Transaction, patient_id: str) -> Alert | None:
    """The gravest alert that is not resolved and that the patient was told of, or None."""
    unresolved = [a for a in tx.alerts(patient_id=patient_id, unresolved=True) if a.level >= Level.urgent]
    return max((a for a in unresolved if not a.drill), key=lambda alert: alert.level, default=None)
