"""How long a coach waits: the digest of a patient with 10,000 answers, and a caseload of 500 patients.

Run as `python -m bench.digest`. It makes invented people in a temporary folder and prints the median of five tries.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from bot.core.digest.window import WindowChoice
from bot.core.journal import Entry, EntryLine, Visibility
from bot.core.journeys import Route
from bot.supervisor.demo_clinic import Person, Writer
from tests.web.desk import Desk

ANSWERS, PATIENTS, TRIES = 10_000, 500, 5


def main() -> None:
    """Make the people, measure, print."""
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder))
        made = _many_answers(desk)
        _many_patients(desk)
        client = desk.client("Mo")
        choice = WindowChoice(name="all")
        page = f"/coach/patients/{desk.patient_id}?since=all"
        digests, coach = desk.app.digests, desk.coach
        _say(f"digest of {made} answers, computed", lambda: digests.patient_page(coach, desk.patient_id, choice))
        _say(f"digest of {made} answers, whole page", lambda: client.get(page))
        _say(f"caseload of {PATIENTS} patients, whole page", lambda: client.get("/coach/?sort=quiet"))
        desk.app.database.dispose()


def _say(what: str, run: Callable[[], object]) -> None:
    wall, processor = [], []
    run()
    for _ in range(TRIES):
        begin = time.perf_counter(), time.process_time()
        run()
        wall.append(time.perf_counter() - begin[0])
        processor.append(time.process_time() - begin[1])
    median = statistics.median
    print(f"{what}: {median(wall):.3f} s, of which processor {median(processor):.3f} s (median of {TRIES})", flush=True)


def _many_answers(desk: Desk) -> int:
    writer, made, at = Writer(desk.app.library), 0, desk.clock() - timedelta(days=1)
    person = Person(rnd=random.Random("plum"), parts=list(writer.words["parts"]))  # noqa: S311
    with desk.app.uow() as tx:
        while made < ANSWERS:
            _, rows = writer.sitting(person, "open_integration")
            lines = writer.lines(rows)
            tx.put_entry(_entry(desk.patient_id, lines, at))
            made, at = made + len(lines), at - timedelta(hours=9)
    return made


def _many_patients(desk: Desk) -> None:
    line = (EntryLine(field="glimmers", label="A small good thing", step="gl_find", text="sun on the mug"),)
    for number in range(PATIENTS - 1):
        invited = desk.app.access.invite(first_name="Ada", last_name=f"Elm{number}", coach_id=desk.coach.id)
        ended = desk.clock() - timedelta(days=number % 40)
        times = {"dose_ended_at": ended, "discharged_at": ended}
        desk.app.access.schedule_journey(invited.patient_id, Route.sublingual, ended, **times)
        with desk.app.uow() as tx:
            for days in range(30):
                tx.put_entry(_entry(invited.patient_id, line, desk.clock() - timedelta(days=days)))


def _entry(patient_id: str, lines: tuple[EntryLine, ...], at: datetime) -> Entry:
    return Entry(
        id=uuid.uuid4().hex,
        patient_id=patient_id,
        sitting_id=uuid.uuid4().hex,
        phase="open_integration",
        visibility=Visibility.shared,
        practices=("arrive",),
        lines=lines,
        created_at=at,
        shared_at=at,
    )


if __name__ == "__main__":
    main()
