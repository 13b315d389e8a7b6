"""The invented clinic: the same seed and day give the same people and words, another seed gives others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.core.digest.window import WindowChoice
from bot.supervisor.demo_clinic import DemoClinic, DemoClock
from tests import builders

PATIENTS, WEEKS = 2, 4


def made(folder: Path, seed: str) -> list[Any]:
    """All that a coach reads of the clinic, but for the ids that only tell records apart."""
    clock = DemoClock(builders.NOON)
    app = builders.application(folder, clock, builders.Outbox())  # type: ignore[arg-type]
    coach = builders.staff_member(app, "Mo", "coach")
    found: list[Any] = []
    for patient_id in DemoClinic(app, clock, coach, seed=seed).make(PATIENTS, WEEKS):
        view = app.digests.patient_page(coach, patient_id, WindowChoice(name="all"))
        questions = tuple(replace(question, id="") for question in view.digest.questions)
        dates = [(journey.scheduled_at, journey.route) for journey in view.journeys]
        notes = [(note.text, note.at) for note in view.notes]
        entries = [(entry.id, entry.created_at, entry.lines) for entry in view.entries]
        found.append((view.patient.first_name, replace(view.digest, questions=questions), dates, notes, entries))
    app.database.dispose()
    return found


def test_the_same_seed_and_day_give_the_same_clinic(tmp_path: Path) -> None:
    first, again, other = (made(tmp_path / name, name[:4]) for name in ("plum", "plum-again", "pear"))
    assert first == again
    assert first != other
    assert all(entries for *_, entries in first)
