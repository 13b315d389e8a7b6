"""A whole invented clinic for trying the coach's desk: the same seed and day give the same people and entries.

People, consent, journeys, sessions, reviews, notes, answers and alerts go through the services as at work. The entries
are put on record as a sitting leaves them, with the fields, labels and order of the authored content.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from bot.bootstrap import Application
from bot.core.flow.content import Library
from bot.core.journal import Entry, EntryLine, Visibility
from bot.core.journeys import Route, timeline
from bot.core.people import StaffMember
from bot.core.programme import SessionKind
from bot.core.safety.verdict import Level

WORDS = Path(__file__).with_name("demo_words.yml")
Row = tuple[str, str]  # field, words


@dataclass
class DemoClock:
    """The clock of the invented clinic: it is moved through the weeks while they are made."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Person:
    """What one invented patient carries from one entry to the next."""

    rnd: random.Random
    parts: list[dict[str, str]]
    met: list[dict[str, str]] = field(default_factory=list)
    step: str | None = None
    intention: str | None = None


class Writer:
    """Writes invented entries in the words file's words, with the labels of the authored content."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self.words: Mapping[str, Any] = yaml.safe_load(WORDS.read_text(encoding="utf-8"))["demo_words"]

    @cached_property
    def _labels(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for flow in self._library.flows.values():
            for step in flow.steps.values():
                if step.field and step.answer is not None:
                    options = {option.value: option.label for option in step.answer.options}
                    found.setdefault(step.field.replace("[]", ""), {}).update(options)
        return found

    @cached_property
    def _steps(self) -> dict[str, str]:
        flows = self._library.flows.values()
        return {s.field.replace("[]", ""): s.id for flow in flows for s in flow.steps.values() if s.field}

    def label(self, name: str, value: str) -> str:
        return self._labels[name][value]

    def pick(self, person: Person, name: str) -> str:
        return str(person.rnd.choice(list(self.words[name])))

    def any_of(self, person: Person, name: str) -> str:
        """A label of a choice."""
        return person.rnd.choice(list(self._labels[name].values()))

    def body(self, person: Person, most: int = 1) -> str:
        places = person.rnd.sample(sorted(self.words["body_words"]), person.rnd.randint(1, most))
        return "; ".join(f"{place}: {person.rnd.choice(self.words['body_words'][place])}" for place in places)

    def lines(self, rows: list[Row]) -> tuple[EntryLine, ...]:
        """The rows as a card keeps them: in the order of the fields, with label and step."""
        order = {name: place for place, name in enumerate(self._library.fields)}
        return tuple(
            EntryLine(field=name, label=self._library.fields[name], step=self._steps.get(name, "set"), text=text)
            for name, text in sorted(rows, key=lambda row: order[row[0]])
        )

    def sitting(self, person: Person, phase: str) -> tuple[tuple[str, ...], list[Row]]:
        """One sitting: the practices and what they left."""
        rnd = person.rnd
        start = rnd.randint(2, 8)
        rows: list[Row] = [
            ("state.ladder", self.any_of(person, "state.ladder")),
            ("state.activation_start", str(start)),
        ]
        practices = ["arrive"]
        if rnd.random() < 0.4:
            rows.append(("state.presence", str(rnd.randint(4, 10))))
        if rnd.random() < 0.5:
            rows.append(("state.body_note", self.body(person)))
        if start >= 7 or rnd.random() < 0.2:
            practices.append("grounding")
            after = max(1, start - rnd.randint(0, 3))
            rows.append(("settling", f"{rnd.choice(list(self._library.grounding.names.values()))}: {start} → {after}"))
            start = after
        practice, said = rnd.choice(self._offered(person, phase))(person)
        rows += [*said, ("state.activation_end", str(max(0, start - rnd.randint(-1, 3))))]
        if rnd.random() < 0.3:
            rows.append(("closing.word", self.pick(person, "one_words")))
        if rnd.random() < 0.25:
            rows.append(("questions", self.pick(person, "questions")))
        return (*practices, practice, "closing"), rows

    def _offered(self, person: Person, phase: str) -> list[Any]:
        if phase in ("first_24h", "h24_72"):
            return [self._recall, self._recall, self._meaning, self._glimmer]
        usual = [self._part, self._part, self._step, self._meaning, self._glimmer, self._letter, self._body]
        return [*usual, self._revisit, self._revisit, *([self._before] if phase == "before_next" else [])]

    def _recall(self, person: Person) -> tuple[str, list[Row]]:
        if person.rnd.random() < 0.2:
            return "journey_recall", [("recall.quiet_note", self.pick(person, "quiet_notes"))]
        feelings = person.rnd.sample(list(self.words["feelings"]), 2)
        return "journey_recall", [
            ("recall.title", self.pick(person, "titles")),
            ("recall.images", self.pick(person, "images")),
            ("recall.sensations", self.body(person, 2)),
            ("recall.feelings", ", ".join(self.label("recall.feelings", name) for name in feelings)),
            ("recall.words", self.pick(person, "kept_words")),
        ]

    def _meaning(self, person: Person) -> tuple[str, list[Row]]:
        themes = person.rnd.sample(list(self.words["themes"]), person.rnd.randint(1, 2))
        return "meaning_and_insight", [
            ("insight.thread", self.pick(person, "threads")),
            ("insight.offer", self.pick(person, "offers")),
            (
                "insight.certainty",
                self.label("insight.certainty", person.rnd.choice(["clear", "forming", "confusing"])),
            ),
            ("insight.themes", ", ".join(self.label("insight.themes", name) for name in themes)),
            ("insight.everyday", self.pick(person, "everyday")),
            ("insight.line", self.pick(person, "lines")),
        ]

    def _part(self, person: Person) -> tuple[str, list[Row]]:
        unmet = [part for part in person.parts if part not in person.met]
        part = unmet[0] if unmet and (not person.met or person.rnd.random() < 0.3) else person.rnd.choice(person.met)
        if part not in person.met:
            person.met.append(part)
        person.met.append(person.met.pop(person.met.index(part)))  # the one met last comes last
        rows = [("part.name", part["name"]), ("part.place", part["place"])]
        rows.append(("part.feel_toward", self.any_of(person, "part.feel_toward")))
        if person.rnd.random() < 0.7:
            rows += [("part.description", part["description"]), ("part.job", part["job"])]
            rows.append(("part.type_by_patient", self.label("part.type_by_patient", part["role"])))
        if part["role"] == "tender":
            return "meet_a_part", [*rows, ("part.bring_to_coach", "something tender came up")]
        if person.rnd.random() < 0.5:
            rows += [("part.fear", part["fear"]), ("part.request", part["request"])]
        return "meet_a_part", rows

    def _step(self, person: Person) -> tuple[str, list[Row]]:
        person.step = self.pick(person, "steps")
        return "one_small_step", [
            ("step.text", person.step),
            ("step.when", self.pick(person, "whens")),
            ("step.where", self.pick(person, "wheres")),
            ("step.confidence", str(person.rnd.randint(4, 10))),
        ]

    def _revisit(self, person: Person) -> tuple[str, list[Row]]:
        rows: list[Row] = [("glimmers", self.pick(person, "glimmers"))]
        if person.step is not None:
            rows += [("revisit.step", person.step), ("revisit.step_status", self.any_of(person, "revisit.step_status"))]
            rows.append(("revisit.step_next", self.label("revisit.step_next", person.rnd.choice(["keep", "retire"]))))
            if person.rnd.random() < 0.6:
                rows.append(("revisit.step_note", self.pick(person, "step_notes")))
        if person.met:
            rows.append(("revisit.part_name", person.met[-1]["name"]))
            rows.append(("revisit.part_status", self.any_of(person, "revisit.part_status")))
        if person.intention is not None and person.rnd.random() < 0.5:
            rows.append(("revisit.intention", person.intention))
            rows.append(("revisit.intention_note", self.pick(person, "intention_notes")))
        return "revisit", [*rows, ("revisit.change_note", self.pick(person, "changes"))]

    def _before(self, person: Person) -> tuple[str, list[Row]]:
        person.intention = self.pick(person, "intentions")
        return "before_next_journey", [
            ("intention.text", person.intention),
            ("prep.resource", self.pick(person, "glimmers")),
        ]

    def _glimmer(self, person: Person) -> tuple[str, list[Row]]:
        return "glimmer", [("glimmers", self.pick(person, "glimmers")), ("glimmer_body", self.body(person))]

    def _body(self, person: Person) -> tuple[str, list[Row]]:
        return "body_tracking", [
            ("body.spot", self.body(person)),
            ("body.spot_strength_start", str(person.rnd.randint(3, 6))),
            ("body.spot_strength_end", str(person.rnd.randint(1, 5))),
        ]

    def _letter(self, person: Person) -> tuple[str, list[Row]]:
        rows: list[Row] = [("letter.share", self.pick(person, "letters"))]
        if person.rnd.random() < 0.4:
            rows.append(("letter.hard_to_say", self.pick(person, "hard")))
        return "letter_to_coach", [*rows, ("letter.handling", self.any_of(person, "letter.handling"))]


class DemoClinic:
    """Makes the invented patients of one coach over some weeks, up to now."""

    def __init__(self, app: Application, clock: DemoClock, coach: StaffMember, *, seed: str = "plum") -> None:
        self._app, self._clock, self._coach, self._seed = app, clock, coach, seed
        self._writer = Writer(app.library)

    def make(self, patients: int, weeks: int) -> list[str]:
        """Make the patients and return their ids."""
        until = self._clock.now
        made = [self._patient(number, until, weeks) for number in range(patients)]
        self._clock.now = until
        return made

    def _patient(self, number: int, until: datetime, weeks: int) -> str:
        rnd = random.Random(f"{self._seed}/{number}")  # noqa: S311 - invented people, not secrets
        words = self._writer.words
        begin = until - timedelta(weeks=weeks)
        self._clock.now = begin
        names = words["first_names"], words["last_names"]
        invited = self._app.access.invite(
            first_name=names[0][number % len(names[0])],
            last_name=names[1][(number * 7 + number // len(names[1])) % len(names[1])],
            phone=f"555-{100 + number:04d}",
            coach_id=self._coach.id,
        )
        patient_id = invited.patient_id
        while (step := self._app.access.next_consent(patient_id)) is not None:
            answer = "call,text" if step["id"] == "ob_contact" else "yes"
            self._app.access.record_consent(patient_id, str(step["id"]), answer)
        self._app.access.set_flags(patient_id, parts_work_ok=rnd.random() < 0.9, body_work_ok=rnd.random() < 0.8)
        self._dates(patient_id, rnd, begin, until, weeks)
        person = Person(rnd=rnd, parts=rnd.sample(list(words["parts"]), rnd.randint(2, 5)))
        self._entries(patient_id, person, begin, until)
        self._follow_up(patient_id, person, until)
        return patient_id

    def _dates(self, patient_id: str, rnd: random.Random, begin: datetime, until: datetime, weeks: int) -> None:
        at = begin + timedelta(days=rnd.randint(3, 10))
        route = rnd.choice(list(Route))
        while at < until + timedelta(days=14):
            ended = at + timedelta(hours=2)
            done = ended < until
            self._app.desk.put_journey(
                self._coach,
                patient_id,
                route=route,
                scheduled_at=at,
                attended_by=f"Noor Haddad, {self._coach.name}",
                dose_ended_at=ended if done else None,
                discharged_at=ended + timedelta(hours=1) if done else None,
            )
            at += timedelta(days=rnd.choice([14, 21, 28]))
        for week in range(weeks + 1):
            session_at = begin + timedelta(weeks=week, days=rnd.randint(3, 5))
            self._app.desk.put_session(self._coach, patient_id, SessionKind.integration, session_at)

    def _entries(self, patient_id: str, person: Person, begin: datetime, until: datetime) -> None:
        rnd, pace = person.rnd, person.rnd.uniform(0.8, 3.5)
        with self._app.uow() as tx:
            journeys = tx.journeys(patient_id)
            at = begin + timedelta(hours=rnd.randint(6, 60))
            while at < until:
                known = [journey for journey in journeys if journey.dose_ended_at is None or journey.dose_ended_at < at]
                where = timeline(known, now=at, time_zone="America/Los_Angeles")
                practices, rows = self._writer.sitting(person, where.phase.protocol_id)
                visibility = rnd.choices(
                    [Visibility.shared, Visibility.private, Visibility.draft], weights=[80, 15, 5]
                )[0]
                hours = where.hours_since_dose(at)
                tx.put_entry(
                    Entry(
                        id=uuid.UUID(int=rnd.getrandbits(128)).hex,
                        patient_id=patient_id,
                        sitting_id=uuid.UUID(int=rnd.getrandbits(128)).hex,
                        phase=where.phase.protocol_id,
                        visibility=visibility,
                        practices=practices,
                        lines=self._writer.lines(rows),
                        created_at=at,
                        shared_at=at if visibility is Visibility.shared else None,
                        hours_since_dose=None if hours is None else int(hours),
                        content_version=self._app.library.version,
                    )
                )
                at += timedelta(hours=rnd.expovariate(1 / (168 / pace)) + 3)

    def _follow_up(self, patient_id: str, person: Person, until: datetime) -> None:
        """What the coach did: read up to some day, answered some questions, kept a note; now and then an alert."""
        rnd, desk = person.rnd, self._app.desk
        self._clock.now = until - timedelta(days=rnd.randint(0, 9))
        if rnd.random() < 0.85:
            desk.mark_reviewed(self._coach, patient_id, self._clock.now)
        with self._app.uow() as tx:
            asked = [
                q for q in tx.tracked_questions(patient_id) if q.status == "open" and q.created_at < self._clock.now
            ]
        for question in asked:
            if rnd.random() < 0.6:
                desk.answer(self._coach, patient_id, question.id, self._writer.pick(person, "answers"))
        if rnd.random() < 0.5:
            desk.write_note(self._coach, patient_id, self._writer.pick(person, "notes"))
        if rnd.random() < 0.1:
            with self._app.uow() as tx:
                patient = tx.patient(patient_id)
                assert patient is not None
                self._app.escalation.raise_alert(
                    tx, patient, level=Level.concern, categories=("human_request",), reason="invented, for the demo"
                )
