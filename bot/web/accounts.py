"""Accounts and who may open what: Flask-Security for sign-in, one decorator for roles, deny by default."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from flask import Flask, abort, g, jsonify, redirect, request, url_for
from flask_security import Security, SQLAlchemySessionUserDatastore, current_user, hash_password
from sqlalchemy.orm import scoped_session, sessionmaker
from werkzeug.wrappers import Response

from bot.adapters.sql.tables import Role, User, WebAuthn
from bot.bootstrap import Application
from bot.core.people import ROLES, Patient, StaffMember

STAFF = ("responder", "clinical_lead", "medical")
ACCESS: dict[str, tuple[str, ...]] = {}  # endpoint -> roles; () is anyone


def setup_accounts(flask: Flask, application: Application) -> Security:
    """Tie Flask-Security to the clinic's database."""
    reading = application.database.execution_options(writes=False)  # it must not hold the writer's lock on SQLite
    session = scoped_session(sessionmaker(reading, expire_on_commit=False))
    datastore = SQLAlchemySessionUserDatastore(session, User, Role, WebAuthn)
    security = Security(flask, datastore)
    flask.extensions["accounts_session"] = session

    @flask.teardown_appcontext
    def close(_: BaseException | None) -> None:
        session.remove()

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
    if len(passphrase) < 12:
        raise ValueError("Please choose a passphrase of at least 12 characters; a few words work well.")
    if "@" not in email or len(email) > 200:
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
        display_name=name,
        roles=list(roles),
        active=True,
        fs_uniquifier=uuid.uuid4().hex,
    )
    datastore.commit()
    return int(user.id)


def allow(*roles: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Open a view to these roles, or to anyone with no role named. A view without this is refused (deny by default)."""

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            return view(*args, **kwargs)

        guarded.__dict__["allowed_roles"] = roles
        return guarded

    return decorate


def enforce(flask: Flask) -> None:
    """Check every request against the view's roles, before anything else runs."""

    @flask.before_request
    def check() -> Response | tuple[Response, int] | None:
        answer = refusal()
        flask.extensions["accounts_session"].commit()  # ends its transaction: the services open their own
        return answer

    def refusal() -> Response | tuple[Response, int] | None:
        if request.endpoint is None or request.endpoint == "static" or request.endpoint.startswith("security."):
            return None
        roles = getattr(flask.view_functions[request.endpoint], "allowed_roles", None)
        if roles == ():
            return None
        api = request.path.startswith("/api/")
        if not current_user.is_authenticated:
            if api:
                return jsonify(error={"code": "not_signed_in", "message": "Please sign in again."}), 401
            return redirect(url_for("security.login", next=request.path))
        if roles is None or not any(current_user.has_role(role) for role in roles):
            abort(404)
        return None


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
