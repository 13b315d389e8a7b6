"""`kill -9` of writers and workers at any point of the path, and a count of what was lost: nothing.

KAT_CRASH_ROUNDS sets how often a process is killed (40 by default; some thousands overnight).
"""

from __future__ import annotations

import os
import random
import re
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.escalation import AlertStatus
from tests.escalation.conftest import Clinic
from tests.running import wait_until

ROUNDS = int(os.environ.get("KAT_CRASH_ROUNDS", "40"))
PATIENTS = 8


@pytest.mark.timeout(1800)
def test_nothing_is_lost_whatever_is_killed_whenever(tmp_path: Path) -> None:
    clinic = Clinic(tmp_path, workers=2)
    try:
        chosen = random.Random(20261124)
        patients = [clinic.patient() for _ in range(PATIENTS)]
        acknowledged = tmp_path / "acknowledged"
        acknowledged.touch()
        writers = [clinic.spawn("writer", patients[n].id, str(acknowledged)) for n in range(2)]
        killed_workers = 0
        for number in range(ROUNDS):
            size = acknowledged.stat().st_size
            wait_until(lambda size=size: acknowledged.stat().st_size > size, 120, "a message being kept")
            time.sleep(chosen.uniform(0.0, 0.4))
            if chosen.random() < 0.5:
                clinic.kill(clinic.workers.pop(0))
                clinic.workers.append(clinic.spawn("worker"))
                killed_workers += 1
            else:
                clinic.kill(writers.pop(0))
                writers.append(clinic.spawn("writer", patients[number % PATIENTS].id, str(acknowledged)))
        for writer in writers:
            clinic.kill(writer)
        clinic.move(seconds=61)  # claims of the dead run out
        clinic.move(minutes=2)

        def all_notified() -> bool:
            with clinic.app.uow() as tx:
                oldest = tx.oldest_owed(clinic.app.clock())
            return oldest is None or clinic.app.clock() - oldest < timedelta(seconds=5)

        wait_until(all_notified, 120, "every owed notification")
        clinic.settle()
        told = acknowledged.read_text().split()
        missing = lost = never = 0
        with clinic.app.uow() as tx:
            alerts = {patient.id: tx.alerts(patient_id=patient.id) for patient in patients}
            raised = {
                str(event.detail.get("message"))
                for group in alerts.values()
                for alert in group
                for event in tx.alert_events(alert.id)
            }
            for client_id in told:
                kept = [m for p in patients if (m := tx.message_of_client(p.id, client_id)) is not None]
                missing += not kept
                lost += bool(kept) and kept[0].id not in raised
            sent_rows = 0
            for group in alerts.values():
                for alert in group:
                    sent = [row for row in tx.deliveries(alert.id) if row["sent_at"] is not None]
                    sent_rows += len(sent)
                    never += not sent and alert.status is AlertStatus.open
            chain = tx.verify_audit()
        received = Counter(re.findall(r"alerts/(\w+)/", " ".join(body for _, _, body in clinic.box.received)))
        duplicates = sum(received.values()) - sent_rows
        print(f"acknowledged {len(told)}, missing {missing}, alerts lost {lost}, never notified {never}, "
              f"notifications {sent_rows}, duplicates {duplicates}, workers killed {killed_workers} of {ROUNDS}")  # fmt: skip
        assert told
        assert (missing, lost, never, chain) == (0, 0, 0, None)
        assert 0 <= duplicates <= killed_workers * 3  # at most what the dead had in their hands: three senders each
    finally:
        clinic.stop()
