"""Questions and requests: the queue, answered in the patient's chat."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for

from bot.bootstrap import Application
from bot.services.ports import NotPermitted
from bot.services.requests import MOST_ANSWER
from bot.web.accounts import STAFF, allow, signed_in_staff


def make(application: Application) -> Blueprint:
    """The queue's pages over these services."""
    pages = Blueprint("requests", __name__, url_prefix="/staff/questions")

    @pages.get("/")
    @allow(*STAFF, "coach")
    def queue() -> Any:
        return _page()

    @pages.post("/<request_id>/answer")
    @allow(*STAFF, "coach")
    def answer(request_id: str) -> Any:
        try:
            application.requests.answer(signed_in_staff(), request_id, request.form.get("answer", ""))
        except NotPermitted:
            abort(404)
        except ValueError as problem:
            return _page(str(problem)), 422
        return redirect(url_for("requests.queue"))

    def _page(problem: str | None = None) -> Any:
        waiting, wishes = application.requests.queue(signed_in_staff())
        return render_template(
            "requests.html",
            waiting=waiting,
            wishes=wishes,
            problem=problem,
            most=MOST_ANSWER,
            zone=application.settings.time_zone,
        )

    return pages
