"""The patient's own journal: entries, parts, small steps, questions, who has seen what, and a copy of it all."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for

from bot.adapters.pdf import pdf
from bot.bootstrap import Application
from bot.core.journal import Visibility
from bot.core.safety.verdict import Level
from bot.services.ports import NotPermitted
from bot.web.accounts import allow, signed_in_patient
from bot.web.incoming import whole

MOST_SEARCH = 200  # characters of a search
FILES = {
    "markdown": ("text/markdown; charset=utf-8", "journal.md"),
    "json": ("application/json", "journal.json"),
    "pdf": ("application/pdf", "journal.pdf"),
    "alerts": ("text/markdown; charset=utf-8", "alerts.md"),
}


def index(application: Application) -> Any:
    """The entries in chapters, one a journey."""
    patient = signed_in_patient(application)
    return _page(
        application,
        "journal/index.html",
        chapters=application.journal.by_journey(patient.id),
        waiting=application.journal.waiting_removals(patient.id),
        coach_change=application.desk.pending_handover(patient.id) is not None,
    )


def make(application: Application) -> Blueprint:
    """The pages under /entries over these services."""
    pages = Blueprint("entries", __name__, url_prefix="/entries")
    journal = application.journal

    @pages.get("/on-this-day")
    @allow("patient")
    def on_this_day() -> Any:
        found = journal.on_this_day(signed_in_patient(application))
        return _page(application, "journal/on_this_day.html", found=found)

    @pages.route("/search", methods=["GET", "POST"])
    @allow("patient")
    def search() -> Any:
        words = request.form.get("words", "")[:MOST_SEARCH]  # posted: a patient's words never stand in an address
        found = journal.search(signed_in_patient(application).id, words)
        asked = request.method == "POST"
        return _page(application, "journal/search.html", words=words, found=found, asked=asked)

    @pages.get("/<entry_id>")
    @allow("patient")
    @_or_nothing_here
    def entry(entry_id: str) -> Any:
        found = journal.entry(signed_in_patient(application).id, entry_id)
        return _page(application, "journal/entry.html", entry=found)

    @pages.post("/<entry_id>/visibility")
    @allow("patient")
    @_or_nothing_here
    def visibility(entry_id: str) -> Any:
        wanted = Visibility(request.form.get("visibility", ""))
        journal.set_visibility(signed_in_patient(application).id, entry_id, wanted)
        return redirect(url_for("entries.entry", entry_id=entry_id))

    @pages.post("/<entry_id>/correct")
    @allow("patient")
    @_or_nothing_here
    def correct(entry_id: str) -> Any:
        patient, texts = signed_in_patient(application), request.form.getlist("line")
        found = journal.entry(patient.id, entry_id)
        try:
            changed = journal.correct(patient, entry_id, [whole(text) for text in texts])
        except ValueError as problem:
            return _page(application, "journal/entry.html", entry=found, problem=str(problem), texts=texts), 422
        if changed and talk_follows(application, patient.id, changed):
            return redirect(url_for("patient.journal"))
        return redirect(url_for("entries.entry", entry_id=entry_id))

    @pages.route("/<entry_id>/remove", methods=["GET", "POST"])
    @allow("patient")
    @_or_nothing_here
    def remove(entry_id: str) -> Any:
        patient = signed_in_patient(application)
        found = journal.entry(patient.id, entry_id)
        if request.method == "GET":
            return _page(application, "journal/remove.html", entry=found, must_wait=journal.must_wait(patient))
        removal = journal.remove(patient, entry_id)
        return _page(application, "journal/removed.html", removal=removal)

    @pages.get("/parts")
    @allow("patient")
    def parts() -> Any:
        return _page(application, "journal/parts.html", portraits=journal.parts(signed_in_patient(application).id))

    @pages.post("/parts/merge")
    @allow("patient")
    @_or_nothing_here
    def merge() -> Any:
        patient = signed_in_patient(application)
        kept, gone = request.form.get("kept", ""), request.form.get("gone", "")
        journal.merge_parts(patient.id, kept, gone, by=f"patient:{patient.id}")
        return redirect(url_for("entries.parts"))

    @pages.get("/steps")
    @allow("patient")
    def steps() -> Any:
        patient = signed_in_patient(application)
        soonest = {reminder.entry_id: reminder for reminder in reversed(application.reminders.waiting(patient.id))}
        return _page(application, "journal/steps.html", steps=journal.steps(patient.id), reminders=soonest)

    @pages.post("/steps/<entry_id>/quiet")
    @allow("patient")
    @_or_nothing_here
    def quiet(entry_id: str) -> Any:
        application.reminders.quiet(signed_in_patient(application).id, entry_id)
        return redirect(url_for("entries.steps"))

    @pages.get("/questions")
    @allow("patient")
    def questions() -> Any:
        found = journal.questions(signed_in_patient(application).id)
        return _page(application, "journal/questions.html", questions=found)

    @pages.post("/questions/<question_id>/withdraw")
    @allow("patient")
    @_or_nothing_here
    def withdraw(question_id: str) -> Any:
        journal.withdraw_question(signed_in_patient(application).id, question_id)
        return redirect(url_for("entries.questions"))

    @pages.get("/seen")
    @allow("patient")
    def seen() -> Any:
        return _page(application, "journal/seen.html", seen=journal.seen_by(signed_in_patient(application).id))

    @pages.get("/copy")
    @allow("patient")
    def copy() -> Any:
        return _page(application, "journal/copy.html")

    @pages.post("/copy/<kind>")
    @allow("patient")
    def file(kind: str) -> Any:
        if kind not in FILES:
            abort(404)
        patient = signed_in_patient(application)
        content: str | bytes
        if kind == "pdf":
            journal.note_export(patient.id, kind)
            content = pdf(_print_page(application))
        elif kind == "alerts":
            content = journal.alerts_file(patient)
        else:
            content = journal.export(patient, kind)
        return _download(content, kind)

    return pages


def talk_follows(application: Application, patient_id: str, words: str) -> bool:
    """Check words written on a page for danger; whether they led to something in the conversation."""
    received = application.screening.check_aside(patient_id, words)
    if received is None:
        return False
    if received.verdict.level >= Level.urgent or received.verdict.failed_layers:
        application.delivery.send_at_once(patient_id, "web")
    application.conversation.deliver(received.message.id)
    return True


def _print_page(application: Application) -> str:
    patient = signed_in_patient(application)
    journal = application.journal
    return render_template(
        "journal/print.html",
        first_name=patient.first_name,
        entries=journal.entries(patient.id),
        portraits=journal.parts(patient.id),
        steps=journal.steps(patient.id),
        questions=journal.questions(patient.id),
        zone=patient.time_zone,
        now=application.clock(),
    )


def _page(application: Application, template: str, **content: Any) -> str:
    return render_template(template, zone=signed_in_patient(application).time_zone, **content)


def _download(content: str | bytes, kind: str) -> Response:
    media, name = FILES[kind]
    response = make_response(content)
    response.headers["Content-Type"] = media
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _or_nothing_here(view: Callable[..., Any]) -> Callable[..., Any]:
    """What is not the patient's own, or no choice there is, does not exist here."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return view(*args, **kwargs)
        except (NotPermitted, ValueError):
            abort(404)

    return guarded
