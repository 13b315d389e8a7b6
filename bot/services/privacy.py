"""The patient's rights: what is kept, who looked, correcting, stopping, deleting everything; and retention.

Source: protocol 7.3 to 7.6.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core.journal import Visibility
from bot.core.people import Patient
from bot.core.privacy import REVOKED, Consent, DeletionRequest, Retention
from bot.core.safety.verdict import Level
from bot.services.ports import Clock, NotPermitted, Transaction, UnitOfWork
from bot.services.removal import ask_deletion, undecided, withdraw_deletion

WAYS = ("phone_contact_ok", "voicemail_ok", "text_ok")
SEEN = {  # audit action -> what was looked at, in the patient's words
    "entries.viewed": "entries you share",
    "alert.viewed": "an alert about you",
    "alert.words_read": "the words behind an alert",
    "digest.viewed": "the summary of what you share",
}
QUIET = timedelta(minutes=1)  # no turn of Rasa takes so long
LOOKING = (".viewed", ".read", "_read", ".exported", ".opened", ".printed")


@dataclass(frozen=True, kw_only=True)
class View:
    """One time that a person of the clinic looked at something of a patient's. `at` is ISO 8601, UTC."""

    at: str
    who: str
    what: str


@dataclass(frozen=True, kw_only=True)
class Overview:
    """All that a patient may know about their record."""

    patient: Patient
    counts: Mapping[str, int]
    consents: Sequence[Consent]
    views: Sequence[View]  # newest first
    deletion: DeletionRequest | None
    undecided_until: datetime | None


