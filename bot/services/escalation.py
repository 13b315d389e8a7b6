"""What staff do with alerts: see, take, note, lower, close, open again, clear. Only named people do any of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.core.escalation import OUTCOMES, Alert, AlertEvent, AlertStatus, may_clear_at
from bot.core.people import Patient, StaffMember
from bot.core.safety.verdict import Level
from bot.services.paging import RESPONDERS, reopened
from bot.services.ports import NotPermitted, Transaction
from bot.services.raising import Raising, restricting_alert, speaking_alert

__all__ = ["OUTCOMES", "RESPONDERS", "AlertView", "EscalationService", "NotYet", "restricting_alert", "speaking_alert"]

LOOK_BACK = timedelta(days=60)  # how far back closed alerts are listed


class NotYet(ValueError):
    """This may not be done yet. The message says from when, or what has to come first."""


@dataclass(frozen=True, kw_only=True)
class AlertView:
    """One alert as staff see it. Holds no words of the patient; `reveal_words` gives those, audited."""

    alert: Alert
    patient: Patient
    holder: str | None  # who acknowledged
    next_at: datetime | None
    next_to: tuple[str, ...]  # targets of the policy
    next_names: tuple[str, ...]
    deliveries: Sequence[Mapping[str, Any]]
    events: Sequence[AlertEvent]  # without words


class EscalationService(Raising):
    """Everything about alerts but the sending."""

    # --- what staff see ---

    def board(self, viewer: StaffMember) -> list[AlertView]:
        """Unresolved alerts that the viewer may see, worst and oldest first."""
        views = self.all_for(viewer, unresolved=True)
        return sorted(views, key=lambda v: (-v.alert.level, v.alert.status is not AlertStatus.open, v.alert.raised_at))

    def all_for(self, viewer: StaffMember, *, unresolved: bool = False) -> list[AlertView]:
        """Alerts that the viewer may see, newest first. Raises NotPermitted."""
        require(viewer, RESPONDERS)
        since = None if unresolved else self._clock() - LOOK_BACK
        with self._uow() as tx:
            found = tx.alerts(unresolved=unresolved, since=since)
            return [view for alert in found if (view := self._seen_by(tx, alert, viewer)) is not None]

    def view(self, alert_id: str, viewer: StaffMember) -> AlertView:
        """One alert, without words. The view is audited. Raises NotPermitted."""
        with self._uow() as tx:
            view = self._visible(tx, alert_id, viewer)
            tx.audit(f"user:{viewer.id}", "alert.viewed", alert_id, self._clock())
        return view

    def attempts(self, alert_id: str, viewer: StaffMember) -> list[Mapping[str, Any]]:
        """Every try to notify someone of this alert, oldest first. Raises NotPermitted."""
        with self._uow() as tx:
            self._visible(tx, alert_id, viewer)
            return tx.attempts(alert_id)

    def reveal_words(self, alert_id: str, viewer: StaffMember) -> list[tuple[datetime, str]]:
        """The flagged words, at most 300 characters each, and what was written to the team. Audited."""
        with self._uow() as tx:
            self._visible(tx, alert_id, viewer)
            tx.audit(f"user:{viewer.id}", "alert.words_read", alert_id, self._clock())
            return [
                (event.at, event.words)
                for event in tx.alert_events(alert_id)
                if event.words is not None and event.actor_id is None
            ]

    def notes(self, alert_id: str, viewer: StaffMember) -> list[tuple[datetime, int, str]]:
        """What staff wrote about the alert: (when, who, text). Raises NotPermitted."""
        with self._uow() as tx:
            self._visible(tx, alert_id, viewer)
            return [
                (event.at, event.actor_id, event.words)
                for event in tx.alert_events(alert_id)
                if event.words is not None and event.actor_id is not None
            ]

    # --- what staff do ---

    def acknowledge(self, alert_id: str, member: StaffMember, *, by: str = "page") -> Alert:
        """Name the person who has it now. A second acknowledgement changes nothing. Raises NotPermitted."""
        now = self._clock()
        with self._uow() as tx:
            alert = self._locked(tx, alert_id, member)
            if alert.status is not AlertStatus.open:
                return alert
            hold = self.policy.holds.get(alert.level)
            until = None if hold is None or alert.drill else now + hold
            taken = replace(
                alert,
                status=AlertStatus.acknowledged,
                acknowledged_by=member.id,
                acknowledged_at=now,
                hold_until=until,
                due_at=until,
            )
            tx.put_alert(taken)
            tx.drop_waiting(alert_id)
            event = AlertEvent(at=now, kind="acknowledged", actor_id=member.id, detail={"by": by})
            tx.add_alert_event(alert_id, event)
            waited = int((now - alert.counts_from).total_seconds())
            tx.audit(f"user:{member.id}", "alert.acknowledged", alert_id, now, waited_seconds=waited, by=by)
            if alert.level >= Level.urgent and not alert.drill:
                self._telling.say_once(
                    tx, alert_id, alert.patient_id, "safety_shared.acknowledged", now,
                    expectation=self.paging.expectation(tx, now),
                )  # fmt: skip
        return taken

    def note(self, alert_id: str, member: StaffMember, text: str) -> Alert:
        """Write down what was done. It renews the acknowledgement. Raises NotPermitted, or ValueError for no text."""
        if not text.strip():
            raise ValueError("Please write what was done; nothing was kept.")
        now = self._clock()
        with self._uow() as tx:
            alert = self._locked(tx, alert_id, member)
            if alert.status is AlertStatus.acknowledged and alert.hold_until is not None:
                until = now + self.policy.holds[alert.level]
                alert = replace(alert, hold_until=until, due_at=until)
                tx.put_alert(alert)
            tx.add_alert_event(alert_id, AlertEvent(at=now, kind="note", actor_id=member.id, words=text.strip()))
            tx.audit(f"user:{member.id}", "alert.noted", alert_id, now)
        return alert

    def lower(self, alert_id: str, member: StaffMember, level: Level, reason: str) -> Alert:
        """Lower the level, by a named person with a reason. Raises NotPermitted or ValueError."""
        now = self._clock()
        with self._uow() as tx:
            alert = self._locked(tx, alert_id, member)
            if not Level.none < level < alert.level or not reason.strip():
                raise ValueError("Choose a lower level and say why; nothing was changed.")
            lowered = replace(alert, level=level, level_at=now, paging_since=None, steps_taken=0)
            detail = {"from": alert.level.name, "to": level.name}
            event = AlertEvent(at=now, kind="lowered", actor_id=member.id, detail=detail, words=reason.strip())
            tx.add_alert_event(alert_id, event)
            tx.audit(f"user:{member.id}", "alert.lowered", alert_id, now, **detail)
            patient = tx.patient(alert.patient_id)
            assert patient is not None
            if alert.status is AlertStatus.resolved:
                tx.put_alert(lowered)
                return lowered
            return self.paging.look_at(tx, lowered, patient)

    def resolve(self, alert_id: str, member: StaffMember, outcome: str, note: str) -> Alert:
        """Close an alert with an outcome of OUTCOMES and a reason. Raises NotPermitted or ValueError."""
        if outcome not in OUTCOMES:
            raise ValueError("Choose one of the outcomes listed; nothing was changed.")
        if not note.strip():
            raise ValueError("Please say in a line what happened; nothing was changed.")
        now = self._clock()
        with self._uow() as tx:
            alert = self._locked(tx, alert_id, member)
            if alert.status is AlertStatus.resolved:
                return alert
            done = replace(
                alert,
                status=AlertStatus.resolved,
                resolved_by=member.id,
                resolved_at=now,
                outcome=outcome,
                hold_until=None,
                due_at=None,
                acknowledged_by=alert.acknowledged_by or member.id,
                acknowledged_at=alert.acknowledged_at or now,
            )
            tx.put_alert(done)
            tx.drop_waiting(alert_id)
            event = AlertEvent(
                at=now, kind="resolved", actor_id=member.id, detail={"outcome": outcome}, words=note.strip()
            )
            tx.add_alert_event(alert_id, event)
            tx.audit(f"user:{member.id}", "alert.resolved", alert_id, now, outcome=outcome)
        return done

    def reopen(self, alert_id: str, member: StaffMember, reason: str) -> Alert:
        """Open a closed alert again; it pages from the beginning. Raises NotPermitted or ValueError."""
        if not reason.strip():
            raise ValueError("Please say why it is opened again; nothing was changed.")
        now = self._clock()
        with self._uow() as tx:
            alert = self._locked(tx, alert_id, member)
            if alert.status is not AlertStatus.resolved:
                return alert
            event = AlertEvent(at=now, kind="reopened", actor_id=member.id, words=reason.strip())
            tx.add_alert_event(alert_id, event)
            tx.audit(f"user:{member.id}", "alert.reopened", alert_id, now)
            patient = tx.patient(alert.patient_id)
            assert patient is not None
            return self.paging.look_at(tx, replace(reopened(alert, now), cleared_at=None), patient)

    def clear_to_journal(self, alert_id: str, member: StaffMember) -> None:
        """Open the journal again after an urgent alert or an emergency (protocol 6.6).

        Raises NotPermitted, or NotYet while the alert is open or its day has not passed.
        """
        now = self._clock()
        with self._uow() as tx:
            alert = self._locked(tx, alert_id, member)
            if alert.status is AlertStatus.open:
                raise NotYet("Acknowledge it and speak with the patient first; the journal stays as it is.")
            if now < may_clear_at(alert):
                moment = f"{may_clear_at(alert).astimezone(self.policy.hours.zone):%A %H:%M %Z}"
                raise NotYet(f"After this kind of emergency the journal opens again from {moment} (protocol 6.6).")
            tx.put_alert(replace(alert, cleared_at=now))
            tx.add_alert_event(alert_id, AlertEvent(at=now, kind="cleared", actor_id=member.id))
            tx.audit(f"user:{member.id}", "alert.cleared_to_journal", alert_id, now)
            if alert.restricts and restricting_alert(tx, alert.patient_id) is None:
                expectation = self.paging.expectation(tx, now)
                self._telling.say(tx, alert.patient_id, "staff_news.cleared", now, expectation=expectation)

    # --- who may ---

    def _locked(self, tx: Transaction, alert_id: str, member: StaffMember) -> Alert:
        self._visible(tx, alert_id, member)
        alert = tx.alert(alert_id, lock=True)
        assert alert is not None
        return alert

    def _visible(self, tx: Transaction, alert_id: str, viewer: StaffMember) -> AlertView:
        require(viewer, RESPONDERS)
        alert = tx.alert(alert_id)
        view = None if alert is None else self._seen_by(tx, alert, viewer)
        if view is None:
            raise NotPermitted(alert_id)
        return view

    def _seen_by(self, tx: Transaction, alert: Alert, viewer: StaffMember) -> AlertView | None:
        patient = tx.patient(alert.patient_id)
        assert patient is not None
        if viewer.id in self.paging.barred(tx, patient, alert):
            return None
        deliveries = tx.deliveries(alert.id)
        if alert.boundary and not self._keeps_boundary(tx, viewer, deliveries):
            return None
        next_at, next_to = self.paging.next_step(alert, self.paging.rota(tx).holidays)
        names = {member.id: member.name for member in tx.staff()}
        people = [self.paging.recipients(tx, alert, patient, target, next_at)[0] for target in next_to if next_at]
        return AlertView(
            alert=alert,
            patient=patient,
            holder=names.get(alert.acknowledged_by or 0),
            next_at=next_at,
            next_to=next_to,
            next_names=tuple(dict.fromkeys(member.name for group in people for member in group)),
            deliveries=deliveries,
            events=[replace(event, words=None) for event in tx.alert_events(alert.id)],
        )

    def _keeps_boundary(self, tx: Transaction, viewer: StaffMember, deliveries: Sequence[Mapping[str, Any]]) -> bool:
        """A complaint about the clinic is seen by those who hold its duties, or were told of it; by no one else."""
        rota, now = self.paging.rota(tx), self._clock()
        keepers = {*rota.on_duty("safeguarding", now), *rota.on_duty("director", now)}
        return viewer.id in keepers or any(row["recipient_id"] == viewer.id for row in deliveries)


def require(member: StaffMember, roles: frozenset[str]) -> None:
    """Raise NotPermitted unless the person has one of the roles."""
    if not member.roles & roles:
        raise NotPermitted(str(member.id))
