"""The programme page and the clinic's resources, for patients."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, render_template

from bot.bootstrap import Application
from bot.web.accounts import allow, signed_in_patient


def make(application: Application) -> Blueprint:
    """The pages around the sittings over these services."""
    pages = Blueprint("programme", __name__)

    @pages.get("/programme")
    @allow("patient")
    def programme() -> Any:
        patient = signed_in_patient(application)
        standing = application.programme.standing(patient)
        return render_template("journal/programme.html", standing=standing, zone=patient.time_zone)

    @pages.get("/resources")
    @allow("patient")
    def resources() -> Any:
        phase = application.programme.standing(signed_in_patient(application)).phase.protocol_id
        listed = sorted(application.library.resources, key=lambda r: phase not in r.phases)
        return render_template("journal/resources.html", resources=listed, phase=phase)

    @pages.get("/resources/<resource_id>")
    @allow("patient")
    def resource(resource_id: str) -> Any:
        found = next((r for r in application.library.resources if r.id == resource_id), None)
        if found is None:
            abort(404)
        return render_template("journal/resource.html", resource=found)

    return pages
