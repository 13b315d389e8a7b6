"""What the worker watches besides alerts: the daily drill, cover in the days ahead, journals that stay held back."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from bot.core.drills import ARRIVES_WITHIN, Drill, is_due, is_missing
from bot.core.escalation import Alert, AlertEvent, AlertStatus
from bot.core.people import Patient
from bot.core.policy import Policy
from bot.core.safety.verdict import AssessmentContext, Level
from bot.services.escalation import EscalationService
from bot.services.ports import Assessor, Clock, Transaction, UnitOfWork

DRILL_WORDS = "I'm going to kill myself tonight"  # a sentence that has to be found; it is never shown to anyone
COVER_AHEAD = timedelta(hours=48)
FIRST_START = "first_start"


@dataclass(frozen=True, kw_only=True)
class DrillState:
    """How drills stand: for readiness and the board."""

    last_arrived_at: datetime | None
    missing: bool


class WatchService:
    """Looks ahead and behind, and raises alarms about the program itself."""

    def __init__(
        self,
        uow: UnitOfWork,
        clock: Clock,
        policy: Policy,
        escalation: EscalationService,
        assessor: Assessor,
        drill_at: time,
    ) -> None:
        self._uow, self._clock, self._policy = uow, clock, policy
        self._escalation, self._assessor, self._drill_at = escalation, assessor, drill_at

    def watch(self) -> None:
        """One round: begin the drill that is due, follow the one under way, look at cover and at held journals."""
        now, zone = self._clock(), self._policy.hours.zone
        with self._uow() as tx:
            begun = self._installed_at(tx, now)
            due = is_due(tx.drills(), begun, now, self._drill_at, zone)
        if due:
            self.start_drill(only_if_due=True)
        self.follow_drills()
        with self._uow() as tx:
            if is_missing(tx.drills(), begun, now, self._drill_at, zone):
                self._escalation.paging.alarm(tx, "drill_missing", now)
            self._look_ahead(tx, now)
            self._remind_of_held_journals(tx, now)

    # --- drills ---

    def start_drill(self, *, only_if_due: bool = False) -> Drill | None:
        """Send a marked test through the whole path: assessed, alerted on, paged. Returns the drill under way.

        With `only_if_due`, None when another worker began today's first.
        """
        now = self._clock()
        verdict = self._assessor.assess(DRILL_WORDS, AssessmentContext())
        with self._uow() as tx:
            tx.exclusive()
            begun = self._installed_at(tx, now)
            if only_if_due and not is_due(tx.drills(), begun, now, self._drill_at, self._policy.hours.zone):
                return None
            patient = self._invented_patient(tx, now)
            alert = self._escalation.raise_alert(
                tx,
                patient,
                level=verdict.level if verdict.level > Level.none else Level.emergency,
                categories=tuple(category.value for category in verdict.categories),
                reason="drill",
                version=verdict.version,
                drill=True,
            )
            failed = None if verdict.level is Level.emergency else now  # the words were not found: that is the failure
            drill = Drill(id=uuid.uuid4().hex, alert_id=alert.id, started_at=now, failed_at=failed)
            tx.put_drill(drill)
            tx.audit("system", "drill.started", drill.id, now)
        return drill

    def follow_drills(self) -> None:
        """Close a drill that arrived, and one that did not arrive in time."""
        now = self._clock()
        with self._uow() as tx:
            for drill in tx.drills():
                if drill.arrived_at is not None or drill.failed_at is not None:
                    continue
                sent = [row["sent_at"] for row in tx.deliveries(drill.alert_id) if row["sent_at"] is not None]
                if sent:
                    self._close(tx, replace(drill, arrived_at=min(sent)), now)
                elif now - drill.started_at > ARRIVES_WITHIN:
                    self._close(tx, replace(drill, failed_at=now), now)

    def drill(self, drill_id: str) -> Drill | None:
        """One drill as it stands."""
        with self._uow() as tx:
            return next((drill for drill in tx.drills() if drill.id == drill_id), None)

    def drill_state(self) -> DrillState:
        """When a drill last arrived, and whether one is missing."""
        now = self._clock()
        with self._uow() as tx:
            drills, first = tx.drills(), tx.last_beat(FIRST_START)
        arrived = [drill.arrived_at for drill in drills if drill.arrived_at is not None]
        missing = first is not None and is_missing(drills, first, now, self._drill_at, self._policy.hours.zone)
        return DrillState(last_arrived_at=max(arrived, default=None), missing=missing)

    def _close(self, tx: Transaction, drill: Drill, now: datetime) -> None:
        tx.put_drill(drill)
        alert = tx.alert(drill.alert_id, lock=True)
        assert alert is not None
        tx.put_alert(replace(alert, status=AlertStatus.resolved, resolved_at=now, outcome="drill", due_at=None))
        tx.drop_waiting(alert.id)
        name = "drill.arrived" if drill.arrived_at is not None else "drill.failed"
        tx.add_alert_event(alert.id, AlertEvent(at=now, kind=name.replace(".", "_"), actor_id=None))
        tx.audit("system", name, drill.id, now)
        if drill.arrived_at is None:
            self._escalation.paging.alarm(tx, "drill_missing", now)

    def _invented_patient(self, tx: Transaction, now: datetime) -> Patient:
        known = next((p for p in tx.patients() if p.flags.get("drill")), None)
        if known is not None:
            return known
        invented = Patient(
            id=uuid.uuid4().hex,
            conversation_id=uuid.uuid4().hex,
            first_name="Test",
            last_name="Drill",
            phone="",
            coach_id=None,
            time_zone=self._policy.hours.zone.key,
            created_at=now,
            flags={"drill": True},
        )
        tx.add_patient(invented)
        return invented

    def _installed_at(self, tx: Transaction, now: datetime) -> datetime:
        first = tx.last_beat(FIRST_START)
        if first is None:
            tx.beat(FIRST_START, now)
        return first or now

    # --- the days ahead, and journals held back ---

    def _look_ahead(self, tx: Transaction, now: datetime) -> None:
        rota = self._escalation.paging.rota(tx)
        if (rota.shifts or rota.overrides) and rota.gaps("on_call", now, now + COVER_AHEAD):
            self._escalation.paging.alarm(tx, "no_cover", now)

    def _remind_of_held_journals(self, tx: Transaction, now: datetime) -> None:
        """A journal that no one has cleared for a day reminds the clinical lead, daily (protocol 6.6, R2)."""
        for alert in tx.alerts(since=now - timedelta(days=60)):
            if alert.restricts and now - self._last_reminder(tx, alert) >= self._policy.uncleared_reminder:
                self._remind(tx, alert, now)

    def _last_reminder(self, tx: Transaction, alert: Alert) -> datetime:
        times = [row["created_at"] for row in tx.deliveries(alert.id) if row["kind"] == "reminder"]
        return max(times, default=alert.level_at)

    def _remind(self, tx: Transaction, alert: Alert, now: datetime) -> None:
        patient = tx.patient(alert.patient_id)
        assert patient is not None
        paging = self._escalation.paging
        target = "safeguarding" if alert.boundary else "clinical_lead"
        members, used = paging.recipients(tx, alert, patient, target, now)
        for member in members:
            paging.notify(tx, alert, member, used, now, kind="reminder")
        if members:
            event = AlertEvent(at=now, kind="reminded", actor_id=None, detail={"target": used})
            tx.add_alert_event(alert.id, event)
