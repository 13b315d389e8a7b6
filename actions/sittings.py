"""Rasa's actions: read the tracker, call one service, speak. They decide nothing that matters."""

from __future__ import annotations

import asyncio
import traceback
import uuid
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import structlog
from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from bot.bootstrap import Application, build
from bot.core.flow.speech import Reply
from bot.core.safety.verdict import combine, verdict_from_json
from bot.core.steering import Decision, decide, heard_from_json
from bot.services.ports import Spoken
from bot.settings import load

log = structlog.get_logger()
SHELL = "cmdline"  # Rasa's name for `rasa shell`, which shows plain text
FAILED = (
    "I've kept what you wrote, but I can't go on just now. In danger: 911. Any hour: call or text 988. "
    "The clinic: {clinic_phone}."
)
Events = list[dict[str, Any]]


@cache
def application() -> Application:
    """The clinic's services, wired once in this process."""
    return build(load())


class SafeAction(Action):
    """The base of all actions: never raises, never blocks the server's loop, never quotes the patient."""

    action_name = ""

    def name(self) -> str:
        return self.action_name

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        """Do the work in a thread. On any failure speak a safe text; the id leads to the log."""
        try:
            spoken, events = await asyncio.to_thread(self.work, tracker)
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            log.error(
                "action.failed",
                action=self.action_name,
                failure=uuid.uuid4().hex[:12],
                error=type(error).__name__,
                where=f"{Path(where.filename).name}:{where.lineno}",
            )
            dispatcher.utter_message(text=FAILED.format(clinic_phone=load().clinic_phone))
            return []
        for row in spoken:
            if tracker.get_latest_input_channel() == SHELL:
                options = row.utterance.control.options if row.utterance.control is not None else ()
                dispatcher.utter_message(text="\n  ".join((row.utterance.text, *(option.label for option in options))))
            else:
                dispatcher.utter_message(json_message=row.as_json())
        return events

    def work(self, tracker: Tracker) -> tuple[Sequence[Spoken], Events]:
        """Call one service. Returns what to speak and the events for Rasa."""
        raise NotImplementedError


class SessionStart(SafeAction):
    """A conversation begins with the form active: whether a sitting is open is the clinic's database's knowledge."""

    action_name = "action_session_start"

    def work(self, tracker: Tracker) -> tuple[Sequence[Spoken], Events]:
        return (), [
            {"event": "session_started"},
            {"event": "active_loop", "name": "sitting_form"},
            {"event": "slot", "name": "requested_slot", "value": "reply"},
            {"event": "action", "name": "action_listen"},
        ]


class ValidateSittingForm(SafeAction):
    """Every text that is no interruption is the answer to the current step."""

    action_name = "validate_sitting_form"

    def work(self, tracker: Tracker) -> tuple[Sequence[Spoken], Events]:
        empty: Events = [
            {"event": "slot", "name": "reply", "value": None},
            {"event": "followup", "name": "action_listen"},  # saves Rasa from asking its policies what it does next
        ]
        if already_acted_on(tracker):
            return (), empty
        sittings, metadata = application().sittings, metadata_of(tracker)
        found = verdict_from_json(metadata["verdict"]) if metadata.get("verdict") else combine((), version="")
        if found.interrupts:  # the policy puts the response first; words of danger are no answer even where it does not
            return sittings.respond_to_risk(tracker.sender_id, metadata["message_id"], found), empty
        if found.categories:
            sittings.note_concern(tracker.sender_id, metadata["message_id"], found)
        if decision_of(tracker).interrupts:
            return (), [
                {"event": "action_execution_rejected", "name": "sitting_form", "policy": None, "confidence": None}
            ]
        reply = Reply(
            message_id=metadata["message_id"],
            text=str(tracker.latest_message.get("text") or ""),
            control_id=metadata.get("control_id"),
            value=metadata.get("value"),
            lines=metadata.get("lines"),
        )
        return sittings.answer(tracker.sender_id, reply), empty


class Steer(SafeAction):
    """Carries out a command of the patient, or answers a question of protocol 8."""

    action_name = "action_steer"

    def work(self, tracker: Tracker) -> tuple[Sequence[Spoken], Events]:
        decision, message_id = decision_of(tracker), metadata_of(tracker)["message_id"]
        sittings = application().sittings
        if decision.question is not None:
            return sittings.inform(tracker.sender_id, message_id, f"faq_{decision.question}"), []
        return sittings.steer(tracker.sender_id, message_id, decision.command or "repeat_question"), []


class RespondToRisk(SafeAction):
    """Puts the response flow first. The alert was raised by the gateway; this is the second net."""

    action_name = "action_respond_to_risk"

    def work(self, tracker: Tracker) -> tuple[Sequence[Spoken], Events]:
        metadata = metadata_of(tracker)
        verdict = verdict_from_json(metadata["verdict"]) if metadata.get("verdict") else combine((), version="")
        return application().sittings.respond_to_risk(tracker.sender_id, metadata["message_id"], verdict), []


def already_acted_on(tracker: Tracker) -> bool:
    """Whether another action took the latest text and the form merely comes back.

    Rasa validates on a copy of its tracker to which it has already appended the form's own run, so that last
    one does not count; `latest_action_name` would always be the form.
    """
    events = list(tracker.events)
    latest = max((place for place, event in enumerate(events) if event["event"] == "user"), default=-1)
    acted = [event.get("name") for event in events[latest + 1 :] if event["event"] == "action"]
    return len(acted) > 1


def metadata_of(tracker: Tracker) -> dict[str, Any]:
    """What the gateway sent along; a developer's shell sends nothing."""
    metadata = dict(tracker.latest_message.get("metadata") or {})
    metadata.setdefault("message_id", uuid.uuid4().hex)
    return metadata


def decision_of(tracker: Tracker) -> Decision:
    """Answer, command or question, by the interruption rule. A button is never more than its answer."""
    if metadata_of(tracker).get("control_id"):
        return Decision(confidence=1.0)
    latest = tracker.latest_message
    context = application().sittings.step_context(tracker.sender_id)
    return decide(str(latest.get("text") or ""), heard_from_json(latest), context)


ACTIONS: tuple[Callable[[], SafeAction], ...] = (SessionStart, ValidateSittingForm, Steer, RespondToRisk)
