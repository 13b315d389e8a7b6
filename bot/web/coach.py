"""The coach's face: the caseload and a patient's shared entries."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, render_template

from bot.bootstrap import Application
from bot.services.ports import NotPermitted
from bot.web.accounts import allow, signed_in_staff


def make(application: Application) -> Blueprint:
    """The coach's pages over these services."""
    pages = Blueprint("coach", __name__, url_prefix="/coach")

    @pages.get("/")
    @allow("coach")
    def caseload() -> Any:
        rows = application.digests.caseload(signed_in_staff())
        return render_template("caseload.html", rows=rows, zone=application.settings.time_zone)

    @pages.get("/patients/<patient_id>")
    @allow("coach")
    def patient(patient_id: str) -> Any:
        try:
            page = application.digests.patient_page(signed_in_staff(), patient_id)
        except NotPermitted:
            abort(404)
        return render_template("patient.html", page=page, zone=application.settings.time_zone)

    return pages
