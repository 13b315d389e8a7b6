"""Signed-in browsers, failed sign-ins and ways back in. Knows accounts by number; passphrases are the library's."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core.accounts import Session, SessionLimits, after_failure, is_live, is_locked
from bot.core.people import StaffMember
from bot.services.ports import Clock, Notifier, NotPermitted, SendFailed, UnitOfWork

SEEN_EVERY = timedelta(minutes=1)  # how exactly the last use of a session is kept
LINK_LASTS = timedelta(hours=24)
NOTICE = {  # what a lock screen may show: for a patient nothing that tells of therapy (protocol N16)
    True: ("A new device", "Your clinic account was used on a new device: {device}. If that was not you, open "
           "{address}/account/sessions, end that session and choose a new passphrase.\n"),
    False: ("A note", "You have a note from your journal.\n"),
}  # fmt: skip


class LinkGone(LookupError):
    """A way back in that is unknown, used or too old. The clinic can give a new one."""


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """A one-time way back in. The token is shown once and kept only as a hash."""

    token: str
    user_id: int
    expires_at: datetime


class SignInService:
    """Who is signed in where. `secret` keys the hashes of addresses, so that the table tells nothing by itself."""

    def __init__(
        self, uow: UnitOfWork, clock: Clock, limits: Mapping[bool, SessionLimits], secret: str, address: str
    ) -> None:
        self._uow, self._clock, self._limits = uow, clock, limits  # limits: by whether the account is staff's
        self._secret, self._address = secret.encode(), address

    def begin(self, user_id: int, device: str, device_token: str) -> str:
        """Start a session and return its token. A device that this account never used is marked, to tell its owner."""
        token, now = secrets.token_urlsafe(32), self._clock()
        with self._uow() as tx:
            known = {session.device_hash for session in tx.sessions(user_id)}
            mark = hashed(device_token)
            session = Session(
                id=hashed(token),
                user_id=user_id,
                device=device[:60],
                device_hash=mark,
                begun_at=now,
                seen_at=now,
                new_device=bool(known) and mark not in known,
            )
            tx.add_session(session)
            tx.audit(f"user:{user_id}", "session.begun", f"user:{user_id}", now, new_device=session.new_device)
        return token

    def check(self, token: str, user_id: int, *, staff: bool, active: bool) -> bool:
        """Whether the token is a live session of this account. `active` is a person's doing, not a page's polling."""
        now = self._clock()
        with self._uow.reading() as tx:
            session = tx.session(hashed(token))
        if session is None or session.user_id != user_id:
            return False
        live = is_live(session, self._limits[staff], now)
        ending = not live and session.ended_at is None
        if ending or (live and active and now - session.seen_at >= SEEN_EVERY):
            self._note_use(session.id, now, ending=ending)
        return live

    def _note_use(self, session_id: str, now: datetime, *, ending: bool) -> None:
        """Write down that a session is used, or grew too old; one that was ended meanwhile stays as it is."""
        with self._uow() as tx:
            session = tx.session(session_id)
            if session is not None and session.ended_at is None:
                tx.put_session(replace(session, ended_at=now) if ending else replace(session, seen_at=now))

    def sessions(self, user_id: int, *, staff: bool) -> list[Session]:
        """The live sessions of an account, latest used first."""
        now = self._clock()
        with self._uow() as tx:
            live = [s for s in tx.sessions(user_id) if is_live(s, self._limits[staff], now)]
        return sorted(live, key=lambda session: session.seen_at, reverse=True)

    def is_current(self, session: Session, token: str) -> bool:
        """Whether a session is the one of this token."""
        return hmac.compare_digest(session.id, hashed(token))

    def end(self, user_id: int, session_id: str, *, keep_pin: bool = False) -> None:
        """End one session of an account, and its device's code unless kept. Raises NotPermitted for another's."""
        now = self._clock()
        with self._uow() as tx:
            session = tx.session(session_id)
            if session is None or session.user_id != user_id:
                raise NotPermitted(session_id)
            tx.put_session(replace(session, ended_at=session.ended_at or now))
            if not keep_pin:
                tx.drop_pins(user_id, device_hash=session.device_hash)
            tx.audit(f"user:{user_id}", "session.ended", f"user:{user_id}", now)

    def end_by_token(self, user_id: int, token: str) -> None:
        """End the session of a token, on signing out; its device's code stays. An unknown token changes nothing."""
        try:
            self.end(user_id, hashed(token), keep_pin=True)
        except NotPermitted:
            return

    def end_all(self, user_id: int, *, but: str | None = None, by: str | None = None) -> int:
        """End an account's sessions, all but the one of a token if given. Returns how many ended."""
        now, kept = self._clock(), hashed(but) if but else None
        with self._uow() as tx:
            known = tx.sessions(user_id)
            ending = [s for s in known if s.ended_at is None and s.id != kept]
            tx.drop_pins(user_id, but=next((s.device_hash for s in known if s.id == kept), None))
            for session in ending:
                tx.put_session(replace(session, ended_at=now))
            tx.audit(by or f"user:{user_id}", "session.ended", f"user:{user_id}", now, count=len(ending))
        return len(ending)

    def is_locked(self, email: str, device_token: str | None) -> bool:
        """Whether this account takes no sign-in from this device. Unknown accounts answer in the same way."""
        with self._uow() as tx:
            return is_locked(tx.guard(self._guarded(email, device_token, tx.device_known)), self._clock())

    def failed(self, email: str, device_token: str | None) -> None:
        """Count a failed sign-in."""
        now = self._clock()
        with self._uow() as tx:
            account = self._guarded(email, device_token, tx.device_known)
            guard = after_failure(tx.guard(account), now)
            tx.put_guard(account, guard)
            tx.audit("system", "sign_in.locked" if guard.locked_until else "sign_in.failed", account, now)

    def succeeded(self, email: str, device_token: str | None) -> None:
        """Forget the failed sign-ins of this account on this device."""
        with self._uow() as tx:
            tx.drop_guard(self._guarded(email, device_token, tx.device_known))

    def unlock(self, email: str, by: str) -> None:
        """Let an account sign in again before its time."""
        account = self._guarded(email, None, lambda *_: False)
        with self._uow() as tx:
            tx.drop_guard(account)
            tx.audit(by, "sign_in.unlocked", account, self._clock())

    def _guarded(self, email: str, device_token: str | None, known: Callable[[str, str], bool]) -> str:
        """Failures on a device that the account knows count by themselves, so that strangers cannot lock it out."""
        account, device = email.strip().lower(), hashed(device_token) if device_token else ""
        own = bool(device) and known(account, device)
        return hmac.new(self._secret, f"{account}|{device if own else ''}".encode(), hashlib.sha256).hexdigest()

    def offer_recovery(self, email: str, by: str) -> Recovery:
        """Make a one-time way to a new passphrase. Earlier ones are void. Raises NotPermitted for no such account."""
        token, now = secrets.token_urlsafe(32), self._clock()
        with self._uow() as tx:
            user_id = tx.user_id_of(email.strip().lower())
            if user_id is None:
                raise NotPermitted("no such account")
            tx.void_recoveries(user_id, now)
            tx.add_recovery(hashed(token), user_id, now + LINK_LASTS)
            tx.audit(by, "recovery.offered", f"user:{user_id}", now)
        return Recovery(token=token, user_id=user_id, expires_at=now + LINK_LASTS)

    def recovery(self, token: str) -> int:
        """The account behind a way back in. Raises LinkGone."""
        with self._uow() as tx:
            found = tx.recovery(hashed(token))
        if found is None or found[2] is not None or found[1] < self._clock():
            raise LinkGone
        return found[0]

    def use_recovery(self, token: str) -> int:
        """Spend a way back in and end all sessions of its account. Raises LinkGone."""
        user_id, now = self.recovery(token), self._clock()
        with self._uow() as tx:
            if not tx.use_recovery(hashed(token), now):
                raise LinkGone
            tx.audit(f"user:{user_id}", "recovery.used", f"user:{user_id}", now)
        self.end_all(user_id)
        return user_id

    def note(self, user_id: int, action: str, by: str | None = None) -> None:
        """Put a fact about an account on the audit chain, such as `passphrase.changed`."""
        with self._uow() as tx:
            tx.audit(by or f"user:{user_id}", action, f"user:{user_id}", self._clock())

    def tell_new_devices(self, notifier: Notifier) -> int:
        """Tell owners of sessions on devices that they never used before; called by the worker.

        At least once: a notice that could not be sent is tried again. Returns how many were sent.
        """
        with self._uow.reading() as tx:
            untold = tx.untold_sessions(limit=20)
        told = 0
        for session, email, staff in untold:
            subject, body = NOTICE[staff]
            owner = StaffMember(id=session.user_id, name="", email=email, roles=frozenset())
            try:
                notifier.send(owner, subject, body.format(device=session.device, address=self._address))
            except SendFailed as error:
                if not error.permanent:
                    continue
            with self._uow() as tx:
                tx.mark_told(session.id, self._clock())
            told += 1
        return told


def hashed(token: str) -> str:
    """What is kept of a token: enough to know it again, not to make it."""
    return hashlib.sha256(token.encode()).hexdigest()
