"""Reports over alerts for those who run the clinic. No name, no id and no word of a patient leaves here."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from bot.core.escalation import Alert
from bot.core.hours import DAY, wall
from bot.core.people import StaffMember
from bot.core.policy import Policy
from bot.core.reports import CRISIS_REFERRED, AlertFacts, WeekReport, week_report, year_counts
from bot.services.escalation import require
from bot.services.paging import RESPONDERS
from bot.services.ports import Clock, Transaction, UnitOfWork

READERS = RESPONDERS | {"administrator"}


class ReportService:
    """Weekly and yearly sums."""

    def __init__(self, uow: UnitOfWork, clock: Clock, policy: Policy) -> None:
        self._uow, self._clock, self._policy = uow, clock, policy

    def week_of(self, weeks_ago: int = 0) -> tuple[datetime, datetime]:
        """The start and end of a week, Monday to Monday in the clinic's zone; 0 is the present one."""
        zone = self._policy.hours.zone
        today = self._clock().astimezone(zone).date()
        monday = today - DAY * today.weekday() - timedelta(weeks=weeks_ago)
        midnight = datetime.min.time()
        return wall(monday, midnight, zone), wall(monday + timedelta(weeks=1), midnight, zone)

    def week(self, viewer: StaffMember | None, weeks_ago: int = 0) -> WeekReport:
        """One week's report. `viewer` None is the console. Raises NotPermitted."""
        if viewer is not None:
            require(viewer, READERS)
        start, end = self.week_of(weeks_ago)
        with self._uow() as tx:
            return week_report(self._facts(tx, start, end), self._nights(tx, start, min(end, self._clock())))

    def year(self, viewer: StaffMember | None, year: int) -> list[tuple[str, str, int]]:
        """The yearly count without identities: (category, level, count). Raises NotPermitted."""
        if viewer is not None:
            require(viewer, READERS)
        zone = self._policy.hours.zone
        start, end = (datetime(y, 1, 1, tzinfo=zone) for y in (year, year + 1))
        with self._uow() as tx:
            return year_counts(self._facts(tx, start, end), tx.count_audited(CRISIS_REFERRED, start, end))

    def _facts(self, tx: Transaction, start: datetime, end: datetime) -> list[AlertFacts]:
        found = [a for a in tx.alerts(since=start) if a.raised_at < end and not a.drill]
        return [self._fact(tx, alert) for alert in found]

    def _fact(self, tx: Transaction, alert: Alert) -> AlertFacts:
        events = tx.alert_events(alert.id)
        taken = next((e.at for e in events if e.kind == "acknowledged"), None)
        reached = [str(e.detail["target"]) for e in events if e.kind == "notified" and (taken is None or e.at <= taken)]
        assessment: Any = None if alert.message_id is None else tx.assessment(alert.message_id)
        evidence = assessment.get("evidence", ()) if assessment else ()
        return AlertFacts(
            level=alert.level,
            categories=alert.categories,
            raised_at=alert.raised_at,
            acknowledged_after=None if taken is None else taken - alert.raised_at,
            targets_reached=tuple(dict.fromkeys(reached)),
            outcome=alert.outcome,
            rules=tuple(str(row["rule"]) for row in evidence if row.get("rule")),
            no_one_on_duty=sum(event.kind == "no_one_on_duty" for event in events),
        )

    def _nights(self, tx: Transaction, start: datetime, end: datetime) -> int:
        """Nights, from closing to the next opening, in which no one was on call for some time."""
        hours, rota = self._policy.hours, tx.rota(self._policy.hours.zone)
        nights, day = 0, start.astimezone(hours.zone).date()
        while wall(day, hours.closes, hours.zone) < end:
            evening = wall(day, hours.closes, hours.zone)
            morning = min(end, wall(day + DAY, hours.opens, hours.zone))
            nights += bool(rota.gaps("on_call", evening, morning))
            day += DAY
        return nights
