"""Coming back on one's own device with a short code: choosing one, entering it, forgetting it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_security import current_user, login_user

from bot.bootstrap import Application
from bot.web.accounts import allow, signed_in_patient
from bot.web.devices import device_token, known_device
from bot.web.sign_in import credentials_fit, has_second_factor

WRONG = "That code does not fit. After five wrong ones it is forgotten; your passphrase always works."
GONE = "There is no code for this device now. Please sign in with your passphrase."
UNSURE = "That passphrase does not fit. Nothing was changed."


def make(application: Application) -> Blueprint:
    """The pages of the code over these services."""
    pages = Blueprint("pin", __name__)
    pins = application.pins

    @pages.route("/account/pin", methods=["GET", "POST"])
    @allow("patient")
    def choose() -> Any:
        signed_in_patient(application)
        problem = None
        if request.method == "POST":
            pin = request.form.get("pin", "")
            if has_second_factor(current_user):
                problem = "An account with a second factor takes no code. Nothing was changed."
            elif credentials_fit(current_user.email, request.form.get("passphrase", "")) is None:
                problem = UNSURE
            else:
                try:
                    pins.set(current_user.id, device_token(), pin)
                except ValueError as error:
                    problem = str(error)
                else:
                    flash("Your code is set for this device. It lasts for a month, then your passphrase is asked for.")
                    return redirect(url_for("pin.choose"))
        return render_template("pin_choose.html", problem=problem, is_set=pins.is_set(known_device()))

    @pages.post("/account/pin/forget")
    @allow("patient")
    def forget() -> Any:
        pins.drop(current_user.id, device_token())
        flash("The code of this device is forgotten.")
        return redirect(url_for("pin.choose"))

    @pages.route("/pin", methods=["GET", "POST"])
    @allow()
    def enter() -> Any:
        device = known_device()
        if device is None or not pins.is_set(device):
            flash(GONE)
            return redirect(url_for("security.login"))
        problem = None
        if request.method == "POST":
            user_id = pins.enter(device, request.form.get("pin", ""))
            user = current_app.extensions["security"].datastore.find_user(id=user_id) if user_id is not None else None
            if user is not None and user.active and not has_second_factor(user):
                login_user(user, remember=False)
                return redirect(url_for("home"))
            if not pins.is_set(device):
                flash(GONE)
                return redirect(url_for("security.login"))
            problem = WRONG
        return render_template("pin_enter.html", problem=problem)

    return pages
