"""The digest of an invented clinic, number by number, against a computation of its own that reads the raw lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.bootstrap import Application
from bot.core.digest.records import Digest
from bot.core.digest.window import WindowChoice
from bot.core.journal import Entry, Visibility
from bot.core.people import StaffMember
from bot.services.digests import PatientView
from bot.supervisor.demo_clinic import DemoClinic, DemoClock
from tests import builders

ZONE = ZoneInfo("America/Los_Angeles")
PATIENTS, WEEKS = 6, 8


class Clinic:
    """The invented clinic, its coach and the raw entries of each patient."""

    def __init__(self, folder: Path) -> None:
        clock = DemoClock(builders.NOON)
        self.app: Application = builders.application(folder, clock, builders.Outbox())  # type: ignore[arg-type]
        self.coach: StaffMember = builders.staff_member(self.app, "Mo", "coach")
        self.patients = DemoClinic(self.app, clock, self.coach).make(PATIENTS, WEEKS)

    def view(self, patient_id: str, name: str) -> PatientView:
        return self.app.digests.patient_page(self.coach, patient_id, WindowChoice(name=name))

    def raw(self, patient_id: str, view: PatientView) -> list[Entry]:
        """The shared entries of the window, oldest first, straight from the store."""
        with self.app.uow() as tx:
            entries = tx.entries(patient_id)
        window = view.digest.header.window
        since = window.since or datetime.min.replace(tzinfo=ZONE)
        found = [e for e in entries if e.visibility is Visibility.shared and since <= e.created_at < window.until]
        return sorted(found, key=lambda e: (e.created_at, e.id))


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    made = Clinic(tmp_path_factory.mktemp("clinic"))
    yield made
    made.app.database.dispose()


def texts(entries: list[Entry], field: str) -> list[str]:
    return [line.text for entry in entries for line in entry.lines if line.field == field]


def middle(values: list[int]) -> float:
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def cases(clinic: Clinic) -> Iterator[tuple[PatientView, Digest, list[Entry]]]:
    for patient_id in clinic.patients:
        for name in ("all", "journey", "session"):
            view = clinic.view(patient_id, name)
            yield view, view.digest, clinic.raw(patient_id, view)


def test_the_header_counts_what_is_shared_private_and_missing(clinic: Clinic) -> None:
    for view, digest, entries in cases(clinic):
        head, window = digest.header, digest.header.window
        with clinic.app.uow() as tx:
            every = tx.entries(view.patient.id)
        inside = [e for e in every if (window.since is None or e.created_at >= window.since)]
        assert head.shared == len(entries)
        assert head.private == sum(e.visibility in (Visibility.private, Visibility.draft) for e in inside)
        last = builders.NOON.astimezone(ZONE).date()
        first = window.since.astimezone(ZONE).date() if window.since else min(
            (e.created_at.astimezone(ZONE).date() for e in entries), default=None
        )  # fmt: skip
        days = [] if first is None else [first + timedelta(days=n) for n in range((last - first).days + 1)]
        written = {e.created_at.astimezone(ZONE).date() for e in entries}
        assert head.days == len(days)
        assert head.days_without == sum(day not in written for day in days)
        done = [j for j in view.journeys if j.dose_ended_at is not None and j.dose_ended_at <= builders.NOON]
        assert head.journeys_completed == len(done)
        newest = max(j.dose_ended_at for j in done if j.dose_ended_at)
        assert head.days_since_journey == (builders.NOON - newest) // timedelta(days=1)


@pytest.mark.parametrize(("field", "end"), [("state.activation_start", False), ("state.activation_end", True)])
def test_medians_and_ranges_are_over_entries_with_the_rating(clinic: Clinic, field: str, end: bool) -> None:
    for _, digest, entries in cases(clinic):
        values = [int(text) for text in texts(entries, field)]
        spread = digest.state.end if end else digest.state.start
        if not values:
            assert spread is None
            continue
        assert spread is not None
        assert (spread.n, spread.lowest, spread.highest) == (len(values), min(values), max(values))
        assert spread.median == middle(values)
        assert list(spread.last) == values[-3:]


def test_ladder_feelings_themes_and_presence_are_plain_counts(clinic: Clinic) -> None:
    for _, digest, entries in cases(clinic):
        assert {c.name: c.count for c in digest.state.ladder} == Counter(texts(entries, "state.ladder"))
        assert [row.value for row in digest.state.presence] == [int(t) for t in texts(entries, "state.presence")]
        for field, counted in (("recall.feelings", digest.feelings), ("insight.themes", digest.themes)):
            picked = Counter(label for text in texts(entries, field) for label in text.split(", "))
            assert {c.name: c.count for c in counted} == picked


def test_settling_pairs_are_the_ratings_around_each_round(clinic: Clinic) -> None:
    for _, digest, entries in cases(clinic):
        pairs = [re.fullmatch(r"(.+): (\d+) → (\d+)", text) for text in texts(entries, "settling")]
        rounds = [(m[1], int(m[2]), int(m[3])) for m in pairs if m]
        assert sorted((s.name, r.before, r.after) for s in digest.settling for r in s.rounds) == sorted(rounds)
        for found in digest.settling:
            assert found.after is not None
            assert found.after.median == middle([after for name, _, after in rounds if name == found.name])


def test_the_body_counts_places_and_the_words_used_there(clinic: Clinic) -> None:
    fields = ("state.body_note", "recall.sensations", "body.spot", "glimmer_body")
    for _, digest, entries in cases(clinic):
        named: Counter[str] = Counter()
        said: Counter[tuple[str, str]] = Counter()
        for text in (text for field in fields for text in texts(entries, field)):
            for piece in text.split("; "):
                place, word = piece.split(": ")
                named[place] += 1
                said[place, word] += 1
        assert {place.name: place.count for place in digest.body} == named
        assert {(p.name, w.name): w.count for p in digest.body for w in p.words} == said


def test_a_part_counts_once_a_sitting_and_keeps_its_last_words(clinic: Clinic) -> None:
    for _, digest, entries in cases(clinic):
        sittings: dict[str, set[str]] = {}
        status: dict[str, str] = {}
        job: dict[str, str] = {}
        for entry in entries:
            lines = {line.field: line.text for line in entry.lines}
            if "part.name" in lines:
                sittings.setdefault(lines["part.name"], set()).add(entry.sitting_id)
                job |= {lines["part.name"]: lines["part.job"]} if "part.job" in lines else {}
            if "revisit.part_name" in lines and "revisit.part_status" in lines:
                status[lines["revisit.part_name"]] = lines["revisit.part_status"]
        assert {p.name: p.times for p in digest.parts if p.times} == {n: len(s) for n, s in sittings.items()}
        assert {p.name: p.status.text for p in digest.parts if p.status} == status
        assert {p.name: said.text for p in digest.parts if (said := p.latest("job"))} == job


def test_steps_are_counted_by_their_current_status(clinic: Clinic) -> None:
    words = {"I did it": "done", "Partly": "partly", "It didn't happen": "not done", "I forgot about it": "forgotten",
             "It no longer fits": "no longer fits"}  # fmt: skip
    for patient_id in clinic.patients:
        digest = clinic.view(patient_id, "all").digest
        entries = clinic.raw(patient_id, clinic.view(patient_id, "all"))
        current: dict[str, str] = {}
        newest: dict[str, str] = {}
        for entry in entries:
            lines = {line.field: line.text for line in entry.lines}
            if "step.text" in lines:
                newest[lines["step.text"]] = entry.id
                current[entry.id] = "open"
            if lines.get("revisit.step") in newest:
                told = words[lines["revisit.step_status"]]
                let_go = lines.get("revisit.step_next") == "Let it go" and told != "done"
                current[newest[lines["revisit.step"]]] = "let go" if let_go else told
        assert {c.name: c.count for c in digest.follow_through} == Counter(current.values())
        assert len(digest.steps) == len(current)


def test_repeated_words_are_in_three_entries_and_counted_raw(clinic: Clinic) -> None:
    for _, digest, entries in cases(clinic):
        for found in digest.repeated:
            pattern = re.compile(rf"(?<![\w'’]){re.escape(found.name)}(?:'s|’s)?(?![\w'’])", re.I)
            quoted = {
                "revisit.step",
                "revisit.part_name",
                "revisit.intention",
                "insight.thread",
                "part.name",
                "step.source",
            }
            free = [
                (entry.id, len(pattern.findall(line.text)))
                for entry in entries
                for line in entry.lines
                if line.field not in quoted and not line.field.startswith(("state.ladder", "recall.feel", "settling"))
                and line.field not in ("state.body_note", "recall.sensations", "body.spot", "glimmer_body", "part.place",
                    "part.feel_toward", "part.type_by_patient", "part.bring_to_coach", "insight.themes",
                    "insight.certainty", "letter.handling", "revisit.step_status", "revisit.step_next",
                    "revisit.part_status")
            ]  # fmt: skip
            assert found.count == sum(n for _, n in free), found.name
            assert len({entry for entry, n in free if n}) >= 3
        assert len(digest.repeated) <= 10


def test_glimmers_recall_and_letters_are_verbatim(clinic: Clinic) -> None:
    for _, digest, entries in cases(clinic):
        newest_first = list(reversed(entries))
        for field, shown in (
            ("glimmers", digest.glimmers),
            ("letter.share", digest.to_know),
            ("letter.hard_to_say", digest.hard_to_say),
        ):
            assert [said.text for said in shown] == texts(newest_first, field)
        images = [said.text for row in digest.recall for label, said in row.said if label == "Images"]
        assert images == texts(newest_first, "recall.images")


def test_every_line_leads_back_to_the_very_words(clinic: Clinic) -> None:
    for view, digest, _ in cases(clinic):
        entries = {entry.id: entry for entry in view.entries}
        said = [*digest.glimmers, *digest.to_know, *(step.said for step in digest.steps)]
        said += [words for part in digest.parts for visit in part.visits for words in visit.said.values()]
        said += [words for row in digest.recall for _, words in row.said]
        for words in said:
            line = entries[words.source.entry_id].lines[words.source.line]
            assert (line.text, line.step) == (words.text, words.source.step)
        for question in digest.questions:
            assert question.source is not None
            assert entries[question.source.entry_id].lines[question.source.line].text == question.text
