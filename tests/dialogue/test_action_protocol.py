"""The protocol between Rasa 3.6 and the newer rasa-sdk of the action server, both ways.

A request as Rasa makes it must be understood, and the answer must hold what Rasa reads: events and responses with the
keys of its own schema. The request is composed by Rasa's own code in Rasa's own environment.
"""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from typing import Any

import httpx
import pytest

from bot.settings import ROOT
from bot.supervisor.training import RASA_PYTHON
from tests.running import Stack

COMPOSE = """
import asyncio, json, sys
from rasa.core.actions.action import RemoteAction
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, ActiveLoop, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

given = json.loads(sys.stdin.read())
domain = Domain.load("domain.yml")
user = UserUttered(given["text"], {"name": "inform", "confidence": 0.9}, input_channel="clinic",
                   parse_data={"intent_ranking": [{"name": "inform", "confidence": 0.9}], "text": given["text"],
                               "intent": {"name": "inform", "confidence": 0.9}, "entities": [],
                               "metadata": {"message_id": given["message_id"]}},
                   metadata={"message_id": given["message_id"]})
events = [ActiveLoop("sitting_form"), SlotSet("requested_slot", "reply"), ActionExecuted("action_listen"), user]
tracker = DialogueStateTracker.from_events(given["sender"], events, domain.slots, domain=domain)
action = RemoteAction("validate_sitting_form", None)
print("REQUEST" + json.dumps(action._action_call_format(tracker, domain)))
"""
READ = """
import json, sys
from jsonschema import validate
from rasa.core.actions.action import RemoteAction
from rasa.shared.core.events import Event

answer = json.loads(sys.stdin.read())
validate(answer, RemoteAction.action_response_format_spec())
events = [Event.from_parameters(event) for event in answer["events"]]
print("READ" + json.dumps([type(event).__name__ for event in events]))
"""


def in_rasa(code: str, given: Any) -> Any:
    """Run code in Rasa's environment; the last word it prints, after a tag, is the result."""
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | {
        "PYTHONPATH": str(ROOT), "SQLALCHEMY_SILENCE_UBER_WARNING": "1", "RASA_TELEMETRY_ENABLED": "false",
    }  # fmt: skip
    done = subprocess.run(
        [str(RASA_PYTHON), "-W", "ignore", "-c", code],
        cwd=ROOT, env=environment, input=json.dumps(given), capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if line.startswith(("REQUEST", "READ"))]
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(lines[-1].removeprefix("REQUEST").removeprefix("READ"))


def call(stack: Stack, request: Any, secret: str) -> httpx.Response:
    address = f"http://127.0.0.1:{stack.settings.actions_port}/webhook"
    return httpx.post(address, json=request, headers={"X-Action-Secret": secret}, timeout=20)


@pytest.fixture(scope="module")
def exchange(stack: Stack) -> tuple[Any, Any]:
    """A request made by Rasa's code for a patient's first `Continue`, and the action server's answer."""
    visitor = stack.invite()
    with stack.application.uow() as tx:
        patient = tx.patient(visitor.patient_id)
    assert patient is not None
    given = {"text": "ok", "message_id": uuid.uuid4().hex, "sender": patient.conversation_id}
    request = in_rasa(COMPOSE, given)
    answer = call(stack, request, stack.settings.action_secret)
    assert answer.status_code == 200, answer.text[:500]
    return request, answer.json()


def test_the_action_server_understands_rasas_request(exchange: tuple[Any, Any]) -> None:
    request, answer = exchange
    assert request["version"].startswith("3.6")
    assert "needs a person" in json.dumps(answer["responses"])


def test_rasa_reads_the_action_servers_answer(exchange: tuple[Any, Any]) -> None:
    assert "SlotSet" in in_rasa(READ, exchange[1])


def test_the_action_server_answers_nobody_without_the_secret(stack: Stack, exchange: tuple[Any, Any]) -> None:
    assert call(stack, exchange[0], "wrong").status_code == 403


def test_an_action_for_an_unknown_conversation_speaks_a_safe_text_and_quotes_nothing(
    stack: Stack, exchange: tuple[Any, Any]
) -> None:
    request = json.loads(json.dumps(exchange[0]))
    request["sender_id"] = request["tracker"]["sender_id"] = "nobody"
    answer = call(stack, request, stack.settings.action_secret)
    assert answer.status_code == 200
    assert "988" in json.dumps(answer.json()["responses"])
    assert answer.json()["events"] == []


@pytest.mark.parametrize(
    ("body", "secret", "status"),
    [({"sender": "a", "text": "b"}, "wrong", 403), ({"text": "b"}, None, 422), (["a"], None, 422),
     ({"sender": "a", "text": "b" * 500_000}, None, 413)],
    ids=["stranger", "no sender", "no object", "too long"],
)  # fmt: skip
def test_rasas_own_door_refuses_what_the_gateway_never_sends(
    stack: Stack, body: Any, secret: str | None, status: int
) -> None:
    address = f"http://127.0.0.1:{stack.settings.rasa_port}/webhooks/clinic/webhook"
    headers = {"X-Channel-Secret": secret or stack.settings.channel_secret}
    assert httpx.post(address, json=body, headers=headers, timeout=20).status_code == status
