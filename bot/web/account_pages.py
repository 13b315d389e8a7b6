"""One's own account: signed-in devices, the way back in, signing out; and, for administrators, everyone's accounts."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, session, url_for
from flask_security import current_user, hash_password
from sqlalchemy import select

from bot.adapters.sql.tables import User
from bot.bootstrap import Application
from bot.core.people import ROLES
from bot.services.ports import NotPermitted
from bot.services.sign_in import LinkGone
from bot.web.accounts import allow, check_passphrase, is_staff
from bot.web.sign_in import has_second_factor

ACTIONS = ("recover", "end", "unlock", "factor", "close", "open")
GONE = "This link was used or has run out. The clinic can give you a new one; nothing is lost."


def make(application: Application) -> Blueprint:
    """The account pages over these services."""
    pages = Blueprint("account", __name__)

    @pages.get("/logout")
    @allow(*ROLES)
    def leaving() -> Any:
        return render_template("leaving.html")

    @pages.get("/account/sessions")
    @allow(*ROLES)
    def sessions() -> Any:
        live = application.sign_in.sessions(current_user.id, staff=is_staff(current_user))
        here = session["sid"]
        rows = [(row, application.sign_in.is_current(row, here)) for row in live]
        return render_template(
            "sessions.html",
            rows=rows,
            zone=application.settings.time_zone,
            second_factor=has_second_factor(current_user),
        )

    @pages.post("/account/sessions/<session_id>/end")
    @allow(*ROLES)
    def end_session(session_id: str) -> Any:
        try:
            application.sign_in.end(current_user.id, session_id)
        except NotPermitted:
            abort(404)
        flash("That device is signed out.")
        return redirect(url_for("account.sessions"))

    @pages.post("/account/sessions/end-others")
    @allow(*ROLES)
    def end_others() -> Any:
        count = application.sign_in.end_all(current_user.id, but=session["sid"])
        flash(f"{count} other {'device is' if count == 1 else 'devices are'} signed out.")
        return redirect(url_for("account.sessions"))

    @pages.route("/recover/<token>", methods=["GET", "POST"])
    @allow()
    def recover(token: str) -> Any:
        try:
            user_id = application.sign_in.recovery(token)
        except LinkGone:
            return render_template("message.html", title="About this link", message=GONE), 410
        problem = None
        if request.method == "POST":
            passphrase = request.form.get("passphrase", "")
            try:
                if passphrase != request.form.get("again", ""):
                    raise ValueError("The two passphrases differ. Please type them once more.")
                check_passphrase(passphrase)
                application.sign_in.use_recovery(token)
            except ValueError as error:
                problem = str(error)
            else:
                _set_passphrase(user_id, passphrase)
                flash("Your new passphrase is set. Please sign in with it.")
                return redirect(url_for("security.login"))
        return render_template("recover.html", problem=problem)

    @pages.get("/people")
    @allow("administrator")
    def people() -> Any:
        return _people(link=None)

    @pages.post("/people/<int:user_id>/<action>")
    @allow("administrator")
    def manage(user_id: int, action: str) -> Any:
        datastore = current_app.extensions["security"].datastore
        user, by = datastore.find_user(id=user_id), f"user:{current_user.id}"
        if user is None or action not in ACTIONS:
            abort(404)
        if action in ("close", "open") and user_id == current_user.id:
            flash("Your own account stays as it is; another administrator can change it.")
            return redirect(url_for("account.people"))
        if action == "recover" and user.active:
            offered = application.sign_in.offer_recovery(user.email, by)
            link = f"{application.settings.address}/recover/{offered.token}"
            return _people(link)
        if action in ("close", "open"):
            user.active = action == "open"
            datastore.put(user)
            datastore.commit()
            application.sign_in.note(user_id, f"account.{'opened' if user.active else 'closed'}", by)
        if action == "factor":
            datastore.tf_reset(user)
            user.mf_recovery_codes = None
            datastore.put(user)
            datastore.commit()
            application.sign_in.note(user_id, "second_factor.reset", by)
        if action in ("end", "close", "factor"):
            application.sign_in.end_all(user_id, by=by)
        if action == "unlock":
            application.sign_in.unlock(user.email, by)
        flash("Done.")
        return redirect(url_for("account.people"))

    return pages


def _people(link: str | None) -> str:
    users = current_app.extensions["accounts_session"].scalars(select(User).order_by(User.id)).all()
    return render_template("people.html", users=users, has_second_factor=has_second_factor, link=link)


def _set_passphrase(user_id: int, passphrase: str) -> None:
    datastore = current_app.extensions["security"].datastore
    user = datastore.find_user(id=user_id)
    user.password = hash_password(passphrase)
    datastore.set_uniquifier(user)
    datastore.put(user)
    datastore.commit()
