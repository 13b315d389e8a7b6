"""What a digest consists of, section by section. Source: protocol 5.2.

Every line that came from an entry carries its `Source`, so that a reader can always go back to the patient's page.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

NOTHING = "no entry"  # shown where nothing was recorded; never a zero
SELF_REPORT = "Self-report. Missing entries are not a message. Please ask rather than infer."
NOT_AN_ASSESSMENT = "Self-reported during writing; not an assessment."


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a line came from: the entry, its step, and the line's place in it (0 first)."""

    entry_id: str
    step: str
    line: int
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Said:
    """The patient's words, verbatim, or the label that they picked."""

    text: str
    source: Source


@dataclass(frozen=True, kw_only=True)
class Rating:
    """A self-rating, 0 to 10."""

    value: int
    source: Source


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Median and range of `n` self-ratings, and the last three, oldest first. There is none without a rating."""

    n: int
    lowest: int
    highest: int
    median: float
    last: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Counted:
    """Something picked or named, how often, and where."""

    name: str
    count: int
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Window:
    """The period: from `since` (inclusive) to `until` (exclusive), aware UTC. `since` is None from the beginning."""

    name: str  # session, journey, dates or all
    since: datetime | None
    until: datetime

    def holds(self, moment: datetime) -> bool:
        return (self.since is None or moment >= self.since) and moment < self.until


@dataclass(frozen=True, kw_only=True)
class JourneyMark:
    """A journey that has taken place, for marking it in a picture. `number` counts from 1."""

    number: int
    ended_at: datetime
    route: str = ""


@dataclass(frozen=True, kw_only=True)
class Header:
    """Section 1. `days_without` counts days of the period without a shared entry; `private` says only how many."""

    window: Window
    first_day: date | None
    last_day: date
    phase: str
    journeys_completed: int
    days_since_journey: int | None
    next_journey_at: datetime | None
    shared: int
    private: int
    days: int
    days_without: int


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question to the coach, verbatim. `source` is None for one that was sent by itself, outside a shared entry."""

    id: str
    text: str
    asked_at: datetime
    source: Source | None
    status: str  # open or answered
    handling: str | None = None  # how the patient would like it taken up
    answer: str | None = None
    answered_by: str | None = None
    answered_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class MedicalQuestion:
    """A question that went to the medical team: when and where it stands, not its words."""

    sent_at: datetime
    status: str


@dataclass(frozen=True, kw_only=True)
class SafetyEvent:
    """Section 3: an alert as a fact. Never its words, evidence or screen answers."""

    at: datetime
    categories: tuple[str, ...]
    level: str
    status: str  # open, acknowledged, or closed by a role


@dataclass(frozen=True, kw_only=True)
class Activation:
    """One entry's self-rating before and after writing; either may be missing."""

    at: datetime
    start: Rating | None
    end: Rating | None


@dataclass(frozen=True, kw_only=True)
class Rung:
    """One entry's pick on the ladder, on a day of the patient's calendar."""

    day: date
    label: str
    source: Source


@dataclass(frozen=True, kw_only=True)
class State:
    """Section 4."""

    ratings: tuple[Activation, ...]
    start: Spread | None
    end: Spread | None
    ladder: tuple[Counted, ...]
    rungs: tuple[Rung, ...]
    presence: tuple[Rating, ...]


@dataclass(frozen=True, kw_only=True)
class Round:
    """One round of settling. `before` is None where no rating preceded it."""

    before: int | None
    after: int
    source: Source


@dataclass(frozen=True, kw_only=True)
class Settling:
    """Section 5: one practice, its rounds in order, and the medians with their n."""

    name: str
    rounds: tuple[Round, ...]
    before: Spread | None
    after: Spread | None


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One sitting in which a part was named, with what was said of it: field -> words."""

    at: datetime
    said: dict[str, Said]
    source: Source


@dataclass(frozen=True, kw_only=True)
class Part:
    """Section 6: one part as the patient named it. `role` is the patient's pick, never ours."""

    name: str
    visits: tuple[Visit, ...]
    status: Said | None  # the newest answer to "how has it been"
    asked_to_bring: Said | None

    @property
    def times(self) -> int:
        return len(self.visits)

    def latest(self, name: str) -> Said | None:
        """The newest words for a field, such as `job`."""
        return next((visit.said[name] for visit in reversed(self.visits) if name in visit.said), None)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Section 7: a place in the body, how often it was named, and the words used there with their counts."""

    name: str
    count: int
    words: tuple[Counted, ...]
    sources: tuple[Source, ...]


@dataclass(frozen=True, kw_only=True)
class StepReport:
    """What the patient later said of a step."""

    status: str  # a value of the question, or the label where an older wording was used
    said: Said
    note: Said | None
    next: Said | None


@dataclass(frozen=True, kw_only=True)
class Step:
    """Section 8: one small step, its plan and its story."""

    said: Said
    when: Said | None
    where: Said | None
    confidence: int | None
    reports: tuple[StepReport, ...]
    status: str  # open, done, partly, not done, forgotten, no longer fits, let go


@dataclass(frozen=True, kw_only=True)
class Intention:
    """A journey's intention, and what the patient later wrote about it."""

    said: Said
    later: tuple[Said, ...]


@dataclass(frozen=True, kw_only=True)
class Recall:
    """Section 9: one entry's recall, verbatim."""

    at: datetime
    said: tuple[tuple[str, Said], ...]  # (label, words)


@dataclass(frozen=True, kw_only=True)
class Digest:
    """All of it, in the order of protocol 5.2."""

    header: Header
    questions: tuple[Question, ...]
    medical_questions: tuple[MedicalQuestion, ...]
    safety: tuple[SafetyEvent, ...]
    state: State
    settling: tuple[Settling, ...]
    parts: tuple[Part, ...]
    part_notes: tuple[tuple[str, Said], ...]  # said of a part in an entry that names several, or none
    body: tuple[Place, ...]
    intentions: tuple[Intention, ...]
    steps: tuple[Step, ...]
    follow_through: tuple[Counted, ...]
    recall: tuple[Recall, ...]
    feelings: tuple[Counted, ...]
    themes: tuple[Counted, ...]
    repeated: tuple[Counted, ...]
    glimmers: tuple[Said, ...]
    to_know: tuple[Said, ...]  # letter.share
    hard_to_say: tuple[Said, ...]  # letter.hard_to_say
    journeys: tuple[JourneyMark, ...] = ()
    zone: str = field(default="America/Los_Angeles")
