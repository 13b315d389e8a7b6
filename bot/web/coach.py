"""The coach's face, reading: the caseload, and one patient's digest, entries, parts, journeys, questions, settings."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

from flask import Blueprint, abort, render_template, request, url_for

from bot.bootstrap import Application
from bot.core.coaching import COACH_SWITCHES, MEDICAL_SWITCHES
from bot.core.journeys import Route
from bot.core.programme import SessionKind
from bot.services.caseload import arrange
from bot.web import coach_files, coach_work, digest_view
from bot.web.accounts import allow, signed_in_staff
from bot.web.coach_page import TABS, opened, render_tab

ROWS, CARDS = 50, 20  # patients and entries on one page
SWITCHES = {
    "parts_work_ok": "Getting to know parts",
    "body_work_ok": "Following the body",
    "breath_ok": "A longer out-breath",
    "cool_water_ok": "Cool water",
    "phone_contact_ok": "May be called",
    "voicemail_ok": "Voicemail may be left",
    "text_ok": "May be texted",
    "emergency_contact_consent": "Emergency contact may be told",
}


def make(application: Application) -> Blueprint:
    """The coach's pages over these services."""
    pages = Blueprint("coach", __name__, url_prefix="/coach")
    pages.add_app_template_filter(digest_view.local_day, "day")
    pages.add_app_template_filter(digest_view.field_value, "field")

    @pages.get("/")
    @allow("coach")
    def caseload() -> Any:
        everyone = application.caseload.rows(signed_in_staff())
        asked = SimpleNamespace(
            search=request.args.get("q", ""),
            phase=request.args.get("phase", ""),
            only=request.args.get("only", ""),
            sort=request.args.get("sort", "name"),
        )
        found = arrange(everyone, sort=asked.sort, only=asked.only, phase=asked.phase, search=asked.search)
        pages_in_all = max(1, math.ceil(len(found) / ROWS))
        number = min(max(1, request.args.get("page", 1, type=int)), pages_in_all)
        kept = {"q": asked.search, "phase": asked.phase, "only": asked.only}
        return render_template(
            "coach/caseload.html",
            rows=found[(number - 1) * ROWS : number * ROWS],
            everyone=len(everyone),
            total=len(found),
            asked=asked,
            words=digest_view.WORDS,
            number=number,
            pages=pages_in_all,
            sort_url=lambda key: url_for("coach.caseload", sort=key, **kept),
            page_url=lambda page: url_for("coach.caseload", sort=asked.sort, page=page, **kept),
        )

    @pages.get("/patients/<patient_id>")
    @allow("coach")
    def digest(patient_id: str) -> Any:
        return render_tab(application, patient_id, "digest")

    @pages.get("/patients/<patient_id>/prepare")
    @allow("coach")
    def prepare(patient_id: str) -> Any:
        _, found = opened(application, patient_id, "prepare")
        bring = [part for part in found["d"].parts if part.asked_to_bring is not None]
        return render_template("coach/prepare.html", **found, tab="prepare", tabs=TABS, bring=bring)

    @pages.get("/patients/<patient_id>/entries")
    @allow("coach")
    def entries(patient_id: str) -> Any:
        view, found = opened(application, patient_id, "entries")
        pages_in_all = max(1, math.ceil(len(view.entries) / CARDS))
        number = min(max(1, request.args.get("page", 1, type=int)), pages_in_all)
        return render_template(
            "coach/entries.html",
            **found,
            tab="entries",
            tabs=TABS,
            page_of_entries=view.entries[(number - 1) * CARDS : number * CARDS],
            number=number,
            pages=pages_in_all,
        )

    @pages.get("/patients/<patient_id>/entries/<entry_id>")
    @allow("coach")
    def entry(patient_id: str, entry_id: str) -> Any:
        view, found = opened(application, patient_id, "entry")
        wanted = next((entry for entry in view.entries if entry.id == entry_id), None)
        if wanted is None:
            abort(404)
        return render_template("coach/entry.html", **found, tab="entries", tabs=TABS, entry=wanted)

    @pages.get("/patients/<patient_id>/parts")
    @allow("coach")
    def parts(patient_id: str) -> Any:
        return render_tab(application, patient_id, "parts")

    @pages.get("/patients/<patient_id>/journeys")
    @allow("coach")
    def journeys(patient_id: str) -> Any:
        view, found = opened(application, patient_id, "journeys")
        changing = next((j for j in view.journeys if j.id == request.args.get("change")), None)
        return render_template(
            "coach/journeys.html",
            **found,
            tab="journeys",
            tabs=TABS,
            changing=changing,
            routes=list(Route),
            kinds=list(SessionKind),
        )

    @pages.get("/patients/<patient_id>/questions")
    @allow("coach")
    def questions(patient_id: str) -> Any:
        view, found = opened(application, patient_id, "questions")
        labels = {flow.id: flow.label for flow in application.library.flows.values()}
        return render_template(
            "coach/questions.html",
            **found,
            tab="questions",
            tabs=TABS,
            practices=application.desk.practices(view.patient),
            all_practices=labels,
        )

    @pages.get("/patients/<patient_id>/settings")
    @allow("coach")
    def settings(patient_id: str) -> Any:
        view, found = opened(application, patient_id, "settings")
        coach = signed_in_staff()
        own = (*COACH_SWITCHES, *(MEDICAL_SWITCHES if "medical" in coach.roles else ()))
        return render_template(
            "coach/settings.html",
            **found,
            tab="settings",
            tabs=TABS,
            switches=[(name, SWITCHES[name]) for name in own],
            shown=[(SWITCHES[n], _flag(view.patient.flags.get(n))) for n in SWITCHES if n not in own],
            pending=application.desk.pending_handover(patient_id),
            colleagues=application.desk.colleagues(coach, view.patient),
        )

    coach_work.add(pages, application)
    coach_files.add(pages, application)
    return pages


def _flag(value: bool | None) -> str:
    return "not set" if value is None else "yes" if value else "no"
