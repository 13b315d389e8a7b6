"""The shared entries as a FHIR R4 bundle, validated by fhir.resources before it leaves.

The library carries R4B (4.3.0), the technical correction of R4, under its own module; for the resources used here
(Patient, QuestionnaireResponse, Communication, Flag, CarePlan, Goal, Bundle) R4B is R4 unchanged. The package's top
level is R5 and must not be used. References are urn:uuid within the bundle; the patient is an id, never a name.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from bot.core.digest.records import Question, Step
from bot.core.escalation import Alert
from bot.core.journal import Entry
from bot.services.digests import PatientView

SYSTEM = "urn:integration-coach"
NAMESPACE = uuid.UUID("0f0a2f39-7a54-4d0b-9c58-3a0f7cbb2b11")
RATINGS = frozenset({"state.activation_start", "state.activation_end", "state.presence", "recall.activation_after"})
LIFECYCLE = {"done": "completed", "let go": "cancelled", "no longer fits": "cancelled"}


def fhir_bundle(view: PatientView) -> dict[str, Any]:
    """A collection of what the view's window shows: entries, questions to the coach, open alerts, small steps."""
    from fhir.resources.R4B.bundle import Bundle  # a large library, and few processes ever export

    patient = _urn("patient", view.patient.id)
    window = view.digest.header.window
    entries = [entry for entry in view.entries if window.holds(entry.created_at)]
    goals = [_goal(step, patient) for step in view.digest.steps]
    resources = [
        (patient, {"resourceType": "Patient", "identifier": [{"system": SYSTEM, "value": view.patient.id}]}),
        *((_urn("entry", entry.id), _response(entry, patient)) for entry in entries),
        *((_urn("question", q.id), _communication(q, patient)) for q in view.digest.questions),
        *((_urn("flag", alert.id), _flag(alert, patient)) for alert in view.open_alerts),
        *goals,
    ]
    if goals:
        resources.append((_urn("plan", view.patient.id), _plan([urn for urn, _ in goals], patient, view.made_at)))
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": view.made_at.isoformat(),
        "entry": [{"fullUrl": urn, "resource": resource} for urn, resource in resources],
    }
    return dict(Bundle.model_validate(bundle).model_dump(mode="json"))


def _response(entry: Entry, patient: str) -> dict[str, Any]:
    return {
        "resourceType": "QuestionnaireResponse",
        "identifier": {"system": SYSTEM, "value": entry.id},
        "status": "completed",
        "subject": {"reference": patient},
        "source": {"reference": patient},
        "authored": entry.created_at.isoformat(),
        "item": [
            {"linkId": f"{place}.{line.field}", "text": line.label, "answer": [_answer(line.field, line.text)]}
            for place, line in enumerate(entry.lines)
        ],
    }


def _answer(field: str, text: str) -> dict[str, Any]:
    if field in RATINGS and text.isascii() and text.isdigit():
        return {"valueInteger": int(text)}
    return {"valueString": text}


def _communication(question: Question, patient: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "resourceType": "Communication",
        "status": "completed",
        "subject": {"reference": patient},
        "sender": {"reference": patient},
        "sent": question.asked_at.isoformat(),
        "payload": [{"contentString": question.text}],
    }
    if question.source is not None:
        found["about"] = [{"reference": _urn("entry", question.source.entry_id)}]
    if question.answer is not None and question.answered_at is not None:
        found["note"] = [
            {
                "authorString": question.answered_by,
                "time": question.answered_at.isoformat(),
                "text": question.answer,
            }
        ]
    return found


def _flag(alert: Alert, patient: str) -> dict[str, Any]:
    about = ", ".join(name.replace("_", " ") for name in alert.categories)
    return {
        "resourceType": "Flag",
        "identifier": [{"system": SYSTEM, "value": alert.reference}],
        "status": "active",
        "category": [{"text": "Self-reported during writing; not an assessment."}],
        "code": {"text": f"{about}, {alert.level.name}, {alert.status.value}"},
        "subject": {"reference": patient},
        "period": {"start": alert.raised_at.isoformat()},
    }


def _goal(step: Step, patient: str) -> tuple[str, dict[str, Any]]:
    source = step.said.source
    goal: dict[str, Any] = {
        "resourceType": "Goal",
        "lifecycleStatus": LIFECYCLE.get(step.status, "active"),
        "description": {"text": step.said.text},
        "subject": {"reference": patient},
        "startDate": source.at.date().isoformat(),
        "expressedBy": {"reference": patient},
        "note": [{"text": f"Status in the patient's words: {step.status}"}],
    }
    return _urn("step", f"{source.entry_id}/{source.line}"), goal


def _plan(goals: list[str], patient: str, made_at: datetime) -> dict[str, Any]:
    return {
        "resourceType": "CarePlan",
        "status": "active",
        "intent": "plan",
        "title": "Small steps chosen by the patient",
        "subject": {"reference": patient},
        "created": made_at.isoformat(),
        "goal": [{"reference": urn} for urn in goals],
    }


def _urn(kind: str, key: str) -> str:
    return f"urn:uuid:{uuid.uuid5(NAMESPACE, f'{kind}/{key}')}"
