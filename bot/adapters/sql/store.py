"""The unit of work over SQLAlchemy: repositories of every record, with patients' words sealed on the way in and out."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, create_engine, event, func, select, text, update
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

from bot.adapters.crypto import Vault
from bot.adapters.sql import tables as t
from bot.core.escalation import Alert, AlertEvent, AlertStatus
from bot.core.journal import Entry, EntryLine, Message, Visibility
from bot.core.journeys import Journey, Route
from bot.core.people import Patient, StaffMember
from bot.core.safety.verdict import Level, Verdict
from bot.services.ports import Conflict, Owed, StoredSitting

AUDIT_LOCK = 77_0177  # PostgreSQL advisory lock: one writer of the audit chain at a time
GENESIS = "0" * 64


def make_engine(url: str) -> Engine:
    """An engine. On SQLite every commit is on the disk before it returns (WAL with synchronous=FULL)."""
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"timeout": 15})

    @event.listens_for(engine, "connect")
    def _pragmas(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        assert isinstance(connection, sqlite3.Connection)
        connection.isolation_level = None  # we begin transactions ourselves, below
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=15000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql(
            "BEGIN IMMEDIATE" if connection.get_execution_options().get("writes", True) else "BEGIN"
        )

    return engine


class Store:
    """Makes units of work. `with store() as tx:` commits on a clean exit and rolls back on any exception."""

    def __init__(self, engine: Engine, vault: Vault) -> None:
        self._sessions = sessionmaker(engine, expire_on_commit=False)
        self._vault = vault

    @contextmanager
    def __call__(self) -> Iterator[SqlTransaction]:
        with self._sessions() as session, session.begin():
            yield SqlTransaction(session, self._vault)


class SqlTransaction:
    """One open transaction. Fulfils bot.services.ports.Transaction."""

    def __init__(self, session: Session, vault: Vault) -> None:
        self._s = session
        self._vault = vault
        self._keys: dict[str, bytes] = {}

    # --- sealing ---

    def _key(self, patient_id: str) -> bytes:
        if patient_id not in self._keys:
            found = self._s.scalar(select(t.PatientRow.wrapped_key).where(t.PatientRow.id == patient_id))
            if found is None:
                raise LookupError(f"no patient {patient_id}")
            self._keys[patient_id] = found
        return self._keys[patient_id]

    def _seal(self, patient_id: str, place: str, value: Any) -> bytes:
        return self._vault.seal(self._key(patient_id), patient_id, place, json.dumps(value, ensure_ascii=False))

    def _open(self, patient_id: str, place: str, sealed: bytes) -> Any:
        return json.loads(self._vault.open(self._key(patient_id), patient_id, place, sealed))

    # --- people ---

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

    def _patient(self, row: t.PatientRow | None) -> Patient | None:
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
            **identity,
        )

    def patient(self, patient_id: str) -> Patient | None:
        return self._patient(self._s.get(t.PatientRow, patient_id))

    def patient_of_user(self, user_id: int) -> Patient | None:
        return self._patient(self._s.scalar(select(t.PatientRow).where(t.PatientRow.user_id == user_id)))

    def patient_of_conversation(self, conversation_id: str) -> Patient | None:
        query = select(t.PatientRow).where(t.PatientRow.conversation_id == conversation_id)
        return self._patient(self._s.scalar(query))

    def patients_of_coach(self, coach_id: int) -> list[Patient]:
        return self._patients(select(t.PatientRow).where(t.PatientRow.coach_id == coach_id))

    def patients(self) -> list[Patient]:
        return self._patients(select(t.PatientRow))

    def _patients(self, query: Any) -> list[Patient]:
        found = [self._patient(row) for row in self._s.scalars(query)]
        return [patient for patient in found if patient is not None]

    def staff(self) -> list[StaffMember]:
        users = self._s.scalars(select(t.User).where(t.User.active.is_(True)).order_by(t.User.id)).all()
        return [
            StaffMember(
                id=u.id, name=u.display_name or u.email, email=u.email, roles=frozenset(r.name for r in u.roles)
            )
            for u in users
            if {r.name for r in u.roles} - {"patient"}
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
        rows = self._s.scalars(select(t.JourneyRow).where(t.JourneyRow.patient_id == patient_id))
        return [
            Journey(
                id=row.id,
                patient_id=row.patient_id,
                route=Route(row.route),
                scheduled_at=row.scheduled_at,
                dose_ended_at=row.dose_ended_at,
                discharged_at=row.discharged_at,
            )
            for row in rows
        ]

    # --- conversation ---

    def add_message(self, message: Message) -> Message:
        content = {
            "text": message.text,
            "control": message.control,
            "small_print": message.small_print,
            "payload": message.payload,
        }
        row = t.MessageRow(
            id=message.id,
            patient_id=message.patient_id,
            client_id=message.client_id,
            sender=message.sender,
            kind=message.kind,
            text_id=message.text_id,
            reply_to=message.reply_to,
            sealed=self._seal(message.patient_id, f"message/{message.id}", content),
            created_at=message.created_at,
            answered_at=message.answered_at,
        )
        self._s.add(row)
        try:
            self._s.flush()
        except IntegrityError as error:
            raise Conflict("this message is already kept") from error
        return replace(message, seq=row.seq)

    def _message(self, row: t.MessageRow) -> Message:
        content = self._open(row.patient_id, f"message/{row.id}", row.sealed)
        return Message(
            id=row.id,
            seq=row.seq,
            patient_id=row.patient_id,
            client_id=row.client_id,
            sender=row.sender,
            kind=row.kind,
            text_id=row.text_id,
            reply_to=row.reply_to,
            created_at=row.created_at,
            answered_at=row.answered_at,
            **content,
        )

    def message(self, message_id: str) -> Message | None:
        row = self._s.scalar(select(t.MessageRow).where(t.MessageRow.id == message_id))
        return None if row is None else self._message(row)

    def message_of_client(self, patient_id: str, client_id: str) -> Message | None:
        same = (t.MessageRow.patient_id == patient_id, t.MessageRow.client_id == client_id)
        row = self._s.scalar(select(t.MessageRow).where(*same))
        return None if row is None else self._message(row)

    def replies(self, message_id: str) -> list[Message]:
        query = select(t.MessageRow).where(t.MessageRow.reply_to == message_id).order_by(t.MessageRow.seq)
        return [self._message(row) for row in self._s.scalars(query)]

    def messages(self, patient_id: str, *, after: int = 0, before: int | None = None, limit: int = 50) -> list[Message]:
        query = select(t.MessageRow).where(t.MessageRow.patient_id == patient_id)
        if before is not None:
            query = query.where(t.MessageRow.seq < before)
            rows = list(self._s.scalars(query.order_by(t.MessageRow.seq.desc()).limit(limit)))[::-1]
        elif after:
            rows = list(self._s.scalars(query.where(t.MessageRow.seq > after).order_by(t.MessageRow.seq).limit(limit)))
        else:
            rows = list(self._s.scalars(query.order_by(t.MessageRow.seq.desc()).limit(limit)))[::-1]
        return [self._message(row) for row in rows]

    def recent_texts(self, patient_id: str, count: int) -> tuple[str, ...]:
        query = (
            select(t.MessageRow)
            .where(t.MessageRow.patient_id == patient_id, t.MessageRow.sender == "patient", t.MessageRow.kind == "text")
            .order_by(t.MessageRow.seq.desc())
            .limit(count)
        )
        return tuple(self._message(row).text for row in self._s.scalars(query))[::-1]

    def mark_answered(self, message_id: str, at: datetime) -> None:
        unanswered = (t.MessageRow.id == message_id, t.MessageRow.answered_at.is_(None))
        self._s.execute(update(t.MessageRow).where(*unanswered).values(answered_at=at))

    def note_try(self, message_id: str) -> None:
        self._s.execute(update(t.MessageRow).where(t.MessageRow.id == message_id).values(tries=t.MessageRow.tries + 1))

    def waiting(self, older_than: datetime, limit: int) -> list[Message]:
        query = (
            select(t.MessageRow)
            .where(
                t.MessageRow.sender == "patient",
                t.MessageRow.answered_at.is_(None),
                t.MessageRow.created_at < older_than,
            )
            .order_by(t.MessageRow.seq)
            .limit(limit)
        )
        return [self._message(row) for row in self._s.scalars(query)]

    def add_assessment(self, message_id: str, verdict: Verdict, at: datetime) -> None:
        row = t.AssessmentRow(message_id=message_id, level=verdict.level.name, verdict=verdict.as_json(), at=at)
        self._s.add(row)

    def assessment(self, message_id: str) -> Mapping[str, Any] | None:
        row = self._s.get(t.AssessmentRow, message_id)
        return None if row is None else row.verdict

    def sitting(self, patient_id: str) -> StoredSitting | None:
        row = self._s.get(t.SittingRow, patient_id)
        if row is None:
            return None
        return StoredSitting(
            state=self._open(patient_id, f"sitting/{patient_id}", row.sealed_state),
            version=row.version,
            last_message_id=row.last_message_id,
            updated_at=row.updated_at,
        )

    def put_sitting(
        self,
        patient_id: str,
        state: Mapping[str, Any],
        *,
        expected_version: int,
        silence_due_at: datetime | None,
        last_message_id: str | None,
        at: datetime,
    ) -> None:
        values = {
            "version": expected_version + 1,
            "sealed_state": self._seal(patient_id, f"sitting/{patient_id}", state),
            "silence_due_at": silence_due_at,
            "last_message_id": last_message_id,
            "updated_at": at,
        }
        if expected_version == 0 and self._s.get(t.SittingRow, patient_id) is None:
            self._s.add(t.SittingRow(patient_id=patient_id, **values))
            try:
                self._s.flush()
            except IntegrityError as error:
                raise Conflict("the sitting was begun elsewhere") from error
            return
        unchanged = (t.SittingRow.patient_id == patient_id, t.SittingRow.version == expected_version)
        if not self._changed(update(t.SittingRow).where(*unchanged).values(**values)):
            raise Conflict("the sitting moved on elsewhere")

    def silent(self, now: datetime) -> list[str]:
        return list(self._s.scalars(select(t.SittingRow.patient_id).where(t.SittingRow.silence_due_at <= now)))

    # --- journal ---

    def put_entry(self, entry: Entry) -> None:
        lines = [asdict(line) for line in entry.lines]
        self._s.merge(
            t.EntryRow(
                id=entry.id,
                patient_id=entry.patient_id,
                sitting_id=entry.sitting_id,
                phase=entry.phase,
                visibility=entry.visibility.value,
                practices=list(entry.practices),
                hours_since_dose=entry.hours_since_dose,
                content_version=entry.content_version,
                held=entry.held,
                sealed_lines=self._seal(entry.patient_id, f"entry/{entry.id}", lines),
                created_at=entry.created_at,
                shared_at=entry.shared_at,
            )
        )

    def _entry(self, row: t.EntryRow) -> Entry:
        lines = self._open(row.patient_id, f"entry/{row.id}", row.sealed_lines)
        return Entry(
            id=row.id,
            patient_id=row.patient_id,
            sitting_id=row.sitting_id,
            phase=row.phase,
            visibility=Visibility(row.visibility),
            practices=tuple(row.practices),
            lines=tuple(EntryLine(**line) for line in lines),
            created_at=row.created_at,
            shared_at=row.shared_at,
            hours_since_dose=row.hours_since_dose,
            content_version=row.content_version,
            held=row.held,
        )

    def entry(self, entry_id: str) -> Entry | None:
        row = self._s.get(t.EntryRow, entry_id)
        return None if row is None else self._entry(row)

    def entries(self, patient_id: str) -> list[Entry]:
        query = select(t.EntryRow).where(t.EntryRow.patient_id == patient_id).order_by(t.EntryRow.created_at.desc())
        return [self._entry(row) for row in self._s.scalars(query)]

    def add_question(self, patient_id: str, addressee: str, text: str, at: datetime) -> None:
        question_id = uuid.uuid4().hex
        sealed = self._seal(patient_id, f"question/{question_id}", text)
        self._s.add(
            t.QuestionRow(id=question_id, patient_id=patient_id, addressee=addressee, sealed=sealed, created_at=at)
        )

    def questions(self, patient_id: str) -> list[tuple[str, str, str, datetime]]:
        query = (
            select(t.QuestionRow)
            .where(t.QuestionRow.patient_id == patient_id)
            .order_by(t.QuestionRow.created_at.desc())
        )
        return [
            (row.addressee, row.status, self._open(patient_id, f"question/{row.id}", row.sealed), row.created_at)
            for row in self._s.scalars(query)
        ]

    def see_part(self, patient_id: str, name: str, at: datetime) -> None:
        for row in self._s.scalars(select(t.PartRow).where(t.PartRow.patient_id == patient_id)):
            if self._open(patient_id, f"part/{row.id}", row.sealed_name).casefold() == name.casefold():
                row.times, row.last_seen = row.times + 1, at
                return
        part_id = uuid.uuid4().hex
        sealed = self._seal(patient_id, f"part/{part_id}", name)
        self._s.add(t.PartRow(id=part_id, patient_id=patient_id, sealed_name=sealed, first_seen=at, last_seen=at))

    def parts(self, patient_id: str) -> list[str]:
        query = select(t.PartRow).where(t.PartRow.patient_id == patient_id).order_by(t.PartRow.last_seen.desc())
        return [self._open(patient_id, f"part/{row.id}", row.sealed_name) for row in self._s.scalars(query)]

    # --- escalation ---

    def add_alert(self, alert: Alert) -> Alert:
        row = t.AlertRow(level_at=alert.raised_at, **_alert_fields(alert))
        self._s.add(row)
        self._s.flush()
        return replace(alert, reference=_reference(row.number))

    def put_alert(self, alert: Alert) -> None:
        row = self._s.scalars(select(t.AlertRow).where(t.AlertRow.id == alert.id)).one()
        for name, value in _alert_fields(alert).items():
            setattr(row, name, value)

    def _alert(self, row: t.AlertRow) -> Alert:
        return Alert(
            id=row.id,
            reference=_reference(row.number),
            patient_id=row.patient_id,
            level=Level[row.level],
            categories=tuple(row.categories),
            subtype=row.subtype,
            status=AlertStatus(row.status),
            raised_at=row.raised_at,
            message_id=row.message_id,
            reason=row.reason,
            version=row.version,
            acknowledged_by=row.acknowledged_by,
            acknowledged_at=row.acknowledged_at,
            resolved_by=row.resolved_by,
            resolved_at=row.resolved_at,
            outcome=row.outcome,
            cleared_at=row.cleared_at,
        )

    def alert(self, alert_id: str) -> Alert | None:
        row = self._s.scalar(select(t.AlertRow).where(t.AlertRow.id == alert_id))
        return None if row is None else self._alert(row)

    def alerts(self, *, patient_id: str | None = None, unresolved: bool = False) -> list[Alert]:
        query = select(t.AlertRow).order_by(t.AlertRow.number.desc())
        if patient_id is not None:
            query = query.where(t.AlertRow.patient_id == patient_id)
        if unresolved:
            query = query.where(t.AlertRow.status != AlertStatus.resolved.value)
        return [self._alert(row) for row in self._s.scalars(query)]

    def level_at(self, alert_id: str) -> datetime:
        return self._s.scalars(select(t.AlertRow.level_at).where(t.AlertRow.id == alert_id)).one()

    def rise(self, alert_id: str, level: Level, at: datetime) -> None:
        row = self._s.scalars(select(t.AlertRow).where(t.AlertRow.id == alert_id)).one()
        row.level, row.level_at, row.steps_taken = level.name, at, 0
        row.status, row.acknowledged_by, row.acknowledged_at = AlertStatus.open.value, None, None

    def steps_taken(self, alert_id: str) -> int:
        return self._s.scalars(select(t.AlertRow.steps_taken).where(t.AlertRow.id == alert_id)).one()

    def take_step(self, alert_id: str, expected: int) -> bool:
        untaken = (t.AlertRow.id == alert_id, t.AlertRow.steps_taken == expected)
        return self._changed(update(t.AlertRow).where(*untaken).values(steps_taken=expected + 1))

    def add_alert_event(self, alert_id: str, event: AlertEvent) -> None:
        alert = self.alert(alert_id)
        assert alert is not None
        words = None
        if event.words is not None:
            words = self._seal(alert.patient_id, f"alert/{alert_id}/{event.at.isoformat()}", event.words)
        self._s.add(
            t.AlertEventRow(
                alert_id=alert_id,
                at=event.at,
                kind=event.kind,
                actor_id=event.actor_id,
                detail=dict(event.detail),
                sealed_words=words,
            )
        )

    def alert_events(self, alert_id: str) -> list[AlertEvent]:
        alert = self.alert(alert_id)
        assert alert is not None
        rows = self._s.scalars(
            select(t.AlertEventRow).where(t.AlertEventRow.alert_id == alert_id).order_by(t.AlertEventRow.id)
        )
        return [
            AlertEvent(
                at=row.at,
                kind=row.kind,
                actor_id=row.actor_id,
                detail=row.detail,
                words=None
                if row.sealed_words is None
                else self._open(alert.patient_id, f"alert/{alert_id}/{row.at.isoformat()}", row.sealed_words),
            )
            for row in rows
        ]

    def owe(self, alert_id: str, recipient_id: int, target: str, due_at: datetime) -> None:
        self._s.add(
            t.OutboxRow(
                id=uuid.uuid4().hex,
                alert_id=alert_id,
                recipient_id=recipient_id,
                target=target,
                state="waiting",
                due_at=due_at,
                created_at=due_at,
            )
        )

    def claim(self, worker: str, now: datetime, until: datetime, limit: int) -> list[Owed]:
        row = t.OutboxRow
        free = (row.state == "waiting") | ((row.state == "claimed") & (row.claimed_until < now))
        ids = self._s.scalars(select(row.id).where(free, row.due_at <= now).order_by(row.due_at).limit(limit)).all()
        claimed = []
        for owed_id in ids:  # the condition is repeated: whoever changes the row first has it
            taken = {"state": "claimed", "claimed_by": worker, "claimed_until": until, "attempts": row.attempts + 1}
            if self._changed(update(row).where(row.id == owed_id, free).values(**taken)):
                found = self._s.get_one(row, owed_id, populate_existing=True)
                claimed.append(
                    Owed(
                        id=found.id,
                        alert_id=str(found.alert_id),
                        recipient_id=found.recipient_id,
                        target=found.target,
                        attempts=found.attempts,
                    )
                )
        return claimed

    def settle_owed(
        self, owed_id: str, *, state: str, due_at: datetime, sent_at: datetime | None, error: str | None
    ) -> None:
        row = self._s.get_one(t.OutboxRow, owed_id)
        row.state, row.due_at, row.sent_at, row.error = state, due_at, sent_at, error

    def drop_waiting(self, alert_id: str) -> None:
        waiting = (t.OutboxRow.alert_id == alert_id, t.OutboxRow.state == "waiting")
        self._s.execute(update(t.OutboxRow).where(*waiting).values(state="dropped"))

    def deliveries(self, alert_id: str) -> list[Mapping[str, Any]]:
        rows = self._s.scalars(
            select(t.OutboxRow).where(t.OutboxRow.alert_id == alert_id).order_by(t.OutboxRow.created_at)
        )
        names = ("recipient_id", "target", "state", "attempts", "sent_at", "due_at", "error")
        return [{name: getattr(row, name) for name in names} for row in rows]

    def oldest_owed(self) -> datetime | None:
        return self._s.scalar(
            select(func.min(t.OutboxRow.created_at)).where(t.OutboxRow.state.in_(("waiting", "claimed")))
        )

    # --- trust ---

    def audit(self, actor: str, action: str, subject: str, at: datetime, **detail: Any) -> None:
        if self._s.get_bind().dialect.name == "postgresql":
            self._s.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": AUDIT_LOCK})
        last = self._s.scalar(select(t.AuditRow).order_by(t.AuditRow.seq.desc()).limit(1))
        seq, previous = (1, GENESIS) if last is None else (last.seq + 1, last.hash)
        when = at.astimezone(UTC).isoformat()
        row = t.AuditRow(seq=seq, at=when, actor=actor, action=action, subject=subject, detail=detail)
        row.previous_hash, row.hash = previous, _link(previous, seq, when, actor, action, subject, detail)
        self._s.add(row)
        self._s.flush()

    def audit_of(self, subject: str) -> list[Mapping[str, Any]]:
        rows = self._s.scalars(select(t.AuditRow).where(t.AuditRow.subject == subject).order_by(t.AuditRow.seq))
        names = ("at", "actor", "action", "detail")
        return [{name: getattr(row, name) for name in names} for row in rows]

    def verify_audit(self) -> int | None:
        previous, expected = GENESIS, 1
        for row in self._s.scalars(select(t.AuditRow).order_by(t.AuditRow.seq)):
            whole = _link(previous, row.seq, row.at, row.actor, row.action, row.subject, row.detail)
            if row.seq != expected or row.previous_hash != previous or row.hash != whole:
                return row.seq
            previous, expected = row.hash, expected + 1
        return None

    def beat(self, process: str, at: datetime) -> None:
        self._s.merge(t.HeartbeatRow(process=process, at=at))

    def last_beat(self, process: str) -> datetime | None:
        return self._s.scalar(select(t.HeartbeatRow.at).where(t.HeartbeatRow.process == process))

    def _changed(self, statement: Any) -> bool:
        result: Any = self._s.execute(statement, execution_options={"synchronize_session": False})
        return bool(result.rowcount == 1)


def _open_fields(patient: Patient) -> dict[str, Any]:
    return {
        "user_id": patient.user_id,
        "coach_id": patient.coach_id,
        "flags": dict(patient.flags),
        "restricted_staff": list(patient.restricted_staff),
        "consented_at": patient.consented_at,
    }


def _alert_fields(alert: Alert) -> dict[str, Any]:
    values = {name: getattr(alert, name) for name in alert.__dataclass_fields__ if name != "reference"}
    return values | {
        "level": alert.level.name,
        "status": alert.status.value,
        "categories": list(alert.categories),
    }


def _reference(number: int) -> str:
    return f"A-{1000 + number}"


def _link(previous: str, *fields: Any) -> str:
    return hashlib.sha256(json.dumps([previous, *fields], sort_keys=True).encode()).hexdigest()
