"""The staff's face: the board of alerts, one alert, acknowledging it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for

from bot.bootstrap import Application
from bot.services.escalation import OUTCOMES
from bot.services.ports import NotPermitted
from bot.web.accounts import STAFF, allow, signed_in_staff


def make(application: Application) -> Blueprint:
    """The staff's pages over these services."""
    pages = Blueprint("staff", __name__, url_prefix="/staff")

    @pages.get("/")
    @allow(*STAFF)
    def board() -> Any:
        return render_template(
            "board.html",
            views=application.escalation.board(signed_in_staff()),
            now=application.clock(),
            zone=application.settings.time_zone,
        )

    @pages.get("/alerts/<alert_id>")
    @allow(*STAFF)
    def alert(alert_id: str) -> Any:
        return _page(alert_id, words=None)

    @pages.post("/alerts/<alert_id>/words")
    @allow(*STAFF)
    def words(alert_id: str) -> Any:
        try:
            found = application.escalation.reveal_words(alert_id, signed_in_staff())
        except NotPermitted:
            abort(404)
        return _page(alert_id, words=found)

    @pages.post("/alerts/<alert_id>/<action>")
    @allow(*STAFF)
    def act(alert_id: str, action: str) -> Any:
        member = signed_in_staff()
        try:
            if action == "acknowledge":
                application.escalation.acknowledge(alert_id, member)
            elif action == "resolve":
                application.escalation.resolve(alert_id, member, request.form["outcome"], request.form.get("note", ""))
            elif action == "clear":
                application.escalation.clear_to_journal(alert_id, member)
            else:
                abort(404)
        except (NotPermitted, ValueError):
            abort(404)
        return redirect(url_for("staff.alert", alert_id=alert_id))

    def _page(alert_id: str, words: Any) -> Any:
        try:
            view = application.escalation.view(alert_id, signed_in_staff())
        except NotPermitted:
            abort(404)
        with application.uow() as tx:
            names = {member.id: member.name for member in tx.staff()}
        return render_template(
            "alert.html",
            view=view,
            words=words,
            names=names,
            outcomes=OUTCOMES,
            zone=application.settings.time_zone,
            now=application.clock(),
        )

    return pages
