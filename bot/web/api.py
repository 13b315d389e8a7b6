"""The JSON API, documented by the OpenAPI document that it serves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from flask import Blueprint, current_app, jsonify, request
from flask_security import current_user, login_user, verify_password
from flask_wtf.csrf import generate_csrf

from bot.bootstrap import Application
from bot.core.journal import Entry, Message, Visibility
from bot.services.ports import NotPermitted
from bot.services.screening import EmptyMessage, MessageTooLong
from bot.web.accounts import STAFF, allow, signed_in_patient, signed_in_staff

DOCUMENT = yaml.safe_load((Path(__file__).parent / "openapi.yml").read_text(encoding="utf-8"))
MOST_PAGE = 100


def make(application: Application) -> Blueprint:
    """The API over these services."""
    api = Blueprint("api", __name__, url_prefix="/api/v1")

    @api.get("/openapi.json")
    @allow()
    def openapi() -> Any:
        return jsonify(DOCUMENT)

    @api.get("/session")
    @allow()
    def session() -> Any:
        roles = sorted(r.name for r in current_user.roles) if current_user.is_authenticated else []
        return jsonify(signed_in=bool(current_user.is_authenticated), roles=roles, csrf_token=generate_csrf())

    @api.post("/session")
    @allow()
    def open_session() -> Any:
        body = request.get_json(silent=True) or {}
        datastore = current_app.extensions["security"].datastore
        user = datastore.find_user(email=str(body.get("email", "")).strip().lower())
        if user is None or not verify_password(str(body.get("passphrase", "")), user.password) or not user.active:
            return _refuse("not_signed_in", "That e-mail and passphrase do not fit together.", 401)
        login_user(user)
        if any(role.name == "patient" for role in user.roles):
            patient = application.access.patient_of_user(user.id)
            if patient is not None and patient.consented_at is not None:
                application.conversation.open(patient.conversation_id)
        return session()

    @api.post("/messages")
    @allow("patient")
    def post_message() -> Any:
        patient = signed_in_patient(application)
        if patient.consented_at is None:
            return _refuse("consent_needed", "Please finish the introduction first.", 409)
        body = request.get_json(silent=True)
        if (
            not isinstance(body, dict)
            or not isinstance(body.get("client_id"), str)
            or not 1 <= len(body["client_id"]) <= 64
        ):
            return _refuse("malformed", "A message needs a client_id of 1 to 64 characters.", 422)
        text, control_id, lines = body.get("text", ""), body.get("control_id"), body.get("lines")
        if (
            not isinstance(text, str)
            or not (control_id is None or isinstance(control_id, str))
            or not isinstance(lines, dict | None)
        ):
            return _refuse("malformed", "text and control_id are strings, lines is an object.", 422)
        try:
            received = application.screening.receive(
                patient.id, body["client_id"], text, control_id=control_id, value=body.get("value"), lines=lines
            )
        except EmptyMessage:
            return _refuse("empty", "There is nothing to send yet.", 422)
        except MessageTooLong:
            return _refuse(
                "too_long", "That is too long to take in at once. Please send it in parts; it is still here.", 413
            )
        replies = application.conversation.deliver(received.message.id)
        return jsonify(
            message=_message(received.message),
            replies=[_message(reply) for reply in replies],
            duplicate=received.duplicate,
        )

    @api.get("/messages")
    @allow("patient")
    def messages() -> Any:
        patient = signed_in_patient(application)
        limit = min(request.args.get("limit", 50, type=int), MOST_PAGE)
        before = request.args.get("before", type=int)
        if before is not None:
            found = application.conversation.before(patient.id, before, limit)
        else:
            found = application.conversation.since(patient.id, request.args.get("after", 0, type=int), limit)
        return jsonify(messages=[_message(row) for row in found])

    @api.get("/alert-status")
    @allow("patient")
    def alert_status() -> Any:
        status = application.escalation.status_for_patient(signed_in_patient(application).id)
        if status is None:
            return jsonify(alert=None)
        return jsonify(
            alert={
                "reference": status.reference,
                "sent_at": _moment(status.sent_at),
                "seen_at": _moment(status.seen_at),
                "seen_by": status.seen_by,
                "next_at": _moment(status.next_at),
                "delivery_failed": status.delivery_failed,
            }
        )

    @api.get("/entries")
    @allow("patient")
    def entries() -> Any:
        return jsonify(entries=[_entry(e) for e in application.digests.own_entries(signed_in_patient(application).id)])

    @api.put("/entries/<entry_id>/visibility")
    @allow("patient")
    def put_visibility(entry_id: str) -> Any:
        try:
            wanted = Visibility(str((request.get_json(silent=True) or {}).get("visibility")))
            entry = application.digests.set_visibility(signed_in_patient(application).id, entry_id, wanted)
        except (ValueError, NotPermitted):
            return _refuse("not_found", "There is no such entry of yours.", 404)
        return jsonify(_entry(entry))

    @api.get("/caseload")
    @allow("coach")
    def caseload() -> Any:
        rows = application.caseload.rows(signed_in_staff())
        return jsonify(
            patients=[
                {
                    "id": r.patient.id,
                    "name": r.patient.first_name,
                    "phase": r.where.phase.protocol_id,
                    "shared": r.shared,
                }
                for r in rows
            ]
        )

    @api.get("/patients/<patient_id>/entries")
    @allow("coach")
    def shared(patient_id: str) -> Any:
        try:
            page = application.digests.patient_page(signed_in_staff(), patient_id, page="api")
        except NotPermitted:
            return _refuse("not_found", "There is no such patient of yours.", 404)
        return jsonify(entries=[_entry(entry) for entry in page.entries], private=page.private_count)

    @api.get("/alerts")
    @allow(*STAFF)
    def alerts() -> Any:
        views = application.escalation.board(signed_in_staff())
        return jsonify(
            alerts=[
                {
                    "id": v.alert.id,
                    "reference": v.alert.reference,
                    "level": v.alert.level.name,
                    "categories": list(v.alert.categories),
                    "patient": v.patient.initials,
                    "status": v.alert.status.value,
                    "raised_at": _moment(v.alert.raised_at),
                    "holder": v.holder,
                    "next_at": _moment(v.next_at),
                }
                for v in views
            ]
        )

    @api.post("/alerts/<alert_id>/acknowledge")
    @allow(*STAFF)
    def acknowledge(alert_id: str) -> Any:
        try:
            alert = application.escalation.acknowledge(alert_id, signed_in_staff())
        except NotPermitted:
            return _refuse("not_found", "There is no such alert.", 404)
        return jsonify(id=alert.id, status=alert.status.value, acknowledged_at=_moment(alert.acknowledged_at))

    return api


def _refuse(code: str, message: str, status: int) -> Any:
    return jsonify(error={"code": code, "message": message}), status


def _moment(moment: Any) -> str | None:
    return None if moment is None else moment.isoformat()


def _message(message: Message) -> dict[str, Any]:
    return {
        "id": message.id,
        "seq": message.seq,
        "from": message.sender,
        "kind": message.kind,
        "text": message.text,
        "small_print": message.small_print,
        "control": message.control,
        "at": _moment(message.created_at),
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at": _moment(entry.created_at),
        "phase": entry.phase,
        "visibility": entry.visibility.value,
        "lines": [{"label": line.label, "text": line.text} for line in entry.lines],
    }
