"""The patient's own view of what their coach can read, and their choice at a change of coach."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, redirect, render_template, request, url_for

from bot.bootstrap import Application
from bot.core.coaching import History
from bot.core.digest.records import Source
from bot.services.desk import TooSoon
from bot.services.ports import NotPermitted
from bot.web import digest_view
from bot.web.accounts import allow, signed_in_patient


def make(application: Application) -> Blueprint:
    """The patient's pages about their coach."""
    pages = Blueprint("own", __name__)

    @pages.get("/my-digest")
    @allow("patient")
    def digest() -> Any:
        patient = signed_in_patient(application)
        choice = digest_view.choice_of(request.args)
        view = application.digests.own_page(patient.id, choice)
        readers = application.digests.readers(patient.id)

        def source_url(source: Source) -> str:
            return url_for("entries.entry", entry_id=source.entry_id)

        def window_url(**query: Any) -> str:
            return url_for("own.digest", **query)

        return render_template(
            "coach/own.html",
            **digest_view.context(view, choice, application.wordings.ladder, source_url),
            window_url=window_url,
            coach_name=view.names.get(patient.coach_id or 0, ""),
            seen=_seen(readers[-1], patient.time_zone) if readers else None,
        )

    @pages.route("/coach-change", methods=["GET", "POST"])
    @allow("patient")
    def change() -> Any:
        patient = signed_in_patient(application)
        pending = application.desk.pending_handover(patient.id)
        if pending is None and patient.shares_from is None:
            abort(404)
        name = pending[1] if pending is not None else application.desk.coach_name(patient)
        if request.method == "POST":
            try:
                application.desk.choose_history(patient.id, History(request.form.get("history", "")))
            except TooSoon:
                text = application.desk.text("coach.new_coach_later", name)
                return render_template("coach/coach_change.html", text=text, later=True)
            except (ValueError, NotPermitted):
                abort(404)
            return redirect(url_for("patient.entries"))
        text = application.desk.text("coach.new_coach", name)
        return render_template("coach/coach_change.html", text=text, later=False)

    return pages


def _seen(reader: tuple[str, str], zone: str) -> tuple[str, str]:
    """Who looked last, and when in words: "Tuesday, Nov 24"."""
    name, at = reader
    return name, f"{datetime.fromisoformat(at).astimezone(ZoneInfo(zone)):%A, %b %-d}"
