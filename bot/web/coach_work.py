"""The coach's face, working: every form of the desk. Each says what was done, on the page it came from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from bot.bootstrap import Application
from bot.core.coaching import COACH_SWITCHES, MEDICAL_SWITCHES
from bot.core.journeys import Route
from bot.core.people import Patient, StaffMember
from bot.core.programme import SessionKind
from bot.services.ports import NotPermitted
from bot.web.accounts import allow, signed_in_staff
from bot.web.digest_view import moment_of

MOST_NAMES = 120  # characters


def add(pages: Blueprint, application: Application) -> None:
    """Put the forms on the coach's pages."""
    desk = application.desk

    @pages.post("/patients/<patient_id>/reviewed")
    @allow("coach")
    def reviewed(patient_id: str) -> Response:
        def work(coach: StaffMember, patient: Patient) -> str:
            desk.mark_reviewed(coach, patient_id, _until(request.form.get("until", "")))
            return "Marked as reviewed. What is shared from now on shows as unread."

        return _done(application, work, "digest", patient_id)

    @pages.post("/patients/<patient_id>/notes")
    @allow("coach")
    def write_note(patient_id: str) -> Response:
        def work(coach: StaffMember, patient: Patient) -> str:
            desk.write_note(coach, patient_id, request.form.get("text", ""))
            return "The note is kept. Only you can read it."

        return _done(application, work, "settings", patient_id)

    @pages.post("/patients/<patient_id>/notes/<note_id>/remove")
    @allow("coach")
    def remove_note(patient_id: str, note_id: str) -> Response:
        def work(coach: StaffMember, patient: Patient) -> str:
            desk.remove_note(coach, patient_id, note_id)
            return "The note is gone."

        return _done(application, work, "settings", patient_id)

    @pages.post("/patients/<patient_id>/questions/<question_id>/answer")
    @allow("coach")
    def answer(patient_id: str, question_id: str) -> Response:
        def work(coach: StaffMember, patient: Patient) -> str:
            desk.answer(coach, patient_id, question_id, request.form.get("text", ""))
            return "Your answer waits in the chat for the next visit."

        return _done(application, work, "questions", patient_id)

    @pages.post("/patients/<patient_id>/ask")
    @allow("coach")
    def ask(patient_id: str) -> Response:
        def work(coach: StaffMember, patient: Patient) -> str:
            desk.ask(coach, patient_id, request.form.get("text", ""))
            return "Your question waits in the chat for the next visit."

        return _done(application, work, "questions", patient_id)

    @pages.post("/patients/<patient_id>/suggest")
    @allow("coach")
    def suggest(patient_id: str) -> Response:
        def work(coach: StaffMember, patient: Patient) -> str:
            desk.suggest(coach, patient_id, request.form.get("practice", ""))
            return "Your suggestion waits in the chat for the next visit."

        return _done(application, work, "questions", patient_id)

    @pages.post("/patients/<patient_id>/switches")
    @allow("coach")
    def switches(patient_id: str) -> Response:
        def work(coach: StaffMember, patient: Patient) -> str:
            names = (*COACH_SWITCHES, *MEDICAL_SWITCHES)
            given = {name: request.form[name] == "on" for name in names if request.form.get(name) in ("on", "off")}
            desk.set_switches(coach, patient_id, given)
            return "The switches are kept. They hold from the next step on."

        return _done(application, work, "settings", patient_id)

    @pages.post("/patients/<patient_id>/journeys")
    @allow("coach")
    def put_journey(patient_id: str) -> Response:
        def work(coach: StaffMember, patient: Patient) -> str:
            zone = patient.time_zone
            at = moment_of(request.form.get("at", ""), zone)
            if at is None:
                raise ValueError("A journey needs a date and time; nothing was changed.")
            desk.put_journey(
                coach,
                patient_id,
                route=_route(request.form.get("route", "")),
                scheduled_at=at,
                attended_by=request.form.get("attended_by", "").strip()[:MOST_NAMES],
                dose_ended_at=moment_of(request.form.get("ended", ""), zone),
                discharged_at=moment_of(request.form.get("home", ""), zone),
                journey_id=request.form.get("journey_id"),
            )
            return "The journey is on the timeline."

        return _done(application, work, "journeys", patient_id)

    @pages.post("/patients/<patient_id>/sessions")
    @allow("coach")
    def put_session(patient_id: str) -> Response:
        def work(coach: StaffMember, patient: Patient) -> str:
            at = moment_of(request.form.get("at", ""), patient.time_zone)
            if at is None:
                raise ValueError("A session needs a date and time; nothing was changed.")
            desk.put_session(coach, patient_id, _session_kind(request.form.get("kind", "")), at)
            return "The session is noted."

        return _done(application, work, "journeys", patient_id)

    @pages.post("/patients/<patient_id>/hand-over")
    @allow("coach")
    def hand_over(patient_id: str) -> Response:
        def work(coach: StaffMember, patient: Patient) -> str:
            desk.propose_handover(coach, patient_id, request.form.get("to", 0, type=int))
            return "The change is proposed. The patient has been told and will choose."

        return _done(application, work, "settings", patient_id)


def _done(
    application: Application, work: Callable[[StaffMember, Patient], str], page: str, patient_id: str
) -> Response:
    """Do it, and say so on the page it came from. What is not theirs does not exist, whatever the form holds."""
    coach = signed_in_staff()
    try:
        flash(work(coach, application.desk.own_patient(coach, patient_id)))
    except NotPermitted:
        abort(404)
    except ValueError as error:
        flash(str(error))
    return redirect(url_for(f"coach.{page}", patient_id=patient_id))


def _until(text: str) -> datetime:
    """The moment of the page that was read."""
    try:
        until = datetime.fromisoformat(text)
    except ValueError:
        until = datetime.min
    if until.tzinfo is None:
        raise ValueError("That form was not complete; nothing was marked. Please open the digest again.")
    return until


def _route(text: str) -> Route:
    if text not in {route.value for route in Route}:
        raise ValueError("A journey needs a route; nothing was changed.")
    return Route(text)


def _session_kind(text: str) -> SessionKind:
    if text not in {kind.value for kind in SessionKind}:
        raise ValueError("A session is one of preparation or of integration; nothing was changed.")
    return SessionKind(text)
