"""Invented people for development: never in production, never real."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta

from bot.bootstrap import Application
from bot.core.journal import Entry, EntryLine, Visibility
from bot.core.journeys import Route
from bot.web.accounts import make_account

PASSPHRASE = "plum blossom river stone"  # noqa: S105 - printed at start, for invented people only
STAFF = (
    ("mo@plum-spring.example", "Mo Adler", ("coach",)),
    ("noor@plum-spring.example", "Noor Haddad", ("responder",)),
    ("ola@plum-spring.example", "Ola Brandt", ("responder",)),
    ("lee@plum-spring.example", "Lee Okafor", ("clinical_lead",)),
)
DUTIES = (
    ("on_call", "noor@plum-spring.example"),
    ("second", "ola@plum-spring.example"),
    ("medical_team", "ola@plum-spring.example"),
    ("director", "lee@plum-spring.example"),
    ("safeguarding", "lee@plum-spring.example"),
)
PATIENT = "rae@example.com"
INVITEE = "Sam"
SAMPLE = (
    ("recall.title", "Title", "The field"),
    ("recall.images", "Images", "a green field, my hands very large"),
    ("recall.words", "Words that stayed", "not yet"),
    ("glimmers", "A small good thing", "the dog asleep on the sofa"),
)


def seed(app: Application) -> list[str]:
    """Make the invented people once, and see that one invitation is open. Returns lines to print."""
    with app.uow() as tx:
        known = {member.email for member in tx.staff()}
        invitee = next((p.id for p in tx.patients() if p.first_name == INVITEE and p.user_id is None), None)
    if STAFF[0][0] not in known:
        ids = {email: make_account(app, email, PASSPHRASE, name, roles) for email, name, roles in STAFF}
        for duty, email in DUTIES:
            app.rota.add_shift(
                None, duty=duty, member_id=ids[email], first_day=date(2026, 1, 5), lasts_days=7, every_days=7
            )
        _patient(app)
    if invitee is not None:
        invited = app.access.invite_again(invitee)
    else:
        invited = app.access.invite(first_name=INVITEE, last_name="Reyes", phone="555-0188", coach_id=_coach(app))
        _journey(app, invited.patient_id, app.clock() - timedelta(hours=48))
    people = [f"  {email:<28} {', '.join(roles)}" for email, _, roles in STAFF]
    return [
        f"sign in with the passphrase: {PASSPHRASE}",
        f"  {PATIENT:<28} patient, a journey two days ago",
        *people,
        f"an open invitation: {app.settings.address}/invitation/{invited.token}",
    ]


def _coach(app: Application) -> int:
    with app.uow() as tx:
        return next(member.id for member in tx.staff() if member.email == STAFF[0][0])


def _journey(app: Application, patient_id: str, ended_at: datetime) -> None:
    app.access.schedule_journey(
        patient_id,
        Route.sublingual,
        ended_at - timedelta(hours=2),
        dose_ended_at=ended_at,
        discharged_at=ended_at + timedelta(hours=1),
    )
    app.access.set_flags(patient_id, parts_work_ok=True, body_work_ok=True)


def _patient(app: Application) -> None:
    now = app.clock()
    invited = app.access.invite(first_name="Rae", last_name="Lind", phone="555-0142", coach_id=_coach(app))
    user_id = make_account(app, PATIENT, PASSPHRASE, "Rae", ("patient",))
    app.access.accept(invited.token, user_id)
    while (step := app.access.next_consent(invited.patient_id)) is not None:
        answer = "call,text" if step["id"] == "ob_contact" else "yes"
        app.access.record_consent(invited.patient_id, str(step["id"]), answer)
    _journey(app, invited.patient_id, now - timedelta(hours=48))
    with app.uow() as tx:
        for visibility, days in ((Visibility.shared, 1), (Visibility.private, 2)):
            when = now - timedelta(days=days)
            tx.put_entry(
                Entry(
                    id=uuid.uuid4().hex,
                    patient_id=invited.patient_id,
                    sitting_id=uuid.uuid4().hex,
                    phase="h24_72",
                    visibility=visibility,
                    practices=("arrive", "journey_recall", "closing"),
                    lines=tuple(EntryLine(field=f, label=label, step="sample", text=text) for f, label, text in SAMPLE),
                    created_at=when,
                    shared_at=when if visibility is Visibility.shared else None,
                    hours_since_dose=24,
                )
            )
