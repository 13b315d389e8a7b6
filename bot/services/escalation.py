"""Raising alerts and what staff do with them. Levels go up by machine; only a named person lowers or clears."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.core.escalation import Alert, AlertEvent, AlertStatus, PolicyStep, next_step_at, steps_due
from bot.core.people import Patient, StaffMember
from bot.core.safety.verdict import Level
from bot.services.ports import Clock, NotPermitted, Transaction, UnitOfWork

RESPONDERS = frozenset({"responder", "clinical_lead", "medical"})
OUTCOMES = ("contacted", "safety_plan", "sent_to_emergency", "not_a_risk")
EXCERPT = 300  # characters of the flagged message that staff may read (protocol 6.7)


@dataclass(frozen=True, kw_only=True)
class AlertView:
    """One alert as staff see it. Holds no words of the patient; `reveal_words` gives those, audited."""

    alert: Alert
    patient: Patient
    holder: str | None  # who acknowledged
    next_at: datetime | None
    deliveries: Sequence[Mapping[str, Any]]
    events: Sequence[AlertEvent]  # without words


@dataclass(frozen=True, kw_only=True)
class PatientAlertStatus:
    """The truth about help, for the patient's own page."""

    reference: str
    level: Level
    sent_at: datetime | None
    seen_at: datetime | None
    seen_by: str | None
    next_at: datetime | None
    delivery_failed: bool


