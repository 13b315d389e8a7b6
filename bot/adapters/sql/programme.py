"""The programme around the sittings, and the content versions that sittings began with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, bindparam, select

from bot.adapters.sql import tables as t
from bot.adapters.sql.sealed import Sealed
from bot.core.journeys import ProgramStatus
from bot.core.programme import Appointment, Evaluation, Programme, SessionKind

PROGRAMME, APPOINTMENT = t.plain(t.ProgrammeRow), t.plain(t.AppointmentRow)
OWNER: BindParameter[str] = bindparam("patient")
STANDING = select(PROGRAMME).where(PROGRAMME.c.patient_id == OWNER)
APPOINTMENTS = select(APPOINTMENT).where(APPOINTMENT.c.patient_id == OWNER).order_by(APPOINTMENT.c.at)


class ProgrammeRecords(Sealed):
    """Programmes, appointments and content versions. None of it holds a patient's words."""

    def programme(self, patient_id: str) -> Programme:
        row = self._row(STANDING, patient=patient_id)
        return Programme(patient_id=patient_id) if row is None else as_programme(row)

    def put_programme(self, programme: Programme) -> None:
        states = {"status": programme.status.value, "evaluation": programme.evaluation.value}
        self._s.merge(t.ProgrammeRow(**(asdict(programme) | states)))

    def appointments(self, patient_id: str) -> list[Appointment]:
        return [
            Appointment(
                id=row.id,
                patient_id=row.patient_id,
                kind=SessionKind(row.kind),
                at=row.at,
                with_whom=row.with_whom,
                bring=row.bring,
                cancelled_at=row.cancelled_at,
            )
            for row in self._rows(APPOINTMENTS, patient=patient_id)
        ]

    def put_appointment(self, appointment: Appointment) -> None:
        self._s.merge(t.AppointmentRow(**(asdict(appointment) | {"kind": appointment.kind.value})))

    def keep_content(self, version: str, files: Mapping[str, str], at: datetime) -> None:
        if self._s.get(t.ContentVersionRow, version) is None:
            self._s.add(t.ContentVersionRow(version=version, files=dict(files), first_used_at=at))

    def content_files(self, version: str) -> Mapping[str, str] | None:
        row = self._s.get(t.ContentVersionRow, version)
        return None if row is None else row.files


def as_programme(row: Any) -> Programme:
    """The record of a stored programme."""
    return Programme(
        patient_id=row.patient_id,
        status=ProgramStatus(row.status),
        evaluation=Evaluation(row.evaluation),
        evaluation_at=row.evaluation_at,
        confirmed_at=row.confirmed_at,
    )
