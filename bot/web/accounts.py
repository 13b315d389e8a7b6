"""Accounts and who may open what: Flask-Security for sign-in, one gate for every request, deny by default.

A view says with `allow` which roles may open it; LIBRARY says it for the library's own views. What is in neither is
refused. The gate also ends sessions that were revoked or grew too old, and holds staff to a second factor.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from flask import Flask, abort, current_app, g, jsonify, redirect, request, session, url_for
from flask_login import user_logged_out
from flask_security import (
    Security,
    SQLAlchemySessionUserDatastore,
    current_user,
    hash_password,
    logout_user,
    user_authenticated,
)
from sqlalchemy.orm import scoped_session, sessionmaker
from werkzeug.wrappers import Response

from bot.adapters.sql.tables import Role, User, WebAuthn
from bot.bootstrap import Application
from bot.core.people import ROLES, Patient, StaffMember
from bot.web.devices import device_name, device_token, keep_device
from bot.web.sign_in import FORMS, OneTimeTotp, PlainMail, has_second_factor, options

STAFF = ("responder", "clinical_lead", "medical")
ALL_STAFF = tuple(role for role in ROLES if role != "patient")
LEAST_PASSPHRASE = 12
LIBRARY: dict[str, tuple[str, ...]] = {  # endpoint of Flask or Flask-Security -> roles; () is anyone
    "static": (),
    "security.static": (),
    "security.login": (),
    "security.logout": ROLES,
    "security.verify": ROLES,
    "security.change_password": ROLES,
    "security.forgot_password": (),
    "security.reset_password": (),
    "security.two_factor_setup": ROLES,
    "security.two_factor_setup_validate": ROLES,
    "security.two_factor_token_validation": (),
    "security.mf_recovery": (),
    "security.mf_recovery_codes": ROLES,
    "security.tf_select": (),
}
BEFORE_SECOND_FACTOR = {  # what staff without one may open where it is required
    "security.logout",
    "security.verify",
    "security.two_factor_setup",
    "security.two_factor_setup_validate",
    "security.mf_recovery_codes",
    "account.leaving",
    "api.session",
}


def setup_accounts(flask: Flask, application: Application) -> Security:
    """Tie Flask-Security to the clinic's database and to the record of sessions."""
    reading = application.database.execution_options(writes=False)  # it must not hold the writer's lock on SQLite
    accounts = scoped_session(sessionmaker(reading, expire_on_commit=False))
    datastore = SQLAlchemySessionUserDatastore(accounts, User, Role, WebAuthn)
    flask.config.update(options(application.settings))
    flask.extensions["application"] = application
    security = Security(flask, datastore, mail_util_cls=PlainMail, totp_cls=OneTimeTotp, **FORMS)
    flask.extensions["accounts_session"] = accounts

    @flask.teardown_appcontext
    def close(_: BaseException | None) -> None:
        accounts.remove()

    def begin(_: Flask, user: Any, **__: Any) -> None:
        for place in (session, g):  # a token that was known before signing in is worth nothing after it
            place.pop("csrf_token", None)
        accounts.commit()
        session["sid"] = application.sign_in.begin(user.id, device_name(request.user_agent.string), device_token())

    user_authenticated.connect(begin, sender=flask, weak=False)

    def end(_: Flask, user: Any, **__: Any) -> None:
        token = session.pop("sid", None)
        if token is not None and user is not None and user.is_authenticated:
            application.sign_in.end_by_token(user.id, token)

    user_logged_out.connect(end, sender=flask, weak=False)
    flask.after_request(keep_device)
    return security


def make_account(application: Application, email: str, passphrase: str, name: str, roles: Sequence[str]) -> int:
    """Make an account outside a request and return its id. Raises ValueError as `new_user` does."""
    from bot.web.app import create_app

    flask = create_app(application)
    with flask.app_context():
        return new_user(flask, email, passphrase, name, roles)


def new_user(flask: Flask, email: str, passphrase: str, name: str, roles: Sequence[str]) -> int:
    """Make an account inside an application context. Raises ValueError with a sentence for the person."""
    datastore = flask.extensions["security"].datastore
    check_passphrase(passphrase)
    if "@" not in email or len(email) > 200 or not email.isprintable():
        raise ValueError("That does not look like an e-mail address.")
    hashed = hash_password(passphrase)  # takes its time, so before the writer's lock is taken
    session = flask.extensions["accounts_session"]
    session.commit()  # the request's reading ends here: on SQLite it cannot become a writing transaction
    session.connection(execution_options={"writes": True})
    if datastore.find_user(email=email.strip().lower()) is not None:
        session.rollback()
        raise ValueError("That e-mail address cannot be used here. Please choose another, or sign in.")
    for role in ROLES:
        datastore.find_or_create_role(name=role)
    user = datastore.create_user(
        email=email.strip().lower(),
        password=hashed,
        display_name=name if "patient" not in roles else "",  # a patient's name is kept sealed only
        roles=list(roles),
        active=True,
        fs_uniquifier=uuid.uuid4().hex,
    )
    datastore.commit()
    return int(user.id)


