"""The coach's face, paper and files: the page for printing, PDF, Markdown, JSON, FHIR, and the schedule import."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, abort, render_template, request, url_for

from bot.adapters.pdf import pdf
from bot.bootstrap import Application
from bot.core.digest.data import as_data
from bot.core.digest.plain import as_markdown
from bot.services.schedule import ScheduleUnreadable
from bot.web.accounts import allow, signed_in_staff
from bot.web.coach_page import opened

TYPES = {
    "pdf": ("application/pdf", "pdf"),
    "md": ("text/markdown; charset=utf-8", "md"),
    "json": ("application/json", "json"),
    "fhir": ("application/fhir+json", "fhir.json"),
}


def add(pages: Blueprint, application: Application) -> None:
    """Put paper and files on the coach's pages."""

    @pages.get("/patients/<patient_id>/print")
    @allow("coach")
    def paper(patient_id: str) -> str:
        return _paper(application, patient_id, "print")

    @pages.get("/patients/<patient_id>/digest.<kind>")
    @allow("coach")
    def saved(patient_id: str, kind: str) -> Response:
        if kind not in TYPES:
            abort(404)
        if kind == "pdf":
            body: bytes | str = pdf(_paper(application, patient_id, "pdf"))
        else:
            body = _written(application, patient_id, kind)
        kind_of, ending = TYPES[kind]
        response = Response(body, content_type=kind_of)
        response.headers["Content-Disposition"] = f'attachment; filename="digest-{patient_id[:8]}.{ending}"'
        response.headers["Cache-Control"] = "no-store"
        return response

    @pages.route("/schedule", methods=["GET", "POST"])
    @allow("coach")
    def schedule() -> Any:
        shown: dict[str, Any] = {"zone": application.settings.time_zone}
        upload = request.files.get("file")
        if request.method == "POST" and upload is not None:
            try:
                rows, unread = application.read_schedule(
                    upload.filename or "", upload.read(), application.settings.time_zone
                )
            except ScheduleUnreadable as error:
                shown["problem"] = str(error)
            else:
                shown["done"] = application.schedule.take_over(signed_in_staff(), rows)
                shown["refused"] = [*unread, *shown["done"].refused]
        return render_template("coach/schedule.html", **shown)


def _paper(application: Application, patient_id: str, page: str) -> str:
    _, found = opened(application, patient_id, page)
    css = url_for("static", filename="paper.css")
    return render_template("coach/paper.html", **found, paper_css=css, coach_name=signed_in_staff().name)


def _written(application: Application, patient_id: str, kind: str) -> str:
    view, _ = opened(application, patient_id, kind)
    if kind == "md":
        return as_markdown(view.digest, who=view.patient.first_name, coach=signed_in_staff().name)
    data = as_data(view.digest) if kind == "json" else application.fhir_bundle(view)
    return json.dumps(data, ensure_ascii=False, indent=1)
