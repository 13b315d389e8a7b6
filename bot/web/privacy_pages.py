"""The patient's rights, from one page: what is kept, who looked, correcting, stopping, deleting everything."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_security import current_user

from bot.bootstrap import Application
from bot.core.handover import Sharing
from bot.core.people import Patient
from bot.services.ports import NotPermitted
from bot.services.privacy import WAYS
from bot.web.accounts import allow, signed_in_patient
from bot.web.sign_in import credentials_fit
from bot.web.texts import application_text

TEXTS = ("ob_see", "ob_alerts", "ob_live", "ob_records")
NOTED = "I've noted your request and will ask you again tomorrow. Nothing is removed yet."
CONFIRMED = "Your request is confirmed and is carried out within minutes. This account closes with it."
STOPPED = "Nothing new is taken in and nothing is shared with your coach. Your entries, a copy and deleting stay here."
UNSURE = "That passphrase does not fit. Nothing was deleted."


def add(pages: Blueprint, application: Application) -> None:
    """Add the pages to the patient's face."""

    @pages.get("/privacy")
    @allow("patient")
    def privacy() -> Any:
        return _page(application, signed_in_patient(application))

    @pages.post("/privacy/correct")
    @allow("patient")
    def correct() -> Any:
        patient = signed_in_patient(application)
        ways = frozenset(request.form.getlist("ways")) & frozenset(WAYS)
        name, phone = request.form.get("first_name", ""), request.form.get("phone", "")
        try:
            application.privacy.correct(patient.id, first_name=name, phone=phone, ways=ways)
        except ValueError as problem:
            return _page(application, patient, problem=str(problem)), 422
        flash("Your details are corrected.")
        return redirect(url_for("patient.privacy"))

    @pages.post("/privacy/stop")
    @allow("patient")
    def stop() -> Any:
        application.privacy.stop(signed_in_patient(application).id)
        flash(STOPPED)
        return redirect(url_for("patient.privacy"))

    @pages.post("/privacy/delete")
    @allow("patient")
    def delete_everything() -> Any:
        patient = signed_in_patient(application)
        if request.form.get("sure") != "yes":
            return _page(application, patient, problem="Please tick the box first. Nothing was deleted."), 422
        if credentials_fit(current_user.email, request.form.get("passphrase", "")) is None:
            return _page(application, patient, problem=UNSURE), 422
        asked = application.privacy.ask_deletion(patient.id)
        flash(NOTED if asked.confirmed_at is None else CONFIRMED)
        return redirect(url_for("patient.privacy"))

    @pages.post("/privacy/coach")
    @allow("patient")
    def new_coach() -> Any:
        patient, choice = signed_in_patient(application), request.form.get("choice", "")
        try:
            application.handover.choose(patient.id, Sharing(choice))
        except (ValueError, NotPermitted):
            return _page(application, patient, problem="That could not be chosen just now. Nothing was changed."), 422
        said = application.library.texts[f"rights.coach_{choice}"][0][0]
        flash(application_text(application, said, patient.id))
        return redirect(url_for("patient.privacy"))

    @pages.post("/privacy/keep")
    @allow("patient")
    def keep() -> Any:
        application.privacy.withdraw_deletion(signed_in_patient(application).id)
        flash("Your request is withdrawn. Everything is kept.")
        return redirect(url_for("patient.privacy"))


def _page(application: Application, patient: Patient, problem: str | None = None) -> str:
    overview = application.privacy.overview(patient.id)
    texts = [
        application_text(application, step["prompt"][0], patient.id)
        for step in application.library.onboarding
        if step["id"] in TEXTS
    ]
    question = application.library.flows["rights.new_coach"].steps["rights.new_coach"]
    return render_template(
        "privacy.html",
        handover=application.handover.waiting(patient.id),
        coach_question=application_text(application, question.prompts[0], patient.id),
        coach_options=question.answer.options if question.answer is not None else (),
        overview=overview,
        texts=texts,
        problem=problem,
        now=application.clock(),
        keep=application.jurisdiction.retention,
        zone=patient.time_zone,
    )
