"""The patient's face: the invitation, consent, the journal page, own entries."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from flask_security import login_user

from bot.bootstrap import Application
from bot.core.journal import Visibility
from bot.core.journeys import timeline
from bot.services.access import InvitationExpired, InvitationUnknown, InvitationUsed
from bot.services.ports import NotPermitted
from bot.web.accounts import allow, new_user, signed_in_patient

PRIVACY = ("ob_see", "ob_alerts", "ob_live", "ob_records")
LINK_GONE = {
    InvitationUnknown: "This link is not one of ours. Please check that it was copied whole, or ask the clinic.",
    InvitationExpired: "This invitation has run out. The clinic can send you a new one; nothing is lost.",
    InvitationUsed: "This invitation was already used. If that was you, please sign in.",
}


def make(application: Application) -> Blueprint:
    """The patient's pages over these services."""
    pages = Blueprint("patient", __name__)

    @pages.route("/invitation/<token>", methods=["GET", "POST"])
    @allow()
    def invitation(token: str) -> Any:
        try:
            patient = application.access.invitation(token)
        except (InvitationUnknown, InvitationExpired, InvitationUsed) as error:
            return render_template("message.html", title="About this link", message=LINK_GONE[type(error)]), 410
        problem = None
        if request.method == "POST":
            email, passphrase = request.form.get("email", ""), request.form.get("passphrase", "")
            try:
                if passphrase != request.form.get("again", ""):
                    raise ValueError("The two passphrases differ. Please type them once more.")
                flask = current_app._get_current_object()  # type: ignore[attr-defined]
                user_id = new_user(flask, email, passphrase, patient.first_name, ["patient"])
            except ValueError as error:
                problem = str(error)
            else:
                application.access.accept(token, user_id)
                datastore = flask.extensions["security"].datastore
                login_user(datastore.find_user(id=user_id))
                return redirect(url_for("patient.consent"))
        return render_template("invitation.html", first_name=patient.first_name, problem=problem)

    @pages.route("/consent", methods=["GET", "POST"])
    @allow("patient")
    def consent() -> Any:
        patient = signed_in_patient(application)
        step: dict[str, Any] | None = application.access.next_consent(patient.id)
        if step is None:
            return redirect(url_for("patient.journal"))
        if request.method == "POST":
            answer = ",".join(request.form.getlist("answer")) or ("none" if step.get("multi") else "")
            allowed = {str(option["value"]) for option in step.get("options", ())} or {"ok"}
            if answer != "none" and (not answer or not set(answer.split(",")) <= allowed):
                return redirect(url_for("patient.consent"))
            if request.form.get("step") == step["id"]:
                application.access.record_consent(patient.id, str(step["id"]), answer)
                if step["id"] == "ob_age" and answer == "no":
                    text = _fill(application, step["no_path"]["say"][0])
                    return render_template("message.html", title="For adults only", message=text)
            return redirect(url_for("patient.consent"))
        number = [row["id"] for row in application.library.onboarding].index(step["id"]) + 1
        total = len(application.library.onboarding)
        text = _fill(application, step["prompt"][0], patient.id)
        return render_template("consent.html", step=step, text=text, number=number, total=total)

    @pages.get("/journal")
    @allow("patient")
    def journal() -> Any:
        patient = signed_in_patient(application)
        if patient.consented_at is None:
            return redirect(url_for("patient.consent"))
        application.conversation.open(patient.conversation_id)
        with application.uow() as tx:
            where = timeline(tx.journeys(patient.id), now=application.clock(), time_zone=patient.time_zone)
        hours = where.hours_since_dose(application.clock())
        return render_template("journal.html", where=_where(hours), zone=patient.time_zone)

    @pages.get("/entries")
    @allow("patient")
    def entries() -> Any:
        patient = signed_in_patient(application)
        return render_template(
            "entries.html",
            entries=application.digests.own_entries(patient.id),
            readers=application.digests.readers(patient.id),
            coach_change=application.desk.pending_handover(patient.id) is not None,
            zone=patient.time_zone,
        )

    @pages.post("/entries/<entry_id>/visibility")
    @allow("patient")
    def visibility(entry_id: str) -> Any:
        patient = signed_in_patient(application)
        try:
            wanted = Visibility(request.form.get("visibility", ""))
            application.digests.set_visibility(patient.id, entry_id, wanted)
        except (ValueError, NotPermitted):
            abort(404)
        return redirect(url_for("patient.entries"))

    @pages.get("/privacy")
    @allow("patient")
    def privacy() -> Any:
        texts = [_fill(application, row["prompt"][0], signed_in_patient(application).id)
                 for row in application.library.onboarding if row["id"] in PRIVACY]  # fmt: skip
        return render_template("privacy.html", texts=texts)

    return pages


def _fill(application: Application, text: str, patient_id: str | None = None) -> str:
    from bot.core.flow.render import fill

    slots = {"clinic_name": application.settings.clinic_name, "clinic_phone": application.settings.clinic_phone}
    if patient_id is not None:
        with application.uow() as tx:
            patient = tx.patient(patient_id)
            if patient is not None:
                slots = application.sittings.slots(tx, patient, application.clock())
    return fill(text, slots)


def _where(hours: float | None) -> str:
    if hours is None:
        return "before your first journey"
    if hours < 24:
        return "the first day after your journey"
    days = int(hours // 24)
    return f"{days} day{'s' if days > 1 else ''} since your journey"
