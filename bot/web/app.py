"""The Flask application: security first, then the faces."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import structlog
from flask import Flask, jsonify, redirect, render_template, request, url_for
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_security import current_user
from flask_talisman import Talisman
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException, SecurityError
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response

from bot.bootstrap import Application
from bot.web import (
    account_pages,
    api,
    coach,
    device_pin,
    entries,
    own_digest,
    patient,
    programme,
    reports,
    requests,
    rota,
    staff,
)
from bot.web.accounts import STAFF, allow, enforce, setup_accounts
from bot.web.devices import known_device

log = structlog.get_logger()
MOST_BYTES = 300_000
CSP = {
    "default-src": "'self'",
    "img-src": "'self' data:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
PERMISSIONS = {name: "()" for name in ("camera", "microphone", "geolocation", "payment", "usb", "browsing-topics")}
SIGN_INS = (
    "security.login",
    "security.two_factor_token_validation",
    "security.mf_recovery",
    "security.forgot_password",
    "api.open_session",
    "account.recover",
    "patient.invitation",
    "pin.enter",
)
READY_OUTBOX = timedelta(minutes=2)
READY_BEAT = timedelta(seconds=20)


def create_app(application: Application) -> Flask:
    """The pages and the API over these services."""
    flask = Flask(__name__)
    settings = application.settings
    production = settings.env == "production"
    flask.config.update(
        SECRET_KEY=settings.session_secret,
        SESSION_COOKIE_NAME="__Host-session" if production else "session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=production,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=settings.session_hours),
        TRUSTED_HOSTS=[urlsplit(settings.address).hostname] if production else None,
        MAX_CONTENT_LENGTH=MOST_BYTES,
        MAX_FORM_MEMORY_SIZE=MOST_BYTES,
        WTF_CSRF_TIME_LIMIT=None,
        RATELIMIT_STORAGE_URI="memory://",
        RATELIMIT_HEADERS_ENABLED=False,
    )
    if settings.proxies:
        hops = settings.proxies
        flask.wsgi_app = ProxyFix(flask.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]
    setup_accounts(flask, application)
    CSRFProtect(flask)
    Talisman(
        flask,
        content_security_policy=CSP,
        force_https=production,
        session_cookie_secure=production,
        referrer_policy="no-referrer",
        permissions_policy=PERMISSIONS,
    )
    flask.after_request(_keep_out_of_caches)
    limiter = Limiter(get_remote_address, app=flask, default_limits=[f"{settings.requests_per_minute} per minute"])
    sign_ins = limiter.limit(f"{settings.sign_ins_per_minute} per minute", methods=["POST"])
    enforce(flask, application)
    pages = (patient, entries, own_digest, programme, coach, staff, rota, requests, reports, account_pages, device_pin)
    for face in (*pages, api):
        flask.register_blueprint(face.make(application))
    views: dict[str, Any] = flask.view_functions
    for endpoint in SIGN_INS:
        views[endpoint] = sign_ins(views[endpoint])
    _entrances(flask, application)
    _errors(flask)
    flask.jinja_env.filters["local"] = local_time
    flask.jinja_env.filters["soon"] = soon
    flask.jinja_env.globals.update(clinic_name=settings.clinic_name, clinic_phone=settings.clinic_phone)
    flask.jinja_env.globals["has_pin"] = lambda: application.pins.is_set(known_device())
    return flask


def _entrances(flask: Flask, application: Application) -> None:
    @flask.get("/")
    @allow("patient", "coach", *STAFF, "administrator")
    def home() -> Response:
        roles = {role.name for role in current_user.roles}
        if "patient" in roles:
            return redirect(url_for("patient.journal"))
        if roles == {"administrator"}:
            return redirect(url_for("account.people"))
        return redirect(url_for("coach.caseload" if "coach" in roles else "staff.board"))

    @flask.get("/healthz")
    @allow()
    def alive() -> str:
        return "ok"

    @flask.get("/readyz")
    @allow()
    def ready() -> tuple[str, int]:
        now = application.clock()
        with application.uow() as tx:
            owed, beat = tx.oldest_owed(now), tx.last_beat("worker")
        if beat is None or now - beat > READY_BEAT:
            return "the worker is silent", 503
        if owed is not None and now - owed > READY_OUTBOX:
            return "alerts are waiting to be sent", 503
        if application.watch.drill_state().missing:
            return "the daily drill has not arrived", 503
        return "ready", 200

    @flask.get("/help")
    @allow()
    def help_now() -> str:
        lines = [line.format_map(_Clinic(application)) for line in application.library.crisis_card]
        return render_template("help.html", lines=lines)

    @flask.get("/sw.js")
    @allow()
    def service_worker() -> Response:
        response = flask.send_static_file("sw.js")
        response.headers["Service-Worker-Allowed"] = "/"
        return response


def _keep_out_of_caches(response: Response) -> Response:
    """Nothing of a person stays in a cache, so that Back after quick exit or signing out shows nothing."""
    if request.endpoint not in ("static", "security.static", "help_now", "service_worker"):
        response.headers["Cache-Control"] = "no-store"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


class _Clinic(dict[str, str]):
    def __init__(self, application: Application) -> None:
        settings = application.settings
        super().__init__(clinic_name=settings.clinic_name, clinic_phone=settings.clinic_phone)


def _errors(flask: Flask) -> None:
    @flask.errorhandler(CSRFError)
    def stale(_: CSRFError) -> Any:
        return _answer("stale_page", "This page has been open for a while. Please reload it; nothing was lost.", 400)

    @flask.errorhandler(SecurityError)
    def foreign_host(_: SecurityError) -> tuple[str, int]:
        return "This address is not one of ours.", 400  # no page: without a trusted host no link can be made

    @flask.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Any:
        texts = {
            404: ("not_found", "There is nothing here, or it is not yours to open."),
            413: (
                "too_long",
                "That is too long to take in at once. It is still on your page; please send it in parts.",
            ),
            429: ("too_many", "That was a lot at once. Please wait a minute and try again; nothing was lost."),
        }
        code, message = texts.get(
            error.code or 500, ("refused", "That could not be done. Please go back and try again.")
        )
        return _answer(code, message, error.code or 500)

    @flask.errorhandler(Exception)
    def failed(error: Exception) -> Any:
        failure = uuid.uuid4().hex[:12]
        log.error("request.failed", endpoint=request.endpoint, failure=failure, error=type(error).__name__)
        message = "Something went wrong here, and we have noted it. In danger: 911. Any hour: call or text 988."
        return _answer("failed", message, 500)


def _answer(code: str, message: str, status: int) -> Any:
    if request.path.startswith("/api/"):
        return jsonify(error={"code": code, "message": message}), status
    return render_template("message.html", title="One moment", message=message), status


def local_time(moment: datetime | None, zone: str = "America/Los_Angeles") -> str:
    """A moment in a zone, in words."""
    return "" if moment is None else f"{moment.astimezone(ZoneInfo(zone)):%b %-d, %H:%M %Z}"


def soon(moment: datetime | None, zone: str, now: datetime) -> str:
    """A moment near now: the hour alone on the same day, else with the day."""
    if moment is None:
        return ""
    local = moment.astimezone(ZoneInfo(zone))
    same = local.date() == now.astimezone(ZoneInfo(zone)).date()
    return f"{local:%H:%M %Z}" if same else local_time(moment, zone)
