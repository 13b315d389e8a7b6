"""A patient's own journal: finding entries, sharing and removing them, parts, small steps, questions, and a copy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.core.export import alerts_as_markdown, as_json, as_markdown
from bot.core.journal import Entry, Question, Visibility
from bot.core.journeys import Journey
from bot.core.parts import Portrait, portrait
from bot.core.people import Patient
from bot.core.steps import SmallStep, small_steps
from bot.services.ports import Clock, NotPermitted, Transaction, UnitOfWork
from bot.services.removal import forget_ended_sitting, remove_entry, undecided

SEEN = {  # audited views -> what was seen, as the patient reads it
    "entries.viewed": "your shared entries",
    "questions.viewed": "your questions",
    "alert.viewed": "an alert",
    "alert.words_read": "the words that an alert was about",
}
MOST_CHARACTERS = 40_000  # of an entry that is corrected


@dataclass(frozen=True, kw_only=True)
class JourneyChapter:
    """The entries since one journey. `journey` is None for those before the first."""

    journey: Journey | None
    entries: Sequence[Entry]


@dataclass(frozen=True, kw_only=True)
class Removal:
    """What became of a wish to remove an entry: removed, or set aside until a day after the journey has passed."""

    removed: bool


class JournalService:
    """Everything that a patient does with what they wrote. Every method raises NotPermitted for another's record."""

    def __init__(self, uow: UnitOfWork, clock: Clock) -> None:
        self._uow, self._clock = uow, clock

    # --- entries ---

    def entries(self, patient_id: str) -> list[Entry]:
        """All that a patient kept, newest first; what they asked to remove is out of sight."""
        with self._uow() as tx:
            return _visible(tx, patient_id)

    def by_journey(self, patient_id: str) -> list[JourneyChapter]:
        """The entries in chapters, one a journey, newest first."""
        with self._uow() as tx:
            entries = _visible(tx, patient_id)
            journeys = [j for j in tx.journeys(patient_id) if j.dose_ended_at is not None]
        ordered = sorted(journeys, key=lambda j: j.scheduled_at, reverse=True)
        chapters: dict[str | None, list[Entry]] = {}
        for entry in entries:
            before = next((j for j in ordered if j.scheduled_at <= entry.created_at), None)
            chapters.setdefault(before.id if before else None, []).append(entry)
        known = {j.id: j for j in journeys}
        return [JourneyChapter(journey=known.get(key or ""), entries=rows) for key, rows in chapters.items()]

    def on_this_day(self, patient: Patient) -> list[Entry]:
        """Entries of earlier months and years on this day of the month, in the patient's zone, newest first."""
        zone = ZoneInfo(patient.time_zone)
        today = self._clock().astimezone(zone).date()
        days = ((e, e.created_at.astimezone(zone).date()) for e in self.entries(patient.id))
        return [entry for entry, day in days if day.day == today.day and day != today]

    def search(self, patient_id: str, words: str) -> list[Entry]:
        """Own entries that hold all of these words, in any capitals. Looked for in the open text, here, by no index."""
        wanted = words.casefold().split()
        found = self.entries(patient_id) if wanted else []
        return [e for e in found if all(word in _whole(e) for word in wanted)]

    def entry(self, patient_id: str, entry_id: str) -> Entry:
        """One own entry."""
        with self._uow() as tx:
            return _own(tx, patient_id, entry_id)

    def set_visibility(self, patient_id: str, entry_id: str, visibility: Visibility) -> Entry:
        """Share an own entry, or stop sharing it. After discharge nothing can be shared (protocol 2.3)."""
        now = self._clock()
        with self._uow() as tx:
            entry = _own(tx, patient_id, entry_id)
            ended = tx.programme(patient_id).status.value == "discharged"
            if visibility not in (Visibility.shared, Visibility.private) or (ended and visibility is Visibility.shared):
                raise NotPermitted(entry_id)
            changed = replace(entry, visibility=visibility, shared_at=now if visibility is Visibility.shared else None)
            tx.put_entry(changed)
            tx.audit(f"patient:{patient_id}", f"entry.{visibility.value}", entry_id, now)
        return changed

    def correct(self, patient: Patient, entry_id: str, texts: Sequence[str]) -> str:
        """Change the words of an own entry, line by line in order; an empty text leaves its line out.

        Returns the changed words, which the caller has checked for danger. Raises NotPermitted, or ValueError with a
        sentence for the patient: nothing was changed then.
        """
        now = self._clock()
        with self._uow() as tx:
            entry = _own(tx, patient.id, entry_id)
            pairs = list(zip(entry.lines, (text.strip() for text in texts)))
            if len(texts) != len(entry.lines) or sum(map(len, texts)) > MOST_CHARACTERS:
                raise ValueError("That could not be kept as it is. Please try smaller steps; nothing was changed.")
            kept = tuple(replace(line, text=text) for line, text in pairs if text)
            if not kept:
                raise ValueError("Nothing would be left. To remove the whole entry, use Remove this entry.")
            if len(kept) < len(entry.lines) and undecided(tx, patient, now) is not None:
                raise ValueError("A line can be left out once a day has passed after a journey. Nothing was changed.")
            if kept != entry.lines:
                tx.put_entry(replace(entry, lines=kept))
                tx.audit(f"patient:{patient.id}", "entry.corrected", entry_id, now)
        return "\n".join(text for line, text in pairs if text and text != line.text)

    def remove(self, patient: Patient, entry_id: str) -> Removal:
        """Remove an entry's words for good; within a day of a dose, set it aside and ask again (protocol 1.4 N15)."""
        now = self._clock()
        with self._uow() as tx:
            entry = _own(tx, patient.id, entry_id)
            if undecided(tx, patient, now) is not None:
                tx.request_deletion(patient.id, entry_id, now)
                tx.audit(f"patient:{patient.id}", "entry.removal_asked", entry_id, now)
                return Removal(removed=False)
            remove_entry(tx, entry, now)
            forget_ended_sitting(tx, patient.id, entry.sitting_id, now)
        return Removal(removed=True)

    def must_wait(self, patient: Patient) -> bool:
        """Whether a removal asked for now would wait a day."""
        with self._uow() as tx:
            return undecided(tx, patient, self._clock()) is not None

    def waiting_removals(self, patient_id: str) -> int:
        """How many entries are set aside, to be asked about again."""
        with self._uow() as tx:
            return len(tx.deletion_requests(patient_id))

    # --- parts and small steps ---

    def parts(self, patient_id: str) -> list[Portrait]:
        """The register of parts, last met first, with what the patient wrote of each."""
        with self._uow() as tx:
            entries = _visible(tx, patient_id)
            return [portrait(part, entries) for part in tx.part_register(patient_id)]

    def merge_parts(self, patient_id: str, kept_id: str, gone_id: str, *, by: str) -> None:
        """Make two parts one: the first keeps its name, the other's becomes an earlier name. `by` goes on record."""
        with self._uow() as tx:
            register = {part.id: part for part in tx.part_register(patient_id)}
            if kept_id == gone_id or not {kept_id, gone_id} <= set(register):
                raise NotPermitted(kept_id)
            tx.merge_parts(register[kept_id], register[gone_id])
            tx.audit(by, "parts.merged", patient_id, self._clock(), kept=kept_id, gone=gone_id)

    def steps(self, patient_id: str) -> list[SmallStep]:
        """Small steps and what became of them, newest first."""
        return small_steps(self.entries(patient_id))

    # --- questions ---

    def questions(self, patient_id: str) -> list[Question]:
        """Own questions and notes to the team, newest first."""
        with self._uow() as tx:
            return tx.tracked_questions(patient_id)

    def withdraw_question(self, patient_id: str, question_id: str) -> None:
        """Take back a question that is still open."""
        with self._uow() as tx:
            question = tx.question(question_id)
            if question is None or question.patient_id != patient_id or question.status != "open":
                raise NotPermitted(question_id)
            tx.put_question(replace(question, status="withdrawn"))
            tx.audit(f"patient:{patient_id}", "question.withdrawn", question_id, self._clock())

    # --- a copy, and who has seen what ---

    def export(self, patient: Patient, kind: str) -> str:
        """The whole journal as `markdown` or `json`. Making a copy is on record."""
        now = self._clock()
        with self._uow() as tx:
            entries = _visible(tx, patient.id)
            parts, questions = tx.part_register(patient.id), tx.tracked_questions(patient.id)
            tx.audit(f"patient:{patient.id}", "journal.exported", patient.id, now, kind=kind)
        steps = small_steps(entries)
        if kind == "json":
            return as_json(entries, parts, steps, questions)
        title = f"The journal of {patient.first_name}"
        return as_markdown(entries, parts, steps, questions, title=title, time_zone=patient.time_zone)

    def alerts_file(self, patient: Patient) -> str:
        """The record of the patient's own alerts, as Markdown: dates, kinds and outcomes (protocol 7.4)."""
        now = self._clock()
        with self._uow() as tx:
            alerts = [alert for alert in tx.alerts(patient_id=patient.id) if not alert.drill]
            tx.audit(f"patient:{patient.id}", "journal.exported", patient.id, now, kind="alerts")
        return alerts_as_markdown(alerts, time_zone=patient.time_zone)

    def note_export(self, patient_id: str, kind: str) -> None:
        """Put on record that a copy was made in another form."""
        with self._uow() as tx:
            tx.audit(f"patient:{patient_id}", "journal.exported", patient_id, self._clock(), kind=kind)

    def seen_by(self, patient_id: str) -> list[tuple[str, str, datetime]]:
        """Who saw what, newest first: (name, what, when)."""
        with self._uow() as tx:
            names = {f"user:{member.id}": member.name for member in tx.staff()}
            subjects = [patient_id, *(alert.id for alert in tx.alerts(patient_id=patient_id))]
            facts = [fact for subject in subjects for fact in tx.audit_of(subject)]
        seen = [
            (names.get(str(f["actor"]), "clinic staff"), SEEN[str(f["action"])], datetime.fromisoformat(str(f["at"])))
            for f in facts
            if str(f["actor"]).startswith("user:") and f["action"] in SEEN
        ]
        return sorted(seen, key=lambda row: row[2], reverse=True)


def _visible(tx: Transaction, patient_id: str) -> list[Entry]:
    aside = tx.deletion_requests(patient_id)
    return [e for e in tx.entries(patient_id) if e.visibility is not Visibility.discarded and e.id not in aside]


def _own(tx: Transaction, patient_id: str, entry_id: str) -> Entry:
    entry = tx.entry(entry_id)
    gone = entry is None or entry.visibility is Visibility.discarded
    if entry is None or gone or entry.patient_id != patient_id or entry_id in tx.deletion_requests(patient_id):
        raise NotPermitted(entry_id)
    return entry


def _whole(entry: Entry) -> str:
    return "\n".join(f"{line.label} {line.text}" for line in entry.lines).casefold()