def check_passphrase(passphrase: str) -> None:
    """Raise ValueError with a sentence for the person where a passphrase is too weak."""
    if len(passphrase) < LEAST_PASSPHRASE or len(set(passphrase)) < 5:
        raise ValueError("Please choose a passphrase of at least 12 characters; a few words work well.")
    if len(passphrase) > 200:
        raise ValueError("That passphrase is longer than 200 characters; a few words are enough.")


def allow(*roles: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Open a view to these roles, or to anyone with no role named. A view without this is refused (deny by default)."""

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            return view(*args, **kwargs)

        guarded.__dict__["allowed_roles"] = roles
        return guarded

    return decorate


def roles_of(flask: Flask, endpoint: str) -> tuple[str, ...] | None:
    """Who may open an endpoint: roles, () for anyone, None for nobody."""
    if endpoint in LIBRARY:
        return LIBRARY[endpoint]
    roles: tuple[str, ...] | None = getattr(flask.view_functions[endpoint], "allowed_roles", None)
    return roles


def enforce(flask: Flask, application: Application) -> None:
    """Check every request against the view's roles, before anything else runs."""

    @flask.before_request
    def check() -> Response | tuple[Response, int] | None:
        answer = refusal()
        flask.extensions["accounts_session"].commit()  # ends its transaction: the services open their own
        return answer

    def refusal() -> Response | tuple[Response, int] | None:
        if request.endpoint is None:
            return None
        roles = roles_of(flask, request.endpoint)
        if current_user.is_authenticated and not _session_lives(application):
            logout_user()
            session.clear()
        if roles == ():
            return None
        if not current_user.is_authenticated:
            if _is_api():
                return jsonify(error={"code": "not_signed_in", "message": "Please sign in again."}), 401
            return redirect(url_for("security.login", next=request.path))
        if roles is None or not any(current_user.has_role(role) for role in roles):
            abort(404)
        if lacks_second_factor(application) and request.endpoint not in BEFORE_SECOND_FACTOR:
            if _is_api():
                message = "Please set up a second factor on the sign-in page first."
                return jsonify(error={"code": "second_factor_needed", "message": message}), 403
            return redirect(url_for("security.two_factor_setup"))
        return None


def _is_api() -> bool:
    return request.path.startswith("/api/")


def _session_lives(application: Application) -> bool:
    """Whether this browser's session was neither ended nor left too long. Polling by a page is not use."""
    polling = request.method == "GET" and request.headers.get("Sec-Fetch-Dest") == "empty"
    token = session.get("sid")
    return token is not None and application.sign_in.check(
        token, current_user.id, staff=is_staff(current_user), active=not polling
    )


def is_staff(user: Any) -> bool:
    """Whether an account is a staff member's."""
    return any(role.name != "patient" for role in user.roles)


def lacks_second_factor(application: Application) -> bool:
    """Whether the person signed in is staff who must set up a second factor before anything else."""
    if not application.settings.needs_second_factor or not is_staff(current_user):
        return False
    return not has_second_factor(current_user)


def close_account(application: Application) -> None:
    """Sign the person out everywhere and let the account sign in no more; the clinic can open it again."""
    user_id, datastore = current_user.id, current_app.extensions["security"].datastore
    user = datastore.find_user(id=user_id)
    datastore.deactivate_user(user)
    datastore.commit()
    logout_user()
    session.clear()
    application.sign_in.end_all(user_id)


def signed_in_patient(application: Application) -> Patient:
    """The patient behind the session. Aborts with 404 for an account without a record."""
    if "patient" not in g:
        found = application.access.patient_of_user(current_user.id)
        if found is None:
            abort(404)
        g.patient = found
    patient: Patient = g.patient
    return patient


def signed_in_staff() -> StaffMember:
    """The staff member behind the session."""
    return StaffMember(
        id=current_user.id,
        name=current_user.display_name or current_user.email,
        email=current_user.email,
        roles=frozenset(role.name for role in current_user.roles),
    )