class EscalationService:
    """Everything about alerts but the sending."""

    def __init__(self, uow: UnitOfWork, clock: Clock, policy: Mapping[str, Sequence[PolicyStep]]) -> None:
        self._uow, self._clock, self._policy = uow, clock, policy

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
    ) -> Alert:
        """Raise an alert inside the caller's transaction, or add to the open one; its level only rises.

        A rise in level notifies again from the start. Idempotent for the same message, level and categories.
        """
        now = self._clock()
        excerpt = None if words is None or level is Level.concern else words[:EXCERPT]
        event = AlertEvent(
            at=now,
            kind="raised",
            actor_id=None,
            detail={"level": level.name, "categories": list(categories), "reason": reason, "message": message_id},
            words=excerpt,
        )
        current = self._open_alert(tx, patient.id, level)
        if current is None:
            alert = tx.add_alert(
                Alert(
                    id=uuid.uuid4().hex,
                    reference="",
                    patient_id=patient.id,
                    level=level,
                    categories=categories,
                    subtype=subtype,
                    status=AlertStatus.open,
                    raised_at=now,
                    message_id=message_id,
                    reason=reason,
                    version=version,
                )
            )
        else:
            known = tx.alert_events(current.id)
            same = (level.name, list(categories), message_id)
            if message_id and any(
                (e.detail.get("level"), e.detail.get("categories"), e.detail.get("message")) == same for e in known
            ):
                return current
            alert = replace(current, categories=tuple(dict.fromkeys((*current.categories, *categories))))
            tx.put_alert(alert)
            if level > current.level:
                tx.rise(current.id, level, now)
                alert = replace(alert, level=level, status=AlertStatus.open)
        tx.add_alert_event(alert.id, event)
        tx.audit("system", "alert.raised", alert.id, now, level=level.name, categories=list(categories))
        self.take_due_steps(tx, alert, patient)
        return alert

    def _open_alert(self, tx: Transaction, patient_id: str, level: Level) -> Alert | None:
        """The alert that a new one joins. A concern never joins a louder alert's page, nor the reverse."""
        unresolved = tx.alerts(patient_id=patient_id, unresolved=True)
        loud = [a for a in unresolved if (a.level >= Level.urgent) is (level >= Level.urgent)]
        return loud[0] if loud else None

    def take_due_steps(self, tx: Transaction, alert: Alert, patient: Patient) -> int:
        """Owe the notifications of every policy step that is due. Returns how many were owed."""
        if alert.status is not AlertStatus.open:
            return 0
        now, owed = self._clock(), 0
        for number, step in steps_due(self._policy, alert.level, tx.level_at(alert.id), tx.steps_taken(alert.id), now):
            if not tx.take_step(alert.id, number):
                continue
            recipients = recipients_of(step.target, tx.staff(), patient, alert)
            for member in recipients:
                tx.owe(alert.id, member.id, step.target, now)
            owed += len(recipients)
            detail = {"target": step.target, "recipients": [member.id for member in recipients]}
            tx.add_alert_event(alert.id, AlertEvent(at=now, kind="step", actor_id=None, detail=detail))
            if not recipients:
                tx.audit("system", "alert.no_one_to_notify", alert.id, now, target=step.target)
        return owed

    def escalate_due(self) -> int:
        """Take the due steps of all open alerts; called by the worker. Returns how many notifications were owed."""
        owed = 0
        with self._uow() as tx:
            for alert in tx.alerts(unresolved=True):
                patient = tx.patient(alert.patient_id)
                if patient is not None:
                    owed += self.take_due_steps(tx, alert, patient)
        return owed

    def board(self, viewer: StaffMember) -> list[AlertView]:
        """Unresolved alerts that the viewer may see, worst and oldest first."""
        require(viewer, RESPONDERS)
        with self._uow() as tx:
            views = [self._view(tx, alert) for alert in tx.alerts(unresolved=True) if alert.level >= Level.concern]
        visible = [view for view in views if viewer.id not in view.patient.restricted_staff]
        return sorted(
            visible, key=lambda v: (-v.alert.level, v.alert.status is not AlertStatus.open, v.alert.raised_at)
        )

    def view(self, alert_id: str, viewer: StaffMember) -> AlertView:
        """One alert, without words. The view is audited. Raises NotPermitted."""
        require(viewer, RESPONDERS)
        with self._uow() as tx:
            view = self._visible(tx, alert_id, viewer)
            tx.audit(f"user:{viewer.id}", "alert.viewed", alert_id, self._clock())
        return view

    def reveal_words(self, alert_id: str, viewer: StaffMember) -> list[tuple[datetime, str]]:
        """The flagged words, at most 300 characters each, and what was written to the team. Audited."""
        require(viewer, RESPONDERS)
        with self._uow() as tx:
            self._visible(tx, alert_id, viewer)
            tx.audit(f"user:{viewer.id}", "alert.words_read", alert_id, self._clock())
            return [(event.at, event.words) for event in tx.alert_events(alert_id) if event.words is not None]

    def acknowledge(self, alert_id: str, member: StaffMember) -> Alert:
        """Name the person who has it now. A second acknowledgement changes nothing. Raises NotPermitted."""
        require(member, RESPONDERS)
        now = self._clock()
        with self._uow() as tx:
            alert = self._visible(tx, alert_id, member).alert
            if alert.status is not AlertStatus.open:
                return alert
            taken = replace(alert, status=AlertStatus.acknowledged, acknowledged_by=member.id, acknowledged_at=now)
            tx.put_alert(taken)
            tx.drop_waiting(alert_id)
            tx.add_alert_event(alert_id, AlertEvent(at=now, kind="acknowledged", actor_id=member.id))
            waited = int((now - alert.raised_at).total_seconds())
            tx.audit(f"user:{member.id}", "alert.acknowledged", alert_id, now, waited_seconds=waited)
        return taken

    def resolve(self, alert_id: str, member: StaffMember, outcome: str, note: str) -> Alert:
        """Close an alert with an outcome of OUTCOMES and a note. Raises NotPermitted or ValueError."""
        require(member, RESPONDERS)
        if outcome not in OUTCOMES:
            raise ValueError("choose one of the outcomes listed")
        now = self._clock()
        with self._uow() as tx:
            alert = self._visible(tx, alert_id, member).alert
            if alert.status is AlertStatus.resolved:
                return alert
            done = replace(alert, status=AlertStatus.resolved, resolved_by=member.id, resolved_at=now, outcome=outcome)
            if alert.acknowledged_by is None:
                done = replace(done, acknowledged_by=member.id, acknowledged_at=now)
            tx.put_alert(done)
            tx.drop_waiting(alert_id)
            event = AlertEvent(
                at=now, kind="resolved", actor_id=member.id, detail={"outcome": outcome}, words=note or None
            )
            tx.add_alert_event(alert_id, event)
            tx.audit(f"user:{member.id}", "alert.resolved", alert_id, now, outcome=outcome)
        return done

    def clear_to_journal(self, alert_id: str, member: StaffMember) -> None:
        """Open the journal again after an urgent alert or an emergency (protocol 6.6). Raises NotPermitted."""
        require(member, RESPONDERS)
        now = self._clock()
        with self._uow() as tx:
            alert = self._visible(tx, alert_id, member).alert
            tx.put_alert(replace(alert, cleared_at=now))
            tx.add_alert_event(alert_id, AlertEvent(at=now, kind="cleared", actor_id=member.id))
            tx.audit(f"user:{member.id}", "alert.cleared_to_journal", alert_id, now)

    def status_for_patient(self, patient_id: str) -> PatientAlertStatus | None:
        """What to tell the patient about the alert that restricts the journal, or None."""
        with self._uow() as tx:
            alert = restricting_alert(tx, patient_id)
            if alert is None:
                return None
            deliveries = tx.deliveries(alert.id)
            sent = [d["sent_at"] for d in deliveries if d["sent_at"] is not None]
            names = {member.id: member.name for member in tx.staff()}
            open_now = alert.status is AlertStatus.open
            upcoming = next_step_at(self._policy, alert.level, tx.level_at(alert.id), tx.steps_taken(alert.id))
            return PatientAlertStatus(
                reference=alert.reference,
                level=alert.level,
                sent_at=min(sent, default=None),
                seen_at=alert.acknowledged_at,
                seen_by=names.get(alert.acknowledged_by or 0),
                next_at=upcoming if open_now else None,
                delivery_failed=not sent and any(d["error"] for d in deliveries),
            )

    def _visible(self, tx: Transaction, alert_id: str, viewer: StaffMember) -> AlertView:
        alert = tx.alert(alert_id)
        if alert is None:
            raise NotPermitted(alert_id)
        view = self._view(tx, alert)
        if viewer.id in view.patient.restricted_staff:
            raise NotPermitted(alert_id)
        return view

    def _view(self, tx: Transaction, alert: Alert) -> AlertView:
        patient = tx.patient(alert.patient_id)
        assert patient is not None
        names = {member.id: member.name for member in tx.staff()}
        open_now = alert.status is AlertStatus.open
        upcoming = next_step_at(self._policy, alert.level, tx.level_at(alert.id), tx.steps_taken(alert.id))
        return AlertView(
            alert=alert,
            patient=patient,
            holder=names.get(alert.acknowledged_by or 0),
            next_at=upcoming if open_now else None,
            deliveries=tx.deliveries(alert.id),
            events=[replace(event, words=None) for event in tx.alert_events(alert.id)],
        )


