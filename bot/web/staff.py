"""The staff's face: the board of alerts, one alert and what is done about it, and answering from a message's link."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for

from bot.bootstrap import Application
from bot.core.policy import TARGET_NAMES
from bot.core.safety.verdict import Level
from bot.services.escalation import OUTCOMES
from bot.services.ports import NotPermitted
from bot.web.accounts import STAFF, allow, signed_in_staff

OUTCOME_WORDS = {
    "contacted": "Spoke with the patient",
    "safety_plan": "Made a safety plan together",
    "sent_to_emergency": "Sent to emergency care",
    "not_a_risk": "Not a risk: the program misread it",
}
PHASES = {
    "journey_day": "on a journey day",
    "first_24h": "in the first 24 hours after",
    "h24_72": "24 to 72 hours after",
    "open_integration": "between journeys",
    "before_next": "before the next journey",
    "preparation": "before the first journey",
}
EVENT_WORDS = {
    "raised": "Raised",
    "step": "Policy step",
    "notified": "Notified",
    "send_failed": "Could not be sent",
    "no_one_on_duty": "No one on duty",
    "acknowledged": "Acknowledged",
    "acknowledgement_ended": "Acknowledgement ended: nothing followed",
    "told": "Told the patient",
    "staff_answer": "The patient answered",
    "staff_text": "The patient wrote to the team",
    "retracted": "The patient took it back",
    "misread": "The patient says it was misread",
    "note": "Note",
    "lowered": "Level lowered",
    "resolved": "Closed",
    "reopened": "Opened again",
    "cleared": "Journal opened again",
    "reminded": "Reminder of the held journal",
    "drill_arrived": "Drill arrived",
    "drill_failed": "Drill did not arrive",
}


def make(application: Application) -> Blueprint:
    """The staff's pages over these services."""
    pages = Blueprint("staff", __name__, url_prefix="/staff")
    zone = application.settings.time_zone

    @pages.get("/")
    @allow(*STAFF)
    def board() -> Any:
        member = signed_in_staff()
        views = application.escalation.board(member)
        shown = {"views": views, "now": application.clock(), "zone": zone, "roles": TARGET_NAMES}
        if request.args.get("rows"):  # the open page keeps itself current with this
            return render_template("board_rows.html", **shown)
        drills = application.watch.drill_state()
        return render_template("board.html", **shown, gaps=application.rota.gaps()[:3], drills=drills)

    @pages.get("/alerts/")
    @allow(*STAFF)
    def past() -> Any:
        views = application.escalation.all_for(signed_in_staff())
        return render_template("past.html", views=views, zone=zone, outcomes=OUTCOME_WORDS)

    @pages.get("/alerts/<alert_id>")
    @allow(*STAFF)
    def alert(alert_id: str) -> Any:
        return _page(alert_id)

    @pages.get("/alerts/<alert_id>/status")
    @allow(*STAFF)
    def status(alert_id: str) -> Any:
        try:
            view = application.alert_pages.glance(alert_id, signed_in_staff())
        except NotPermitted:
            abort(404)
        return render_template("alert_status.html", view=view, zone=zone, roles=TARGET_NAMES, now=application.clock())

    @pages.post("/alerts/<alert_id>/words")
    @allow(*STAFF)
    def words(alert_id: str) -> Any:
        try:
            found = application.escalation.reveal_words(alert_id, signed_in_staff())
        except NotPermitted:
            abort(404)
        return _page(alert_id, words=found)

    @pages.post("/alerts/<alert_id>/entries")
    @allow(*STAFF)
    def entries(alert_id: str) -> Any:
        try:
            found = application.alert_pages.shared_entries(alert_id, signed_in_staff())
        except NotPermitted:
            abort(404)
        return _page(alert_id, entries=found)

    @pages.post("/alerts/<alert_id>/<action>")
    @allow(*STAFF)
    def act(alert_id: str, action: str) -> Any:
        member, form, service = signed_in_staff(), request.form, application.escalation
        acts: dict[str, Callable[[], object]] = {
            "acknowledge": lambda: service.acknowledge(alert_id, member),
            "note": lambda: service.note(alert_id, member, form.get("note", "")),
            "lower": lambda: service.lower(alert_id, member, _level(form.get("level", "")), form.get("reason", "")),
            "resolve": lambda: service.resolve(alert_id, member, form.get("outcome", ""), form.get("note", "")),
            "reopen": lambda: service.reopen(alert_id, member, form.get("reason", "")),
            "clear": lambda: service.clear_to_journal(alert_id, member),
        }
        if action not in acts:
            abort(404)
        try:
            acts[action]()
        except NotPermitted:
            abort(404)
        except ValueError as problem:
            return _page(alert_id, problem=str(problem)), 422
        return redirect(url_for("staff.alert", alert_id=alert_id))

    @pages.route("/alerts/<alert_id>/answer/<token>", methods=["GET", "POST"])
    @allow()
    def answer(alert_id: str, token: str) -> Any:
        """The link of a message: it shows on GET, since mail scanners open links, and acknowledges on POST."""
        named = application.links.read(token)
        if named is None or named[0] != alert_id:
            text = "This link is not one of ours, or it has run out. Please sign in and open the board."
            return render_template("message.html", title="About this link", message=text), 410
        with application.uow() as tx:
            member = next((m for m in tx.staff() if m.id == named[1]), None)
        try:
            if member is None:
                raise NotPermitted(alert_id)
            view = application.alert_pages.glance(alert_id, member)
            if request.method == "POST":
                application.escalation.acknowledge(alert_id, member, by="link")
                view = application.alert_pages.glance(alert_id, member)
        except NotPermitted:
            text = "This alert is no longer yours to answer. Please sign in and open the board."
            return render_template("message.html", title="About this link", message=text), 410
        return render_template("answer.html", view=view, member=member, zone=zone, token=token)

    def _page(alert_id: str, *, words: Any = None, entries: Any = None, problem: str | None = None) -> Any:
        try:
            page = application.alert_pages.open(alert_id, signed_in_staff())
        except NotPermitted:
            abort(404)
        with application.uow() as tx:
            names = {member.id: member.name for member in tx.staff()}
        return render_template(
            "alert.html",
            page=page,
            view=page.view,
            words=words,
            entries=entries,
            problem=problem,
            names=names,
            outcomes=[(name, OUTCOME_WORDS[name]) for name in OUTCOMES],
            outcome_words=OUTCOME_WORDS,
            event_words=EVENT_WORDS,
            questions=_questions(application),
            phases=PHASES,
            lower=[level for level in (Level.urgent, Level.concern) if level < page.view.alert.level],
            zone=zone,
            roles=TARGET_NAMES,
            now=application.clock(),
        )

    return pages


def _level(name: str) -> Level:
    return Level[name] if name in Level.__members__ else Level.none


def _questions(application: Application) -> dict[str, tuple[str, dict[str, str]]]:
    """Question id -> (its words, value -> the label the patient tapped), of all response flows."""
    found: dict[str, tuple[str, dict[str, str]]] = {}
    for flow in application.library.flows.values():
        if flow.kind == "response":
            for step in flow.steps.values():
                labels = {option.value: option.label for option in step.answer.options} if step.answer else {}
                found[step.id] = (step.prompts[0] if step.prompts else step.id, labels)
    found["severity"] = ("How it stands", {"attempt_in_progress": "An attempt may be in progress"})
    return found
