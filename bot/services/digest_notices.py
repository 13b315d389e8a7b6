"""The weekly e-mail to coaches: "a digest is ready", and nothing of what is in it. Source: protocol 5.1."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.core.escalation import back_off
from bot.services.ports import Clock, Notifier, SendFailed, StaffLinks, UnitOfWork

HOUR = 7  # Monday, on the clinic's clock: weeks start there (protocol 5.2)
GIVE_UP = timedelta(days=2)  # after a permanent refusal it is not tried before this


class DigestNoticeService:
    """Owes each coach with unread shared entries one e-mail a week, and sends what is owed."""

    def __init__(
        self, uow: UnitOfWork, clock: Clock, notifier: Notifier, links: StaffLinks, clinic: str, time_zone: str
    ) -> None:
        self._uow, self._clock, self._notifier = uow, clock, notifier
        self._links, self._clinic, self._zone = links, clinic, ZoneInfo(time_zone)

    def run_once(self) -> int:
        """Owe this week's e-mails once Monday's hour has come, and send. Returns how many were sent.

        The row comes before the attempt; a coach gets at most one e-mail a week from one worker.
        """
        now = self._clock()
        week = week_of(now, self._zone)
        with self._uow() as tx:
            known = {notice.coach_id for notice in tx.digest_notices(week)}
            coaches = {m.id: m for m in tx.staff() if "coach" in m.roles}
            for coach_id in coaches.keys() - known:
                unread = any(row.unread for row in tx.caseload(coach_id))
                tx.owe_digest_notice(coach_id, week, now, needed=unread)
            due = tx.due_digest_notices(now)
        sent = 0
        for notice in due:
            member = coaches.get(notice.coach_id)
            if member is None:
                continue
            subject = f"[{self._clinic}] a digest is ready"
            try:
                body = f"A digest is ready.\nSign in to read it: {self._links.to_caseload()}\n"
                self._notifier.send(member, subject, body)
            except SendFailed as error:
                wait = GIVE_UP if error.permanent else back_off(notice.attempts + 1)
                self._settle(notice.coach_id, notice.week, due_at=now + wait, sent_at=None)
                continue
            self._settle(notice.coach_id, notice.week, due_at=now, sent_at=now)
            sent += 1
        return sent

    def _settle(self, coach_id: int, week: str, *, due_at: datetime, sent_at: datetime | None) -> None:
        with self._uow() as tx:
            tx.settle_digest_notice(coach_id, week, due_at=due_at, sent_at=sent_at)


def week_of(now: datetime, zone: ZoneInfo) -> str:
    """The week whose Monday at HOUR was the last to pass, such as 2026-W48."""
    year, week, _ = (now.astimezone(zone) - timedelta(hours=HOUR)).isocalendar()
    return f"{year}-W{week:02d}"