def restricting_alert(tx: Transaction, patient_id: str) -> Alert | None:
    """The gravest alert that no named person has cleared yet, or None."""
    uncleared = [a for a in tx.alerts(patient_id=patient_id) if a.cleared_at is None and a.level >= Level.urgent]
    return max(uncleared, key=lambda alert: alert.level, default=None)


def recipients_of(target: str, staff: Sequence[StaffMember], patient: Patient, alert: Alert) -> list[StaffMember]:
    """Who a policy step reaches. Nobody in `restricted_staff`, nor, in a complaint about the clinic, the coach."""
    barred = set(patient.restricted_staff)
    if alert.subtype == "clinic_boundary" and patient.coach_id is not None:
        barred.add(patient.coach_id)
    allowed = [member for member in staff if member.id not in barred]
    responders = [member for member in allowed if "responder" in member.roles]
    leads = [member for member in allowed if "clinical_lead" in member.roles]
    chosen = {
        "on_call": responders[:1],
        "second": responders[1:2],
        "clinical_lead": leads,
        "director": leads,
        "everyone": [member for member in allowed if member.roles & RESPONDERS],
    }[target]
    return chosen or leads or responders


def require(member: StaffMember, roles: frozenset[str]) -> None:
    """Raise NotPermitted unless the person has one of the roles."""
    if not member.roles & roles:
        raise NotPermitted(str(member.id))
