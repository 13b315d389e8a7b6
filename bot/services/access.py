"""Inviting patients, their consent, and the facts that the care team keeps about them."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core.flow.content import Library
from bot.core.journeys import Journey, Route
from bot.core.people import Patient
from bot.services.ports import Clock, NotPermitted, UnitOfWork


class InvitationUnknown(LookupError):
    """No invitation has this link."""


class InvitationExpired(LookupError):
    """The invitation was not used in time; the clinic can send a new one."""


class InvitationUsed(LookupError):
    """The invitation was already used; its owner can sign in."""


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
        with self._uow() as tx:
            return tx.patient_of_user(user_id)

    def next_consent(self, patient_id: str) -> dict[str, object] | None:
        """The next onboarding text that needs a tap, or None when all were answered. Order is fixed (7.2)."""
        with self._uow() as tx:
            given = tx.consents(patient_id)
        return next((dict(step) for step in self._library.onboarding if step["id"] not in given), None)

    def record_consent(self, patient_id: str, text_id: str, answer: str) -> None:
        """Keep one answer; answers out of order raise ValueError. The last one completes the consent."""
        expected = self.next_consent(patient_id)
        if expected is None or expected["id"] != text_id:
            raise ValueError("that is not the text being asked")
        now = self._clock()
        with self._uow() as tx:
            if text_id == "ob_age" and answer == "no":
                tx.audit(f"patient:{patient_id}", "consent.under_age", patient_id, now)
                return
            tx.add_consent(patient_id, text_id, answer, self._library.version, now)
            patient = tx.patient(patient_id)
            assert patient is not None
            flags = dict(patient.flags)
            if text_id == "ob_contact":
                chosen = answer.split(",")
                flags |= {f"{way}_ok": way in chosen for way in ("voicemail", "text")}
                flags["phone_contact_ok"] = "call" in chosen
            if text_id == "ob_emergency_contact":
                flags["emergency_contact_consent"] = answer == "yes"
            done = text_id == self._library.onboarding[-1]["id"]
            tx.put_patient(replace(patient, flags=flags, consented_at=now if done else patient.consented_at))
            tx.audit(f"patient:{patient_id}", "consent.given", patient_id, now, text=text_id)

    def schedule_journey(
        self,
        patient_id: str,
        route: Route,
        scheduled_at: datetime,
        *,
        dose_ended_at: datetime | None = None,
        discharged_at: datetime | None = None,
    ) -> Journey:
        """Put a journey on the patient's timeline. Raises NotPermitted for an unknown patient."""
        journey = Journey(
            id=uuid.uuid4().hex,
            patient_id=patient_id,
            route=route,
            scheduled_at=scheduled_at,
            dose_ended_at=dose_ended_at,
            discharged_at=discharged_at,
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
