"""One patient's page, opened for their coach: the one place where the desk's pages and files get what they show."""

from __future__ import annotations

from typing import Any

from flask import abort, render_template, request, url_for

from bot.bootstrap import Application
from bot.core.digest.records import Source
from bot.services.digests import PatientView
from bot.services.ports import NotPermitted
from bot.web import digest_view
from bot.web.accounts import signed_in_staff

TABS = (
    ("digest", "Digest"),
    ("entries", "Entries"),
    ("parts", "Parts"),
    ("journeys", "Journeys"),
    ("questions", "Questions"),
    ("settings", "Settings"),
)


def opened(application: Application, patient_id: str, page: str) -> tuple[PatientView, dict[str, Any]]:
    """One own patient and the variables of their pages; the view is audited. Aborts with 404 for anyone else's."""
    choice = digest_view.choice_of(request.args)
    try:
        view = application.digests.patient_page(signed_in_staff(), patient_id, choice, page=page)
    except NotPermitted:
        abort(404)

    def source_url(source: Source) -> str:
        return url_for("coach.entry", patient_id=patient_id, entry_id=source.entry_id, _anchor=f"line-{source.line}")

    def window_url(**query: Any) -> str:
        return url_for(request.endpoint or "coach.digest", patient_id=patient_id, **query)

    return view, digest_view.context(view, choice, application.wordings.ladder, source_url) | {"window_url": window_url}


def render_tab(application: Application, patient_id: str, tab: str) -> str:
    """A tab that needs nothing but the patient's view."""
    _, found = opened(application, patient_id, tab)
    return render_template(f"coach/{tab}.html", **found, tab=tab, tabs=TABS)
