"""The patient's face: the invitation, consent, the journal page, own entries."""

from __future__ import annotations

import base64
import hmac
from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask_security import login_user

from bot.bootstrap import Application
from bot.services.access import InvitationExpired, InvitationUnknown, InvitationUsed
from bot.services.facts import where_in_time
from bot.web import entries as journal_pages
from bot.web import privacy_pages
from bot.web.accounts import allow, close_account, new_user, signed_in_patient
from bot.web.texts import application_text

LATER = (
    "A journey is close, and some questions are better asked with a clear head. We will ask you tomorrow. "
    "Help now works meanwhile. In danger: 911. Any hour: call or text 988."
)
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
                login_user(datastore.find_user(id=user_id), remember=False)
                return redirect(url_for("patient.consent"))
        return render_template("invitation.html", first_name=patient.first_name, problem=problem)

    @pages.route("/consent", methods=["GET", "POST"])
    @allow("patient")
    def consent() -> Any:
        patient = signed_in_patient(application)
        step: dict[str, Any] | None = application.access.next_consent(patient.id)
        if step is None or application.access.may_write(patient):
            return redirect(url_for("patient.journal"))
        if application.access.consent_waits_until(patient.id) is not None:
            return render_template("message.html", title="Tomorrow, then", message=LATER)
        if request.method == "POST":
            answer = ",".join(request.form.getlist("answer")) or ("none" if step.get("multi") else "")
            allowed = {str(option["value"]) for option in step.get("options", ())} or {"ok"}
            if answer != "none" and (not answer or not set(answer.split(",")) <= allowed):
                return redirect(url_for("patient.consent"))
            if request.form.get("step") == step["id"]:
                application.access.record_consent(patient.id, str(step["id"]), answer)
                if step["id"] == "ob_age" and answer == "no":
                    close_account(application)
                    text = application_text(application, step["no_path"]["say"][0])
                    return render_template("message.html", title="For adults only", message=text)
            return redirect(url_for("patient.consent"))
        number = [row["id"] for row in application.library.onboarding].index(step["id"]) + 1
        total = len(application.library.onboarding)
        text = application_text(application, step["prompt"][0], patient.id)
        again = application.access.was_asked_before(patient.id)
        return render_template("consent.html", step=step, text=text, number=number, total=total, again=again)

    @pages.get("/journal")
    @allow("patient")
    def journal() -> Any:
        patient = signed_in_patient(application)
        if not application.access.may_write(patient):
            return redirect(url_for("patient.consent"))
        application.conversation.open(patient.conversation_id)
        with application.uow() as tx:
            where = where_in_time(tx, patient, application.clock())
        hours = where.hours_since_dose(application.clock())
        key = draft_key(application.settings.session_secret, patient.id)
        return render_template("journal.html", where=_where(hours), draft_key=key)

    @pages.get("/entries")
    @allow("patient")
    def entries() -> Any:
        return journal_pages.index(application)

    privacy_pages.add(pages, application)
    return pages


def draft_key(secret: str, patient_id: str) -> str:
    """The key, 32 bytes in base64, that encrypts an unsent draft on the patient's device. Only their page gets it."""
    return base64.b64encode(hmac.digest(secret.encode(), f"draft/{patient_id}".encode(), "sha256")).decode()


def _where(hours: float | None) -> str:
    if hours is None:
        return "before your first journey"
    if hours < 24:
        return "the first day after your journey"
    days = int(hours // 24)
    return f"{days} day{'s' if days > 1 else ''} since your journey"