class PrivacyService:
    """Carries out the patient's rights. `forget` drops a conversation from Rasa's store; `purge` frees disk pages."""

    def __init__(
        self,
        uow: UnitOfWork,
        clock: Clock,
        retention: Retention,
        forget: Callable[[str], None],
        purge: Callable[[], None],
    ) -> None:
        self._uow, self._clock, self._retention = uow, clock, retention
        self._forget, self._purge = forget, purge
        self._swept_at: datetime | None = None

    def overview(self, patient_id: str) -> Overview:
        """What is kept about a patient and who looked at it. Raises NotPermitted for no such patient."""
        now = self._clock()
        with self._uow() as tx:
            patient = _known(tx, patient_id)
            return Overview(
                patient=patient,
                counts=tx.counts_of(patient_id),
                consents=tx.consent_records(patient_id),
                views=self._views(tx, patient),
                deletion=tx.deletion(patient_id),
                undecided_until=undecided(tx, patient, now),
            )

    def _views(self, tx: Transaction, patient: Patient) -> list[View]:
        names = {f"user:{member.id}": member.name for member in tx.staff()}
        subjects = [
            patient.id,
            *(e.id for e in tx.entries(patient.id)),
            *(a.id for a in tx.alerts(patient_id=patient.id)),
        ]
        facts = [fact for subject in subjects for fact in tx.audit_of(subject)]
        looked = [f for f in facts if f["actor"].startswith("user:") and f["action"].endswith(LOOKING)]
        views = [
            View(at=f["at"], who=names.get(f["actor"], "a former member of staff"), what=_what(f["action"]))
            for f in looked
        ]
        return sorted(views, key=lambda view: view.at, reverse=True)

    def correct(self, patient_id: str, *, first_name: str, phone: str, ways: frozenset[str]) -> Patient:
        """Change how the patient is called and may be reached; `ways` are of WAYS. Raises ValueError, NotPermitted."""
        if not 1 <= len(first_name.strip()) <= 60 or not first_name.isprintable():
            raise ValueError("Please write the name that you would like to be called by, up to 60 letters.")
        if len(phone) > 30 or not set(phone) <= set("0123456789+-() .") or sum(map(str.isdigit, phone)) < 7:
            raise ValueError("That does not look like a phone number.")
        with self._uow() as tx:
            patient = _known(tx, patient_id)
            flags = {**patient.flags, **{way: way in ways for way in WAYS}}
            changed = replace(patient, first_name=first_name.strip(), phone=phone.strip(), flags=flags)
            tx.put_patient(changed)
            tx.audit(f"patient:{patient_id}", "patient.corrected", patient_id, self._clock())
        return changed

    def stop(self, patient_id: str) -> None:
        """Take consent back: nothing new is taken in, nothing stays shared; reading, export and deletion still work."""
        now = self._clock()
        with self._uow() as tx:
            patient = _known(tx, patient_id)
            tx.add_consent(patient_id, REVOKED, "yes", "", now)
            tx.put_patient(replace(patient, consented_at=None))
            for entry in tx.entries(patient_id):
                if entry.visibility is Visibility.shared:
                    tx.put_entry(replace(entry, visibility=Visibility.private, shared_at=None))
            tx.audit(f"patient:{patient_id}", "consent.revoked", patient_id, now)

    def ask_deletion(self, patient_id: str) -> DeletionRequest:
        """Ask to delete everything. Confirmed at once, or noted and asked again when a day has passed after a dose."""
        with self._uow() as tx:
            patient = _known(tx, patient_id)
            return ask_deletion(tx, patient, self._clock(), window=timedelta(0))

    def withdraw_deletion(self, patient_id: str) -> None:
        """Keep everything after all. Changes nothing where nothing was asked."""
        with self._uow() as tx:
            withdraw_deletion(tx, patient_id, self._clock())

    def run_deletions(self) -> int:
        """Carry out the confirmed requests that are due; called by the worker. Returns how many patients were erased.

        One waits while a new dose makes it too early, and while the clinic still has an alert to answer, because the
        people answering it need to know whom to call.
        """
        with self._uow.reading() as tx:
            due = tx.deletions_due(self._clock())
        return sum(self._erase(request) for request in due)

    def _erase(self, request: DeletionRequest) -> bool:
        now = self._clock()
        with self._uow() as tx:
            patient = _known(tx, request.patient_id)
            wait = undecided(tx, patient, now)
            if wait is not None:
                tx.put_deletion(replace(request, not_before=wait))
                return False
            if any(a.level >= Level.urgent for a in tx.alerts(patient_id=patient.id, unresolved=True)):
                return False
            gone = tx.erase(patient.id, now)
            tx.put_deletion(replace(request, done_at=now))
            tx.audit("system", "patient.erased", patient.id, now, rows=sum(gone.values()))
        self._forget(patient.conversation_id)
        self._purge()
        return True

    def forget_removed(self) -> int:
        """Let Rasa forget what patients removed, once they have been quiet for a moment; called by the worker.

        While a turn is under way Rasa would write its window back. Returns how many conversations were forgotten.
        """
        before = self._clock() - QUIET
        with self._uow() as tx:
            patients = [tx.patient(patient_id) for patient_id in tx.to_forget(before)]
        for patient in (p for p in patients if p is not None):
            self._forget(patient.conversation_id)
            with self._uow() as tx:
                tx.drop_forgetting(patient.id, before)
        if patients:
            self._purge()
        return len(patients)

    def sweep(self) -> Mapping[str, int]:
        """Delete what is older than the policy keeps, at most once an hour; called by the worker. Audited by counts."""
        now = self._clock()
        if self._swept_at is not None and now - self._swept_at < timedelta(hours=1):
            return {}
        self._swept_at, keep = now, self._retention
        with self._uow() as tx:
            gone = {
                "messages": tx.forget_messages(now - timedelta(days=keep.messages)),
                "entries": tx.forget_entries(now - timedelta(days=keep.entries)),
                "alerts": tx.forget_alerts(now - timedelta(days=keep.alerts)),
                "invitations": tx.forget_invitations(now - timedelta(days=keep.invitations)),
                **tx.forget_sign_ins(now - timedelta(days=keep.sign_ins)),
            }
            if any(gone.values()):
                tx.audit("system", "retention.swept", "clinic", now, **gone)
        return gone


def _known(tx: Transaction, patient_id: str) -> Patient:
    patient = tx.patient(patient_id)
    if patient is None or patient.erased_at is not None:
        raise NotPermitted(patient_id)
    return patient


def _what(action: str) -> str:
    return SEEN.get(action, action.split(".")[0].replace("_", " "))
