"""Whom an open alert reaches next: the policy, the rota and who may know, turned into notifications that are owed.

Everything happens inside the caller's transaction, so that an alert without its notifications never exists.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from bot.core.escalation import Alert, AlertEvent, AlertStatus
from bot.core.people import Patient, StaffMember
from bot.core.policy import DUTIES, Plan, Policy, next_targets, step_at, targets_due
from bot.core.rota import Rota
from bot.core.safety.verdict import Level
from bot.services.ports import Clock, Transaction
from bot.services.telling import Telling

RESPONDERS = frozenset({"responder", "clinical_lead", "medical"})
BOUNDARY_DUTIES = ("safeguarding", "director")  # all who may know of a complaint about the clinic
ALARM_AGAIN = timedelta(hours=1)  # an alarm about the program is not repeated sooner


class Paging:
    """Turns the policy into owed notifications."""

    def __init__(self, clock: Clock, policy: Policy, telling: Telling, *, declared_cover: bool) -> None:
        self._clock, self.policy, self._telling, self._declared = clock, policy, telling, declared_cover

    # --- who ---

    def rota(self, tx: Transaction) -> Rota:
        """The rota, in the clinic's zone."""
        return tx.rota(self.policy.hours.zone)

    def expectation(self, tx: Transaction, now: datetime) -> str:
        """What may be promised about contact now: in_hours, covered or no_cover (protocol 0.2)."""
        rota = self.rota(tx)
        if not rota.shifts and not rota.overrides:
            return "covered" if self._declared else "no_cover"
        if not rota.on_duty("on_call", now):
            return "no_cover"
        return "in_hours" if self.policy.hours.working(now, rota.holidays) else "covered"

    def barred(self, tx: Transaction, patient: Patient, alert: Alert) -> frozenset[int]:
        """Who must not learn of this alert: the patient's restricted staff, in a complaint about the clinic the coach
        too, and everyone whom one of those supervises. Source: protocol 6.5.4.
        """
        named = set(patient.restricted_staff)
        if alert.boundary and patient.coach_id is not None:
            named.add(patient.coach_id)
        supervisors = tx.supervisors()
        below = {member for member, boss in supervisors.items() if boss in named}
        while not below <= named:
            named |= below
            below = {member for member, boss in supervisors.items() if boss in named}
        return frozenset(named)

    def recipients(
        self, tx: Transaction, alert: Alert, patient: Patient, target: str, now: datetime
    ) -> tuple[list[StaffMember], str]:
        """Who a target reaches now, and the target that was used: where no one holds it, the fallbacks in order."""
        barred, rota = self.barred(tx, patient, alert), self.rota(tx)
        allowed = [member for member in tx.staff() if member.id not in barred]
        for tried in (target, *self.policy.fallbacks.get(target, ())):
            found = self._holders(tried, allowed, rota, patient, now)
            if found and not (alert.boundary and tried not in BOUNDARY_DUTIES):
                return found, tried
        if alert.boundary:  # on leave is better than no one, and no one else may know
            for duty in BOUNDARY_DUTIES:
                away = [member for member in allowed if member.id in rota.ever_on(duty)]
                if away:
                    return away, duty
        return [], target

    def _holders(
        self, target: str, allowed: Sequence[StaffMember], rota: Rota, patient: Patient, now: datetime
    ) -> list[StaffMember]:
        if target in DUTIES:
            on_duty = rota.on_duty(target, now)
            return [member for member_id in on_duty for member in allowed if member.id == member_id]
        if target == "clinical_lead":
            return [member for member in allowed if "clinical_lead" in member.roles]
        if target == "coach":
            return [member for member in allowed if member.id == patient.coach_id]
        return [member for member in allowed if member.roles & RESPONDERS]

    # --- when ---

    def plan(self, alert: Alert) -> Plan:
        """The alert's plan at its present level."""
        return self.policy.plan(alert.level, alert.categories, alert.subtype, alert.phase)

    def next_step(self, alert: Alert, holidays: frozenset[date]) -> tuple[datetime | None, tuple[str, ...]]:
        """When the next people are tried and who they are, unless someone acknowledges; (None, ()) for no one."""
        if alert.status is not AlertStatus.open:
            return None, ()
        plan = self.plan(alert)
        moment = step_at(plan, self.policy.begins_at(plan, alert.counts_from, holidays), alert.steps_taken)
        return moment, () if moment is None else next_targets(plan, alert.steps_taken)

    def look_at(self, tx: Transaction, alert: Alert, patient: Patient) -> Alert:
        """Do all that time asks of an alert by now, write down when to look again, and return the alert.

        1. An acknowledgement that nothing followed ends, and paging begins again.
        2. Every target of the steps due by now is notified once, however long nobody looked.
        3. The patient of an emergency that no one has confirmed is told so.
        """
        now = self._clock()
        if alert.status is AlertStatus.acknowledged and alert.hold_until is not None and now >= alert.hold_until:
            alert = self._end_hold(tx, alert, now)
        if alert.status is AlertStatus.open:
            alert = self._take_steps(tx, alert, patient, now)
            self._tell_unseen(tx, alert, now)
        alert = replace(alert, due_at=self._look_again(tx, alert, now))
        tx.put_alert(alert)
        return alert

    def _end_hold(self, tx: Transaction, alert: Alert, now: datetime) -> Alert:
        detail = {"held_by": alert.acknowledged_by}
        tx.add_alert_event(alert.id, AlertEvent(at=now, kind="acknowledgement_ended", actor_id=None, detail=detail))
        tx.audit("system", "alert.acknowledgement_ended", alert.id, now, held_by=alert.acknowledged_by)
        return reopened(alert, now)

    def _take_steps(self, tx: Transaction, alert: Alert, patient: Patient, now: datetime) -> Alert:
        plan = self.plan(alert)
        began = self.policy.begins_at(plan, alert.counts_from, self.rota(tx).holidays)
        taken, targets = targets_due(plan, began, alert.steps_taken, now)
        reached: set[int] = set()
        for target in targets:
            self.page(tx, alert, patient, target, now, reached)
        return replace(alert, steps_taken=taken)

    def page(
        self, tx: Transaction, alert: Alert, patient: Patient, target: str, now: datetime, reached: set[int]
    ) -> bool:
        """Owe a notification to everyone a target reaches, but those in `reached`. Records it where no one holds it."""
        members, used = self.recipients(tx, alert, patient, target, now)
        if used != target or not members:
            instead = {"target": target, "instead": used if members else None}
            tx.add_alert_event(alert.id, AlertEvent(at=now, kind="no_one_on_duty", actor_id=None, detail=instead))
            tx.audit("system", "alert.no_one_on_duty", alert.id, now, **instead)
        if not members:
            self.alarm(tx, "no_one_permitted", now)
            return False
        fresh = [member for member in members if member.id not in reached]
        for member in fresh:
            self.notify(tx, alert, member, used, now)
        reached |= {member.id for member in fresh}
        detail = {"target": target, "recipients": [member.id for member in members]}
        tx.add_alert_event(alert.id, AlertEvent(at=now, kind="step", actor_id=None, detail=detail))
        return True

    def notify(
        self, tx: Transaction, alert: Alert, member: StaffMember, target: str, now: datetime, *, kind: str = "alert"
    ) -> None:
        """Owe one person a notification on each of their channels, each after its own delay.

        A channel that still has one to send is not given a second.
        """
        channels = tx.channels(member.id)
        if not channels and not tx.owes(alert.id, member.id, 0):
            tx.owe(alert.id, member.id, target, now, now=now, kind=kind)
        for place, channel in enumerate(channels):
            if not tx.owes(alert.id, member.id, place):
                due = now + timedelta(seconds=channel.delay_seconds)
                tx.owe(alert.id, member.id, target, due, now=now, kind=kind, channel_id=channel.id, place=place)

    def move_on(self, tx: Transaction, alert: Alert, patient: Patient, now: datetime) -> bool:
        """Page the next people of the plan at once who were not tried yet. Returns whether there were any."""
        tried = {row["recipient_id"] for row in tx.deliveries(alert.id)}
        plan = self.plan(alert)
        later = [step.target for step in plan.steps[alert.steps_taken :]]
        for target in dict.fromkeys((*later, *plan.repeat_targets, *self.policy.fallbacks.get("on_call", ()))):
            members, _ = self.recipients(tx, alert, patient, target, now)
            if any(member.id not in tried for member in members):
                return self.page(tx, alert, patient, target, now, set(tried))
        return False

    def _tell_unseen(self, tx: Transaction, alert: Alert, now: datetime) -> None:
        if self._unseen_at(alert) is not None and now >= alert.level_at + self.policy.unseen_told:
            self._telling.say_once(
                tx,
                alert.id,
                alert.patient_id,
                "safety_shared.no_ack_10min",
                now,
                expectation=self.expectation(tx, now),
            )

    def _unseen_at(self, alert: Alert) -> datetime | None:
        grave = alert.level is Level.emergency and not alert.drill and alert.status is AlertStatus.open
        return alert.level_at + self.policy.unseen_told if grave else None

    def _look_again(self, tx: Transaction, alert: Alert, now: datetime) -> datetime | None:
        if alert.status is AlertStatus.resolved:
            return None
        if alert.status is AlertStatus.acknowledged:
            return alert.hold_until
        moment, _ = self.next_step(alert, self.rota(tx).holidays)
        unseen = self._unseen_at(alert)
        moments = [m for m in (moment, unseen if unseen is not None and unseen > now else None) if m is not None]
        return min(moments, default=None)

    # --- about the program itself ---

    def alarm(self, tx: Transaction, about: str, now: datetime) -> None:
        """Tell the leads and administrators that the program cannot do its work; the same thing once an hour."""
        last = tx.last_alarm(about)
        if last is not None and now - last < ALARM_AGAIN:
            return
        staff = [member for member in tx.staff() if member.roles & {"clinical_lead", "administrator"}]
        for member in staff or [member for member in tx.staff() if member.roles & RESPONDERS]:
            tx.owe(None, member.id, "alarm", now, now=now, kind="alarm", about=about)
        tx.audit("system", "alarm.raised", about, now)


def reopened(alert: Alert, now: datetime) -> Alert:
    """The alert, open and paged from the beginning again."""
    return replace(
        alert,
        status=AlertStatus.open,
        paging_since=now,
        steps_taken=0,
        hold_until=None,
        acknowledged_by=None,
        acknowledged_at=None,
        resolved_by=None,
        resolved_at=None,
        outcome=None,
    )
