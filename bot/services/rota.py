"""Keeping the rota: shifts, overrides, swaps, days off, and who may be reached how. Every change is audited."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from bot.core.people import Channel, StaffMember
from bot.core.policy import DUTIES, Policy
from bot.core.rota import DayOff, Override, Rota, Shift, Span
from bot.services.ports import Clock, NotPermitted, Transaction, UnitOfWork

KEEPERS = frozenset({"clinical_lead", "administrator"})  # who may change the rota
LOOK_AHEAD = timedelta(days=30)  # how far gaps are shown
MUST_BE_COVERED = ("on_call",)  # without this duty production does not start (P-01)
SHOULD_BE_COVERED = ("on_call", "second")


class RotaError(ValueError):
    """The change makes no sense. The message says what to correct; nothing was kept."""


@dataclass(frozen=True, kw_only=True)
class DutySpan:
    """One stretch of a duty with the people who hold it; no names is a gap."""

    duty: str
    span: Span
    names: tuple[str, ...]


class RotaService:
    """The rota as people change and read it. `author` None is the console."""

    def __init__(self, uow: UnitOfWork, clock: Clock, policy: Policy, is_address: Callable[[str], bool]) -> None:
        self._uow, self._clock, self._policy, self._is_address = uow, clock, policy, is_address

    # --- changing ---

    def add_shift(
        self,
        author: StaffMember | None,
        *,
        duty: str,
        member_id: int,
        first_day: date,
        starts: time = time(9),
        lasts_days: int = 7,
        ends: time | None = None,
        every_days: int = 7,
        last_day: date | None = None,
        on_holidays: bool = True,
    ) -> Shift:
        """Add a recurring shift, hand-over to hand-over. Raises RotaError or NotPermitted."""
        until = starts if ends is None else ends
        if lasts_days < 0 or (lasts_days == 0 and until <= starts):
            raise RotaError("A shift has to end after it starts; nothing was kept.")
        if every_days < 0 or (last_day is not None and last_day < first_day):
            raise RotaError("A shift cannot stop before it begins; nothing was kept.")
        shift = Shift(
            id=uuid.uuid4().hex,
            duty=duty,
            member_id=member_id,
            first_day=first_day,
            starts=starts,
            lasts_days=lasts_days,
            ends=until,
            every_days=every_days,
            last_day=last_day,
            on_holidays=on_holidays,
        )
        with self._uow() as tx:
            self._check(tx, author, duty, member_id)
            tx.put_shift(shift)
            self._audit(tx, author, "rota.shift_added", shift.id, duty=duty, member=member_id)
        return shift

    def override(
        self,
        author: StaffMember | None,
        *,
        duty: str,
        member_id: int,
        starts_at: datetime,
        ends_at: datetime,
        reason: str = "",
    ) -> Override:
        """Give a duty to one person for a time, whatever the shifts say. Raises RotaError or NotPermitted."""
        if ends_at <= starts_at:
            raise RotaError("The override has to end after it starts; nothing was kept.")
        with self._uow() as tx:
            self._check(tx, author, duty, member_id)
            return self._put_override(tx, author, duty, member_id, starts_at, ends_at, reason)

    def swap(self, author: StaffMember | None, *, duty: str, first: datetime, second: datetime) -> None:
        """Two people exchange the stretches of a duty that cover these moments. Raises RotaError or NotPermitted."""
        with self._uow() as tx:
            rota = tx.rota(self._policy.hours.zone)
            one, two = (self._stretch(rota, duty, moment) for moment in (first, second))
            if one.members[0] == two.members[0]:
                raise RotaError("Both stretches are the same person's; nothing was swapped.")
            for span, member_id in ((one, two.members[0]), (two, one.members[0])):
                self._check(tx, author, duty, member_id)
                self._put_override(tx, author, duty, member_id, span.starts_at, span.ends_at, "swap")

    def day_off(
        self, author: StaffMember | None, *, first_day: date, last_day: date, member_id: int | None, name: str = ""
    ) -> DayOff:
        """A person's leave, or, for no person, days on which the clinic is closed. Raises RotaError or NotPermitted."""
        if last_day < first_day:
            raise RotaError("The last day comes before the first; nothing was kept.")
        day = DayOff(id=uuid.uuid4().hex, first_day=first_day, last_day=last_day, member_id=member_id, name=name)
        with self._uow() as tx:
            self._check(tx, author, DUTIES[0], member_id)
            tx.put_day_off(day)
            self._audit(tx, author, "rota.day_off_added", day.id, member=member_id)
        return day

    def remove(self, author: StaffMember | None, row_id: str) -> None:
        """Take a shift, override or day off away again. Raises NotPermitted for an unknown one."""
        with self._uow() as tx:
            self._check(tx, author, DUTIES[0], None)
            if not tx.remove_from_rota(row_id):
                raise NotPermitted(row_id)
            self._audit(tx, author, "rota.removed", row_id)

    def supervise(self, author: StaffMember | None, *, member_id: int, supervisor_id: int) -> None:
        """Write down whose work a person supervises. Raises RotaError or NotPermitted."""
        with self._uow() as tx:
            self._check(tx, author, DUTIES[0], member_id)
            self._check(tx, author, DUTIES[0], supervisor_id)
            tx.put_supervisor(member_id, supervisor_id)
            self._audit(tx, author, "rota.supervisor", str(member_id), supervisor=supervisor_id)

    def set_channels(
        self, author: StaffMember | None, member_id: int, channels: Sequence[tuple[str, str, int]]
    ) -> None:
        """Replace a person's channels: (name, Apprise address, delay in seconds), in the order to be tried.

        Raises RotaError for an address that cannot be used; the old channels then stay.
        """
        for name, url, delay in channels:
            if not self._is_address(url) or delay < 0:
                raise RotaError(f"The address of {name} cannot be used; the channels stay as they were.")
        rows = [Channel(id=uuid.uuid4().hex, name=name, url=url, delay_seconds=d) for name, url, d in channels]
        with self._uow() as tx:
            self._check(tx, author, DUTIES[0], member_id)
            tx.put_channels(member_id, rows)
            self._audit(tx, author, "channels.set", str(member_id), names=[row.name for row in rows])

    # --- reading ---

    def week(self, start: datetime, duties: Sequence[str] = DUTIES) -> list[DutySpan]:
        """Who holds each duty in the seven days from a moment, gaps included."""
        return self.between(start, start + timedelta(days=7), duties)

    def gaps(self) -> list[DutySpan]:
        """When no one will be on call, or second, in the next 30 days. An empty rota is one long gap."""
        now = self._clock()
        return [row for row in self.between(now, now + LOOK_AHEAD, SHOULD_BE_COVERED) if not row.names]

    def between(self, start: datetime, end: datetime, duties: Sequence[str] = DUTIES) -> list[DutySpan]:
        """Who holds each duty between two moments, gaps included."""
        with self._uow() as tx:
            rota, names = tx.rota(self._policy.hours.zone), {m.id: m.name for m in tx.staff()}
        return [
            DutySpan(duty=duty, span=span, names=tuple(names[m] for m in span.members if m in names))
            for duty in duties
            for span in rota.spans(duty, start, end)
        ]

    def whole(self) -> tuple[Rota, dict[int, str]]:
        """The rota and the names of those on it."""
        with self._uow() as tx:
            return tx.rota(self._policy.hours.zone), {member.id: member.name for member in tx.staff()}

    def missing_cover(self) -> str | None:
        """One sentence when production must not start (P-01): no one is on call now, or nobody can be reached."""
        now = self._clock()
        with self._uow() as tx:
            rota, staff = tx.rota(self._policy.hours.zone), {member.id for member in tx.staff()}
        for duty in MUST_BE_COVERED:
            if not set(rota.on_duty(duty, now)) & staff:
                span = next((row for row in rota.spans(duty, now, now + LOOK_AHEAD) if row.members), None)
                until = (
                    f"until {span.starts_at.astimezone(rota.zone):%b %-d, %H:%M %Z}" if span else "in the next 30 days"
                )
                return (
                    f"Production needs on-call cover (P-01), and no one holds {duty} {until}. "
                    "Add a shift with `kat rota shift` or an override with `kat rota override`."
                )
        return None

    # --- within ---

    def _stretch(self, rota: Rota, duty: str, moment: datetime) -> Span:
        around = rota.spans(duty, moment - timedelta(days=31), moment + timedelta(days=31))
        found = next((span for span in around if span.starts_at <= moment < span.ends_at and span.members), None)
        if found is None:
            raise RotaError("No one holds that duty at one of these moments; nothing was swapped.")
        return found

    def _put_override(
        self,
        tx: Transaction,
        author: StaffMember | None,
        duty: str,
        member_id: int,
        starts_at: datetime,
        ends_at: datetime,
        reason: str,
    ) -> Override:
        made = Override(
            id=uuid.uuid4().hex,
            duty=duty,
            member_id=member_id,
            starts_at=starts_at,
            ends_at=ends_at,
            made_at=self._clock(),
            reason=reason[:200],
        )
        tx.put_override(made)
        self._audit(tx, author, "rota.override_added", made.id, duty=duty, member=member_id)
        return made

    def _check(self, tx: Transaction, author: StaffMember | None, duty: str, member_id: int | None) -> None:
        if author is not None and not author.roles & KEEPERS:
            raise NotPermitted(str(author.id))
        if duty not in DUTIES:
            raise RotaError(f"There is no duty {duty}; there are {', '.join(DUTIES)}.")
        if member_id is not None and member_id not in {member.id for member in tx.staff()}:
            raise RotaError("That person has no active staff account; nothing was kept.")

    def _audit(self, tx: Transaction, author: StaffMember | None, action: str, subject: str, **detail: object) -> None:
        actor = "console" if author is None else f"user:{author.id}"
        tx.audit(actor, action, subject, self._clock(), **detail)
