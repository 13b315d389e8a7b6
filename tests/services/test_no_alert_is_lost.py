"""Whatever happens in whatever order, an alert that no named person has closed goes on reaching someone."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bot.core.escalation import AlertStatus
from bot.core.people import StaffMember
from bot.core.safety.verdict import Level
from bot.services.ports import SendFailed
from tests import builders
from tests.builders import MovableClock, Outbox

LEVELS = st.sampled_from([Level.urgent, Level.emergency])
CATEGORIES = st.sampled_from(["suicide", "medical", "abuse", "human_request"])
NAMES = st.sampled_from(["Noor", "Ola", "Lee", "Max", "Sage", "Mia"])
NIGHTS = int(os.environ.get("KAT_NIGHTS", "5"))  # invented nights per run; thousands where there is time
LONGEST_PAUSE = timedelta(minutes=130)  # an acknowledgement's hour, then the longest pause of any plan


class ANight(RuleBasedStateMachine):
    """Disclosures, failures, acknowledgements, changes of the rota and restrictions, in any order."""

    @initialize()
    def begin(self) -> None:
        self.clock, self.outbox = MovableClock(), Outbox()
        self.folder = tempfile.TemporaryDirectory()
        self.app = builders.application(Path(self.folder.name), self.clock, self.outbox)
        self.staff = builders.clinic_staff(self.app)
        self.patient_id = builders.patient(self.app).id

    def teardown(self) -> None:
        if hasattr(self, "app"):
            self.app.database.dispose()
            self.folder.cleanup()

    @rule(level=LEVELS, category=CATEGORIES, boundary=st.booleans())
    def disclose(self, level: Level, category: str, boundary: bool) -> None:
        subtype = "clinic_boundary" if boundary and category == "abuse" else None
        with self.app.uow() as tx:
            patient = tx.patient(self.patient_id)
            assert patient is not None
            self.app.escalation.raise_alert(
                tx, patient, level=level, categories=(category,), reason="test", subtype=subtype
            )

    @rule(minutes=st.integers(0, 90), worker=st.sampled_from(["w1", "w2"]))
    def go_round(self, minutes: int, worker: str) -> None:
        self.clock.move(minutes=minutes)
        self.app.delivery.run_once(worker)

    @rule(
        failure=st.sampled_from(
            [None, SendFailed("not_accepted", permanent=False), SendFailed("address", permanent=True)]
        )
    )
    def break_or_mend_the_channels(self, failure: SendFailed | None) -> None:
        self.outbox.broken = failure

    @rule()
    def a_worker_dies_with_a_row_in_its_hands(self) -> None:
        with self.app.uow() as tx:
            tx.claim("dead", self.clock(), self.clock() + timedelta(seconds=60), 1)

    @rule(name=NAMES, note=st.booleans())
    def someone_acknowledges(self, name: str, note: bool) -> None:
        for view in self.app.escalation.board(self.staff[name]):
            self.app.escalation.acknowledge(view.alert.id, self.staff[name])
            if note:
                self.app.escalation.note(view.alert.id, self.staff[name], "rang")

    @rule(name=NAMES, days=st.integers(0, 2))
    def someone_is_away(self, name: str, days: int) -> None:
        today = self.clock().date()
        self.app.rota.day_off(
            None, first_day=today, last_day=today + timedelta(days=days), member_id=self.staff[name].id
        )

    @rule(name=st.sampled_from(["Noor", "Ola", "Mia"]))
    def someone_is_restricted(self, name: str) -> None:
        with self.app.uow() as tx:
            patient = tx.patient(self.patient_id)
            assert patient is not None
            tx.put_patient(replace(patient, restricted_staff=(self.staff[name].id,)))

    @invariant()
    def every_open_alert_is_looked_at_again(self) -> None:
        if not hasattr(self, "app"):
            return
        with self.app.uow() as tx:
            for alert in tx.alerts(unresolved=True):
                assert alert.due_at is not None
                assert alert.due_at <= self.clock() + LONGEST_PAUSE

    @rule()
    def with_working_channels_every_alert_reaches_someone_who_may_know(self) -> None:
        self.outbox.broken = None
        with self.app.uow() as tx:
            waiting = [alert.id for alert in tx.alerts(unresolved=True)]
            patient = tx.patient(self.patient_id)
        assert patient is not None
        self.outbox.sent.clear()
        for _ in range(int(LONGEST_PAUSE.total_seconds() // 60 // 13) + 1):
            self.clock.move(minutes=13)
            self.app.delivery.run_once("w1")
        told = " ".join(body for _, subject, body in self.outbox.sent if "journal alert" in subject)
        for alert_id in waiting:
            assert alert_id in told
        restricted = {self._email(member_id) for member_id in patient.restricted_staff}
        assert not restricted & {address for address, subject, _ in self.outbox.sent if "journal alert" in subject}
        with self.app.uow() as tx:
            assert all(alert.status is not AlertStatus.resolved for alert in tx.alerts())

    def _email(self, member_id: int) -> str:
        found: StaffMember = next(member for member in self.staff.values() if member.id == member_id)
        return found.email


ANight.TestCase.settings = settings(
    max_examples=NIGHTS, stateful_step_count=10, deadline=None, suppress_health_check=list(HealthCheck)
)
TestANight = ANight.TestCase
