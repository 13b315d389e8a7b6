"""From a patient's urgent words to a named person who has seen them, through the real mail server and pages."""

from __future__ import annotations

import re
from email.message import EmailMessage
from typing import Any

import pytest

from tests.running import Stack, Visitor, wait_until

WORDS = "I keep thinking about killing myself, velvetmark"


class Case:
    """One patient's urgent message and what it led to."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.visitor = stack.invite("Ines")
        self.replies = self.visitor.say(WORDS)
        with stack.application.uow() as tx:
            (self.alert,) = tx.alerts(patient_id=self.visitor.patient_id)

    def status(self) -> dict[str, Any]:
        return dict(self.visitor.http.get("/api/v1/alert-status").json()["alert"])

    def mail(self) -> EmailMessage:
        def arrived() -> EmailMessage | None:
            return next((m for m in self.stack.mails() if self.alert.reference in str(m["subject"])), None)

        found = wait_until(arrived, 30, "the e-mail")
        assert isinstance(found, EmailMessage)
        return found


@pytest.fixture(scope="module")
def case(stack: Stack) -> Case:
    return Case(stack)


@pytest.fixture(scope="module")
def responder(stack: Stack) -> Visitor:
    return stack.sign_in("noor@plum-spring.example")


def test_the_alert_names_the_message_that_it_was_raised_with(case: Case) -> None:
    with case.stack.application.uow() as tx:
        message = tx.message(case.alert.message_id or "")
    assert message is not None
    assert message.text == WORDS
    assert case.alert.level.name in ("urgent", "emergency")
    assert "988" in " ".join(reply["text"] for reply in case.replies)


def test_the_e_mail_carries_initials_level_and_link_and_none_of_the_words(case: Case) -> None:
    mail = case.mail()
    body = mail.get_body(("plain", "html"))
    assert body is not None
    text = f"{mail['subject']} {body.get_content()} {mail.as_string()}"
    assert mail["to"] == "noor@plum-spring.example" or "noor@plum-spring.example" in str(mail["to"])
    assert case.alert.level.name.upper() in str(mail["subject"])
    assert "I.V." in text
    assert f"/staff/alerts/{case.alert.id}" in text
    for word in ("velvetmark", "killing", "Ines", "Vale", "555-0177"):
        assert word not in text


def test_the_page_says_that_it_was_sent_and_not_yet_seen(case: Case) -> None:
    case.mail()
    status = wait_until(lambda: case.status() if case.status()["sent_at"] else None, 15, "the sent time")
    assert status["seen_at"] is None
    assert status["next_at"] is not None


def test_opening_the_link_of_the_e_mail_acknowledges_nothing(case: Case, responder: Visitor) -> None:
    body = case.mail().get_body(("plain", "html"))
    assert body is not None
    link = re.search(r"/staff/alerts/\w+", body.get_content())
    assert link is not None
    page = responder.http.get(link.group())
    assert page.status_code == 200
    assert "velvetmark" not in page.text
    assert case.status()["seen_at"] is None
    assert case.alert.reference in responder.http.get("/staff/").text


def test_acknowledging_names_the_person_on_the_board_and_on_the_patients_page(case: Case, responder: Visitor) -> None:
    responder.form(f"/staff/alerts/{case.alert.id}/acknowledge")
    status = case.status()
    assert status["seen_by"] == "Noor Haddad"
    assert status["seen_at"] is not None
    assert status["next_at"] is None
    assert "Noor Haddad" in responder.http.get("/staff/").text


def test_no_log_of_any_process_holds_the_words(case: Case) -> None:
    log = case.stack.log.read_text(errors="replace")
    assert "velvetmark" not in log
    assert case.visitor.email not in log
