"""Inviting patients, their consent, and the facts that the care team keeps about them."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.core.flow.content import Library
from bot.core.journeys import Journey, Route, timeline
from bot.core.people import Patient
from bot.core.privacy import next_text, text_version, undecided_until
from bot.services.ports import Clock, NotPermitted, Transaction, UnitOfWork


class InvitationUnknown(LookupError):
    """No invitation has this link."""


class InvitationExpired(LookupError):
    """The invitation was not used in time; the clinic can send a new one."""


class InvitationUsed(LookupError):
    """The invitation was already used; its owner can sign in."""


class TooEarly(RuntimeError):
    """Nothing binding is asked within a day of a dose (7.6). It is asked again tomorrow."""


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """A one-time link. The token is shown once and kept only as a hash."""

    token: str
    patient_id: str
    expires_at: datetime


class AccessService:
    """Who may begin, and what they agreed to. Source: protocol 7."""

    def __init__(self, uow: UnitOfWork, clock: Clock, library: Library) -> None:
        self._uow, self._clock, self._library = uow, clock, library

    def invite(
        self,
        *,
        first_name: str,
        last_name: str,
        phone: str = "",
        coach_id: int | None = None,
        time_zone: str = "America/Los_Angeles",
        days_valid: int = 7,
    ) -> Invitation:
        """Make a patient's record and a one-time invitation to it."""
        now = self._clock()
        patient = Patient(
            id=uuid.uuid4().hex,
            conversation_id=uuid.uuid4().hex,
            first_name=first_name,
            last_name=last_name,
            phone=phone,
            coach_id=coach_id,
            time_zone=time_zone,
            created_at=now,
        )
        token = secrets.token_urlsafe(32)
        expires_at = now + timedelta(days=days_valid)
        with self._uow() as tx:
            tx.add_patient(patient)
            tx.add_invitation(_hash(token), patient.id, expires_at)
            tx.audit("system", "patient.invited", patient.id, now)
        return Invitation(token=token, patient_id=patient.id, expires_at=expires_at)

    def invite_again(self, patient_id: str, *, days_valid: int = 7) -> Invitation:
        """A new one-time link for a patient who has not accepted yet. Raises NotPermitted for anyone else."""
        now = self._clock()
        token = secrets.token_urlsafe(32)
        expires_at = now + timedelta(days=days_valid)
        with self._uow() as tx:
            patient = tx.patient(patient_id)
            if patient is None or patient.user_id is not None:
                raise NotPermitted(patient_id)
            tx.add_invitation(_hash(token), patient_id, expires_at)
            tx.audit("system", "patient.invited", patient_id, now)
        return Invitation(token=token, patient_id=patient_id, expires_at=expires_at)

    def invitation(self, token: str) -> Patient:
        """The patient behind a link. Raises InvitationUnknown, InvitationExpired or InvitationUsed."""
        with self._uow() as tx:
            found = tx.invitation(_hash(token))
            if found is None:
                raise InvitationUnknown
            patient_id, expires_at, used_at = found
            if used_at is not None:
                raise InvitationUsed
            if expires_at < self._clock():
                raise InvitationExpired
            patient = tx.patient(patient_id)
        assert patient is not None
        return patient

    def accept(self, token: str, user_id: int) -> Patient:
        """Tie the patient's record to the new account; the link is spent. Raises as `invitation` does."""
        patient = self.invitation(token)
        now = self._clock()
        with self._uow() as tx:
            if not tx.use_invitation(_hash(token), now):
                raise InvitationUsed
            tx.put_patient(replace(patient, user_id=user_id))
            tx.audit(f"patient:{patient.id}", "invitation.accepted", patient.id, now)
        return replace(patient, user_id=user_id)

    def patient_of_user(self, user_id: int) -> Patient | None:
        """The patient whose account this is, or None."""
        with self._uow.reading() as tx:
            return tx.patient_of_user(user_id)

    def next_consent(self, patient_id: str) -> dict[str, object] | None:
        """The next onboarding text that needs a tap, or None. Order is fixed (7.2); asked again as 7.3 says."""
        with self._uow() as tx:
            step = self._next(tx, self._patient(tx, patient_id))
        return None if step is None else dict(step)

    def _next(self, tx: Transaction, patient: Patient) -> Mapping[str, Any] | None:
        return next_text(
            self._library.onboarding,
            tx.consent_records(patient.id),
            coach_id=patient.coach_id,
            last_written_at=tx.last_written_at(patient.id),
            now=self._clock(),
        )

    def may_write(self, patient: Patient) -> bool:
        """Whether consent stands. Where a text would only be asked again, a patient just after a dose goes on."""
        if patient.consented_at is None:
            return False
        with self._uow.reading() as tx:
            return self._next(tx, patient) is None or self._undecided(tx, patient) is not None

    def consent_waits_until(self, patient_id: str) -> datetime | None:
        """Until when consent cannot be given, because a journey is too near (7.6), or None."""
        with self._uow() as tx:
            return self._undecided(tx, self._patient(tx, patient_id))

    def was_asked_before(self, patient_id: str) -> bool:
        """Whether this is an update for someone who consented once."""
        with self._uow() as tx:
            return any(c.text_id == self._library.onboarding[-1]["id"] for c in tx.consent_records(patient_id))

    def _undecided(self, tx: Transaction, patient: Patient) -> datetime | None:
        now = self._clock()
        return undecided_until(timeline(tx.journeys(patient.id), now=now, time_zone=patient.time_zone), now)

    def _patient(self, tx: Transaction, patient_id: str) -> Patient:
        patient = tx.patient(patient_id)
        if patient is None:
            raise NotPermitted(patient_id)
        return patient

    def record_consent(self, patient_id: str, text_id: str, answer: str) -> None:
        """Keep one answer; answers out of order raise ValueError. The last one completes the consent.

        Raises TooEarly within a day of a dose.
        """
        now = self._clock()
        with self._uow() as tx:
            patient = self._patient(tx, patient_id)
            expected = self._next(tx, patient)
            if expected is None or expected["id"] != text_id:
                raise ValueError("that is not the text being asked")
            if self._undecided(tx, patient) is not None:
                raise TooEarly
            if text_id == "ob_age" and answer == "no":
                tx.audit(f"patient:{patient_id}", "consent.under_age", patient_id, now)
                return
            version = text_version(expected, patient.coach_id)
            tx.add_consent(patient_id, text_id, answer, version, now)
            flags = dict(patient.flags)
            if text_id == "ob_contact":
                chosen = answer.split(",")
                flags |= {f"{way}_ok": way in chosen for way in ("voicemail", "text")}
                flags["phone_contact_ok"] = "call" in chosen
            if text_id == "ob_emergency_contact":
                flags["emergency_contact_consent"] = answer == "yes"
            done = self._next(tx, patient) is None
            tx.put_patient(replace(patient, flags=flags, consented_at=now if done else patient.consented_at))
            tx.audit(f"patient:{patient_id}", "consent.given", patient_id, now, text=text_id, version=version)

    def schedule_journey(
        self,
        patient_id: str,
        route: Route,
        scheduled_at: datetime,
        *,
        dose_ended_at: datetime | None = None,
        discharged_at: datetime | None = None,
        attended_by: str = "",
    ) -> Journey:
        """Put a journey on the patient's timeline. Raises NotPermitted for an unknown patient."""
        journey = Journey(
            id=uuid.uuid4().hex,
            patient_id=patient_id,
            route=route,
            scheduled_at=scheduled_at,
            dose_ended_at=dose_ended_at,
            discharged_at=discharged_at,
            attended_by=attended_by,
        )
        with self._uow() as tx:
            if tx.patient(patient_id) is None:
                raise NotPermitted(patient_id)
            tx.put_journey(journey)
            tx.audit("system", "journey.scheduled", patient_id, self._clock(), journey=journey.id)
        return journey

    def set_flags(self, patient_id: str, **flags: bool) -> None:
        """Set the care team's switches of protocol 1.5."""
        with self._uow() as tx:
            patient = tx.patient(patient_id)
            if patient is None:
                raise NotPermitted(patient_id)
            tx.put_patient(replace(patient, flags={**patient.flags, **flags}))
            tx.audit("system", "patient.flags", patient_id, self._clock(), flags=sorted(flags))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
