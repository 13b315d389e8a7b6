"""The coach's face, working: every form of the desk. Each says what was done, on the page it came from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from bot.bootstrap import Application
from bot.core.coaching import COACH_SWITCHES, MEDICAL_SWITCHES
from bot.core.journeys import Route
from bot.core.people import StaffMember
from bot.services.ports import NotPermitted
from bot.web.accounts import allow, signed_in_staff
from bot.web.digest_view import moment_of


def add(pages: Blueprint, application: Application) -> None:
    """Put the forms on the coach's pages."""
    desk = application.desk

    @pages.post("/patients/<patient_id>/reviewed")
    @allow("coach")
    def reviewed(patient_id: str) -> Response:
        def work(coach: StaffMember) -> str:
            until = datetime.fromisoformat(request.form.get("until", ""))
            if until.tzinfo is None:
                raise ValueError("That page was not ours; nothing was marked.")
            desk.mark_reviewed(coach, patient_id, until)
            return "Marked as reviewed. What is shared from now on shows as unread."

        return _done(work, "digest", patient_id)

    @pages.post("/patients/<patient_id>/notes")
    @allow("coach")
    def write_note(patient_id: str) -> Response:
        def work(coach: StaffMember) -> str:
            desk.write_note(coach, patient_id, request.form.get("text", ""))
            return "The note is kept. Only you can read it."

        return _done(work, "settings", patient_id)

    @pages.post("/patients/<patient_id>/notes/<note_id>/remove")
    @allow("coach")
    def remove_note(patient_id: str, note_id: str) -> Response:
        def work(coach: StaffMember) -> str:
            desk.remove_note(coach, patient_id, note_id)
            return "The note is gone."

        return _done(work, "settings", patient_id)

    @pages.post("/patients/<patient_id>/questions/<question_id>/answer")
    @allow("coach")
    def answer(patient_id: str, question_id: str) -> Response:
        def work(coach: StaffMember) -> str:
            desk.answer(coach, patient_id, question_id, request.form.get("text", ""))
            return "Your answer waits in the chat for the next visit."

        return _done(work, "questions", patient_id)

    @pages.post("/patients/<patient_id>/ask")
    @allow("coach")
    def ask(patient_id: str) -> Response:
        def work(coach: StaffMember) -> str:
            desk.ask(coach, patient_id, request.form.get("text", ""))
            return "Your question waits in the chat for the next visit."

        return _done(work, "questions", patient_id)

    @pages.post("/patients/<patient_id>/suggest")
    @allow("coach")
    def suggest(patient_id: str) -> Response:
        def work(coach: StaffMember) -> str:
            desk.suggest(coach, patient_id, request.form.get("practice", ""))
            return "Your suggestion waits in the chat for the next visit."

        return _done(work, "questions", patient_id)

    @pages.post("/patients/<patient_id>/switches")
    @allow("coach")
    def switches(patient_id: str) -> Response:
        def work(coach: StaffMember) -> str:
            names = (*COACH_SWITCHES, *MEDICAL_SWITCHES)
            given = {name: request.form[name] == "on" for name in names if request.form.get(name) in ("on", "off")}
            desk.set_switches(coach, patient_id, given)
            return "The switches are kept. They hold from the next step on."

        return _done(work, "settings", patient_id)

    @pages.post("/patients/<patient_id>/journeys")
    @allow("coach")
    def put_journey(patient_id: str) -> Response:
        def work(coach: StaffMember) -> str:
            zone = _zone(application, patient_id)
            at = moment_of(request.form.get("at", ""), zone)
            if at is None:
                raise ValueError("A journey needs a date and time; nothing was changed.")
            names = request.form.get("attendants", "").split(",")
            desk.put_journey(
                coach,
                patient_id,
                route=Route(request.form.get("route", "")),
                scheduled_at=at,
                attendants=tuple(name.strip()[:80] for name in names if name.strip()),
                dose_ended_at=moment_of(request.form.get("ended", ""), zone),
                discharged_at=moment_of(request.form.get("home", ""), zone),
                journey_id=request.form.get("journey_id"),
            )
            return "The journey is on the timeline."

        return _done(work, "journeys", patient_id)

    @pages.post("/patients/<patient_id>/sessions")
    @allow("coach")
    def put_session(patient_id: str) -> Response:
        def work(coach: StaffMember) -> str:
            at = moment_of(request.form.get("at", ""), _zone(application, patient_id))
            if at is None:
                raise ValueError("A session needs a date and time; nothing was changed.")
            desk.put_session(coach, patient_id, at)
            return "The session is noted."

        return _done(work, "journeys", patient_id)

    @pages.post("/patients/<patient_id>/hand-over")
    @allow("coach")
    def hand_over(patient_id: str) -> Response:
        def work(coach: StaffMember) -> str:
            desk.propose_handover(coach, patient_id, int(request.form.get("to", "")))
            return "The change is proposed. The patient has been told and will choose."

        return _done(work, "settings", patient_id)


def _done(work: Callable[[StaffMember], str], page: str, patient_id: str) -> Response:
    """Do it, say so on the page it came from. What cannot be done is said there; what is not theirs does not exist."""
    try:
        flash(work(signed_in_staff()))
    except NotPermitted:
        abort(404)
    except ValueError as error:
        known = str(error).endswith((".", "changed.")) and not str(error).startswith("Invalid")
        flash(str(error) if known else "That could not be read; nothing was changed.")
    return redirect(url_for(f"coach.{page}", patient_id=patient_id))


def _zone(application: Application, patient_id: str) -> str:
    with application.uow() as tx:
        patient: Any = tx.patient(patient_id)
    return application.settings.time_zone if patient is None else str(patient.time_zone)
