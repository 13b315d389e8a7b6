"""Processes killed in the middle of a sitting: nothing is lost, alerts go out, and the sitting goes on by itself."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

from tests.dialogue.test_whole_sitting import state_of
from tests.running import Stack, Visitor, wait_until

BACK_SECONDS = 300.0


@pytest.fixture
def visitor(stack: Stack) -> Visitor:
    """A patient whose sitting waits at the ladder."""
    visitor = stack.invite()
    visitor.choose("continue")
    visitor.choose("no")
    return visitor


def is_back(stack: Stack) -> None:
    """Wait until every process of the stack answers again."""

    probe = httpx.Client(timeout=2)

    def well() -> bool:
        addresses = (
            f"{stack.address}/readyz",
            f"http://127.0.0.1:{stack.settings.rasa_port}/webhooks/clinic/",
            f"http://127.0.0.1:{stack.settings.actions_port}/health",
        )
        try:
            return all(probe.get(address).status_code == 200 for address in addresses)
        except httpx.HTTPError:
            return False

    with probe:
        wait_until(well, BACK_SECONDS, "the return of all processes")


def step_of(stack: Stack, visitor: Visitor) -> str:
    return str(state_of(stack, visitor)["frames"][-1]["step"])


def all_answered(stack: Stack, visitor: Visitor) -> bool:
    with stack.application.uow() as tx:
        return all(m.answered_at for m in tx.messages(visitor.patient_id) if m.sender == "patient")


def post(visitor: Visitor, **body: Any) -> httpx.Response:
    return visitor.post("/api/v1/messages", client_id=uuid.uuid4().hex, **body)


@pytest.mark.parametrize("name", ["rasa", "actions"])
def test_without_the_dialogue_engine_the_patient_is_told_with_numbers_and_the_answer_is_taken_later(
    stack: Stack, visitor: Visitor, name: str
) -> None:
    stack.kill(name)
    control = visitor.control
    assert control is not None
    answer = post(visitor, text="A mix", control_id=control["id"], value="mixed").json()
    assert "988" in answer["replies"][-1]["text"]
    assert "I've kept what you wrote" in answer["replies"][-1]["text"]
    urgent = post(visitor, text="I want to die").json()
    assert urgent["message"]["id"]
    with stack.application.uow() as tx:
        assert tx.assessment(urgent["message"]["id"]) is not None
        (alert,) = tx.alerts(patient_id=visitor.patient_id)
    wait_until(lambda: any(alert.reference in str(m["subject"]) for m in stack.mails()), BACK_SECONDS, "the e-mail")
    is_back(stack)
    wait_until(lambda: all_answered(stack, visitor), BACK_SECONDS, "the answers to what waited")
    assert state_of(stack, visitor)["values"]["ladder"] == "mixed"
    assert "988" in "\n".join(m["text"] for m in visitor.messages())


def test_web_killed_between_keeping_and_answering_loses_nothing(stack: Stack, visitor: Visitor) -> None:
    control = visitor.control
    assert control is not None
    kept = stack.application.screening.receive(
        visitor.patient_id, "cut-off", "A mix", control_id=control["id"], value="mixed"
    )
    stack.kill("web")
    with pytest.raises(httpx.HTTPError):
        visitor.http.get("/api/v1/messages", timeout=2)
    is_back(stack)
    wait_until(lambda: step_of(stack, visitor) == "ar_activation", BACK_SECONDS, "the worker answering what waited")
    again = visitor.post("/api/v1/messages", client_id="cut-off", text="A mix", control_id=control["id"], value="mixed")
    assert again.json()["duplicate"]
    assert again.json()["message"]["id"] == kept.message.id
    assert step_of(stack, visitor) == "ar_activation"


def test_with_the_worker_killed_readiness_says_so_and_the_alert_goes_out_when_it_is_back(
    stack: Stack, visitor: Visitor
) -> None:
    stack.kill("worker")
    visitor.say("I keep thinking about killing myself")
    with stack.application.uow() as tx:
        (alert,) = tx.alerts(patient_id=visitor.patient_id)
    wait_until(lambda: any(alert.reference in str(m["subject"]) for m in stack.mails()), BACK_SECONDS, "the e-mail")
    is_back(stack)


def test_a_killed_rasa_comes_back_with_the_form_where_it_was(stack: Stack, visitor: Visitor) -> None:
    stack.kill("rasa")
    is_back(stack)
    visitor.say("a mix")
    assert step_of(stack, visitor) == "ar_activation"
    visitor.say("who can read this?")
    assert step_of(stack, visitor) == "ar_activation"
    visitor.say("4")
    assert step_of(stack, visitor) == "ar_presence"
