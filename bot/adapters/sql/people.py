"""Patients, staff, invitations, consent and journeys."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import bindparam, select, update

from bot.adapters.sql import tables as t
from bot.adapters.sql.sealed import Sealed
from bot.core.journeys import Journey, Route
from bot.core.people import Patient, StaffMember

PATIENTS = select(t.plain(t.PatientRow))
PATIENT, JOURNEY = t.plain(t.PatientRow).c, t.plain(t.JourneyRow).c
BY_ID = PATIENTS.where(PATIENT.id == bindparam("patient"))
OF_USER = PATIENTS.where(PATIENT.user_id == bindparam("user"))
OF_CONVERSATION = PATIENTS.where(PATIENT.conversation_id == bindparam("conversation"))
JOURNEYS = select(t.plain(t.JourneyRow)).where(JOURNEY.patient_id == bindparam("patient"))
USER, ROLE, HOLDS = t.plain(t.User).c, t.plain(t.Role), t.Base.metadata.tables["roles_users"]
ON_STAFF = select(HOLDS.c.user_id).join(ROLE).where(ROLE.c.name != "patient")
STAFF_ROLES = (  # one row a person and role
    select(USER.id, USER.display_name, USER.email, ROLE.c.name.label("role"))
    .join(HOLDS, HOLDS.c.user_id == USER.id)
    .join(ROLE)
    .where(USER.active.is_(True), USER.id.in_(ON_STAFF))
    .order_by(USER.id)
)


class PeopleRecords(Sealed):
    """Patients, staff, invitations, consent and journeys."""

    def add_patient(self, patient: Patient) -> None:
        key = self._vault.new_key(patient.id)
        self._keys[patient.id] = key
        self._s.add(
            t.PatientRow(
                id=patient.id,
                conversation_id=patient.conversation_id,
                wrapped_key=key,
                time_zone=patient.time_zone,
                created_at=patient.created_at,
                sealed_identity=self._identity(patient),
                **_open_fields(patient),
            )
        )
        self._s.flush()

    def put_patient(self, patient: Patient) -> None:
        row = self._s.get_one(t.PatientRow, patient.id)
        for name, value in _open_fields(patient).items():
            setattr(row, name, value)
        row.sealed_identity = self._identity(patient)

    def _identity(self, patient: Patient) -> bytes:
        identity = {"first_name": patient.first_name, "last_name": patient.last_name, "phone": patient.phone}
        return self._seal(patient.id, f"identity/{patient.id}", identity)

    def _patient(self, row: Any) -> Patient | None:
        if row is None:
            return None
        self._keys[row.id] = row.wrapped_key
        identity = self._open(row.id, f"identity/{row.id}", row.sealed_identity)
        return Patient(
            id=row.id,
            conversation_id=row.conversation_id,
            coach_id=row.coach_id,
            user_id=row.user_id,
            time_zone=row.time_zone,
            created_at=row.created_at,
            flags=row.flags,
            restricted_staff=tuple(row.restricted_staff),
            consented_at=row.consented_at,
            shares_from=row.shares_from,
            shares_nothing=row.shares_nothing,
            erased_at=row.erased_at,
            **identity,
        )

    def patient(self, patient_id: str) -> Patient | None:
        return self._patient(self._row(BY_ID, patient=patient_id))

    def patient_of_user(self, user_id: int) -> Patient | None:
        return self._patient(self._row(OF_USER, user=user_id))

    def patient_of_conversation(self, conversation_id: str) -> Patient | None:
        return self._patient(self._row(OF_CONVERSATION, conversation=conversation_id))

    def patients_of_coach(self, coach_id: int) -> list[Patient]:
        return self._patients(PATIENTS.where(PATIENT.coach_id == coach_id))

    def patients(self) -> list[Patient]:
        return self._patients(PATIENTS)

    def _patients(self, query: Any) -> list[Patient]:
        found = [self._patient(row) for row in self._rows(query)]
        return [patient for patient in found if patient is not None]

    def staff(self) -> list[StaffMember]:
        people = [list(rows) for _, rows in groupby(self._rows(STAFF_ROLES), key=attrgetter("id"))]
        return [
            StaffMember(
                id=rows[0].id,
                name=rows[0].display_name or rows[0].email,
                email=rows[0].email,
                roles=frozenset(row.role for row in rows),
            )
            for rows in people
        ]

    def add_invitation(self, token_hash: str, patient_id: str, expires_at: datetime) -> None:
        self._s.add(t.InvitationRow(token_hash=token_hash, patient_id=patient_id, expires_at=expires_at))

    def invitation(self, token_hash: str) -> tuple[str, datetime, datetime | None] | None:
        row = self._s.get(t.InvitationRow, token_hash)
        return None if row is None else (row.patient_id, row.expires_at, row.used_at)

    def use_invitation(self, token_hash: str, at: datetime) -> bool:
        unused = (t.InvitationRow.token_hash == token_hash, t.InvitationRow.used_at.is_(None))
        return self._changed(update(t.InvitationRow).where(*unused).values(used_at=at))

    def add_consent(self, patient_id: str, text_id: str, answer: str, version: str, at: datetime) -> None:
        self._s.add(t.ConsentRow(patient_id=patient_id, text_id=text_id, answer=answer, content_version=version, at=at))

    def consents(self, patient_id: str) -> dict[str, str]:
        rows = self._s.scalars(
            select(t.ConsentRow).where(t.ConsentRow.patient_id == patient_id).order_by(t.ConsentRow.id)
        )
        return {row.text_id: row.answer for row in rows}

    def put_journey(self, journey: Journey) -> None:
        self._s.merge(t.JourneyRow(**(asdict(journey) | {"route": journey.route.value})))

    def journeys(self, patient_id: str) -> list[Journey]:
        return [as_journey(row) for row in self._rows(JOURNEYS, patient=patient_id)]


def as_journey(row: Any) -> Journey:
    """The record of a stored journey."""
    return Journey(
        id=row.id,
        patient_id=row.patient_id,
        route=Route(row.route),
        scheduled_at=row.scheduled_at,
        dose_ended_at=row.dose_ended_at,
        discharged_at=row.discharged_at,
        cancelled_at=row.cancelled_at,
        attended_by=row.attended_by,
        slept=row.slept,
    )


def _open_fields(patient: Patient) -> dict[str, Any]:
    return {
        "user_id": patient.user_id,
        "coach_id": patient.coach_id,
        "flags": dict(patient.flags),
        "restricted_staff": list(patient.restricted_staff),
        "consented_at": patient.consented_at,
        "shares_from": patient.shares_from,
        "shares_nothing": patient.shares_nothing,
    }
