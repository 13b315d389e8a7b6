"""The JSON API, documented by the OpenAPI document that it serves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from flask import Blueprint, jsonify, request, url_for
from flask_security import current_user, login_user
from flask_wtf.csrf import generate_csrf

from bot.bootstrap import Application
from bot.core.journal import Entry, Message, Visibility
from bot.core.news import banner, role
from bot.core.safety.verdict import Level
from bot.services.ports import NotPermitted
from bot.services.screening import EmptyMessage, MessageTooLong
from bot.web.accounts import STAFF, allow, signed_in_patient, signed_in_staff
from bot.web.incoming import Malformed, read_message
from bot.web.sign_in import REFUSED, code_fits, credentials_fit, has_second_factor

DOCUMENT = yaml.safe_load((Path(__file__).parent / "openapi.yml").read_text(encoding="utf-8"))
MOST_PAGE = 100
MOST_SEQUENCE = 2**62  # what the database can compare
PACES = {"grounding.gr_longer_exhale": "breath"}  # by the authored text that asks


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
        body = request.get_json(silent=True)
        if not isinstance(body, dict):
            return _refuse("malformed", "Signing in needs an e-mail and a passphrase.", 422)
        user = credentials_fit(str(body.get("email", ""))[:200], str(body.get("passphrase", ""))[:200])
        if user is None:
            return _refuse("not_signed_in", REFUSED, 401)
        if has_second_factor(user) and not code_fits(user, str(body.get("code", ""))):
            return _refuse("second_factor_needed", "Please send the code of your authenticator too.", 401)
        login_user(user, remember=False)
        if any(role.name == "patient" for role in user.roles):
            patient = application.access.patient_of_user(user.id)
            if patient is not None and application.access.may_write(patient):
                application.conversation.open(patient.conversation_id)
        return session()

    @api.post("/messages")
    @allow("patient")
    def post_message() -> Any:
        patient = signed_in_patient(application)
        if not application.access.may_write(patient):
            return _refuse("consent_needed", "Please finish the introduction first.", 409)
        try:
            sent = read_message(request.get_json(silent=True))
        except Malformed as error:
            return _refuse("malformed", str(error), 422)
        try:
            received = application.screening.receive(
                patient.id, sent.client_id, sent.text, control_id=sent.control_id, value=sent.value, lines=sent.lines
            )
        except EmptyMessage:
            return _refuse("empty", "There is nothing to send yet.", 422)
        except MessageTooLong:
            return _refuse(
                "too_long", "That is too long to take in at once. Please send it in parts; it is still here.", 413
            )
        if received.verdict.level >= Level.urgent or received.verdict.failed_layers:
            application.delivery.send_at_once(patient.id, "web")
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
        limit = max(1, min(request.args.get("limit", 50, type=int), MOST_PAGE))
        before = request.args.get("before", type=_sequence)
        if before is not None:
            found = application.conversation.before(patient.id, before, limit)
        else:
            found = application.conversation.since(patient.id, request.args.get("after", 0, type=_sequence), limit)
        return jsonify(messages=[_message(row) for row in found])

    @api.get("/alert-status")
    @allow("patient")
    def alert_status() -> Any:
        patient = signed_in_patient(application)
        status = application.escalation.status_for_patient(patient.id)
        if status is None:
            return jsonify(alert=None)
        return jsonify(
            alert={
                "text": banner(status, patient.time_zone, application.settings.oncall_phone),
                "level": status.level.name,
                "sent_to": role(status.sent_to) if status.sent_at is not None else None,
                "next_to": [role(target) for target in status.next_to],
                "closed": status.closed,
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
        return jsonify(entries=[_entry(e) for e in application.journal.entries(signed_in_patient(application).id)])

    @api.put("/entries/<entry_id>/visibility")
    @allow("patient")
    def put_visibility(entry_id: str) -> Any:
        try:
            body = request.get_json(silent=True)
            wanted = Visibility(str(body.get("visibility")) if isinstance(body, dict) else "")
            entry = application.journal.set_visibility(signed_in_patient(application).id, entry_id, wanted)
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


def _sequence(text: str) -> int:
    """A sequence number of messages, 0 to MOST_SEQUENCE; anything beyond it means the nearest one."""
    return max(0, min(int(text), MOST_SEQUENCE))


def _refuse(code: str, message: str, status: int) -> Any:
    return jsonify(error={"code": code, "message": message}), status


def _moment(moment: Any) -> str | None:
    return None if moment is None else moment.isoformat()


def _message(message: Message) -> dict[str, Any]:
    return {
        "id": message.id,
        "seq": message.seq,
        "client_id": message.client_id,
        "from": message.sender,
        "kind": message.kind,
        "text": message.text,
        "small_print": message.small_print,
        "control": _control(message),
        "links": [{"label": link["label"], "href": _page_of(link)} for link in message.links],
        "at": _moment(message.created_at),
    }


def _page_of(link: Mapping[str, str]) -> str:
    """Where a link of a bubble leads."""
    if link["page"] == "entry":
        return url_for("entries.entry", entry_id=link["id"])
    return url_for("entries.copy", _anchor=link["page"] if link["page"] == "alerts" else None)


def _control(message: Message) -> dict[str, Any] | None:
    """The control with its pace: a breathing circle instead of a ring where the practice is about breathing."""
    if message.control is None:
        return None
    return {**message.control, "pace": PACES.get(message.text_id or "")}


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at": _moment(entry.created_at),
        "phase": entry.phase,
        "visibility": entry.visibility.value,
        "lines": [{"label": line.label, "text": line.text} for line in entry.lines],
    }
