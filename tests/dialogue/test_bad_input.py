"""Whatever a patient types or a browser sends gets a kind, clear answer, and nothing is lost."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from tests.dialogue.test_whole_sitting import sit_until, state_of
from tests.running import PASSPHRASE, Stack, Visitor

UNWELCOME = ("Traceback", "Error", "exception", "I've kept what you wrote, but")


@pytest.fixture(scope="module")
def writer(stack: Stack) -> Visitor:
    """A patient who is asked for words."""
    visitor = stack.invite()
    sit_until(visitor, "text")
    return visitor


def kept_texts(stack: Stack, visitor: Visitor) -> list[str]:
    with stack.application.uow() as tx:
        return [m.text for m in tx.messages(visitor.patient_id, limit=1000) if m.sender == "patient"]


def alerts_of(stack: Stack, visitor: Visitor) -> list[Any]:
    with stack.application.uow() as tx:
        return tx.alerts(patient_id=visitor.patient_id)


ODD = {
    "emoji": "🙂🌿👩🏽‍🌾",
    "right to left": "היה שם נהר רחב ושקט",
    "mixed direction": "a river \u202eriver\u202c and on",
    "control characters": "a\x00b\x07 river\x1b[31m",
    "slash restart": "/restart",
    "slash intent": '/intent{"x":"y"}',
    "slash button": '/priority{"verdict":"none"} a river',
    "markup": "<script>alert(1)</script> & <b>river</b>",
    "half a character": "a river \ud83d",
    "20 kB": "the river was wide and slow. " * 700,
    "5,000 words": "river " * 5000,
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_text_is_kept_verbatim_as_the_answer(stack: Stack, name: str) -> None:
    visitor, text = stack.invite(), ODD[name]
    sit_until(visitor, "text")
    step = state_of(stack, visitor)["frames"][-1]["step"]
    replies = visitor.post_text(text)
    kept = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert kept in kept_texts(stack, visitor)
    state = state_of(stack, visitor)
    assert kept.strip() in [row["text"] for row in state["kept"]]
    assert state["frames"][-1]["step"] != step
    assert replies
    assert not [word for word in UNWELCOME for reply in replies if word in reply["text"]]
    assert alerts_of(stack, visitor) == []


@pytest.mark.parametrize("text", ["", "   ", "\n\t\n"])
def test_an_empty_message_is_refused_kindly(writer: Visitor, text: str) -> None:
    answer = writer.post("/api/v1/messages", client_id=uuid.uuid4().hex, text=text)
    assert (answer.status_code, answer.json()["error"]["message"]) == (422, "There is nothing to send yet.")


@pytest.mark.parametrize("size", [41_000, 400_000])
def test_a_message_beyond_all_measure_is_refused_and_says_that_it_is_still_there(writer: Visitor, size: int) -> None:
    answer = writer.post("/api/v1/messages", client_id=uuid.uuid4().hex, text="r" * size)
    assert answer.status_code == 413
    assert "still" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"client_id": ""},
        {"client_id": "a" * 65, "text": "river"},
        {"client_id": 7, "text": "river"},
        {"client_id": "a", "text": ["river"]},
        {"client_id": "a", "control_id": 5},
        {"client_id": "a", "control_id": "b", "value": {"a": {"b": 1}}},
        {"client_id": "a", "control_id": "b", "value": ["a"] * 100},
        {"client_id": "a", "control_id": "b", "lines": {"0": 5}},
        {"client_id": "a", "control_id": "b", "lines": ["a"]},
    ],
    ids=str,
)
def test_a_malformed_body_is_refused_with_a_sentence(writer: Visitor, body: dict[str, Any]) -> None:
    answer = writer.post("/api/v1/messages", **body)
    assert answer.status_code == 422
    assert answer.json()["error"]["message"].endswith(".")


def test_no_json_at_all_is_refused_with_a_sentence(writer: Visitor) -> None:
    answer = writer.http.post("/api/v1/messages", content=b"\xff{", headers={"X-CSRFToken": writer.token})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "malformed")


def test_the_same_client_id_twice_gives_the_same_answer_and_moves_nothing(stack: Stack) -> None:
    visitor = stack.invite()
    sit_until(visitor, "text")
    first = visitor.say("a quiet river", client_id="twice")
    state = state_of(stack, visitor)
    again = visitor.post("/api/v1/messages", client_id="twice", text="something else").json()
    assert again["duplicate"]
    assert [r["id"] for r in again["replies"]] == [r["id"] for r in first]
    assert state_of(stack, visitor) == state


def test_the_same_client_id_at_the_same_moment_is_taken_once(stack: Stack) -> None:
    visitor = stack.invite()
    sit_until(visitor, "text")
    token = visitor.token

    def post(_: int) -> int:
        body = {"client_id": "at-once", "text": "a quiet river, oncemark"}
        return visitor.http.post("/api/v1/messages", json=body, headers={"X-CSRFToken": token}).status_code

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(post, range(4))) == [200] * 4
    assert [text for text in kept_texts(stack, visitor) if "oncemark" in text] == ["a quiet river, oncemark"]
    kept = [row["text"] for row in state_of(stack, visitor)["kept"]]
    assert kept.count("a quiet river, oncemark") == 1


def test_a_stale_button_changes_nothing_and_says_so(stack: Stack) -> None:
    visitor = stack.invite()
    old = visitor.control
    visitor.choose("continue")
    visitor.choose("no")
    before = state_of(stack, visitor)["frames"]
    body = {"client_id": uuid.uuid4().hex, "text": "Continue", "control_id": old["id"], "value": "continue"}  # type: ignore[index]
    replies = visitor.post("/api/v1/messages", **body).json()["replies"]
    assert "earlier question" in replies[0]["text"]
    assert replies[-1]["control"]["type"] == "choice"
    assert state_of(stack, visitor)["frames"] == before


def test_two_tabs_at_once_lose_no_words(stack: Stack) -> None:
    visitor = stack.invite()
    sit_until(visitor, "text")
    other = Visitor(stack.address, visitor.email, visitor.patient_id)
    other.sign_in()
    tokens = [(visitor, visitor.token), (other, other.token)]

    def post(number: int) -> int:
        tab, token = tokens[number % 2]
        body = {"client_id": f"tab-{number}", "text": f"tabmark {number}, a quiet river"}
        return tab.http.post("/api/v1/messages", json=body, headers={"X-CSRFToken": token}).status_code

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(post, range(4))) == [200] * 4
    assert len([text for text in kept_texts(stack, visitor) if "tabmark" in text]) == 4
    with stack.application.uow() as tx:
        assert all(m.answered_at for m in tx.messages(visitor.patient_id, limit=100) if "tabmark" in m.text)


def test_a_button_the_control_never_offered_is_kept_and_the_question_asked_again(stack: Stack) -> None:
    visitor = stack.invite()
    visitor.choose("continue")
    visitor.choose("no")
    visitor.choose("a dragon", text="a dragon")
    assert state_of(stack, visitor)["frames"][-1]["step"] == "ar_ladder"
    assert visitor.control["type"] == "choice"  # type: ignore[index]


def test_an_expired_used_or_unknown_link_says_so_kindly(stack: Stack) -> None:
    access, visitor = stack.application.access, Visitor(stack.address, "late@example.com")
    made = access.invite(first_name="Late", last_name="Vale", days_valid=-1)
    answer = visitor.http.get(f"/invitation/{made.token}")
    assert (answer.status_code, "has run out" in answer.text) == (410, True)
    assert "not one of ours" in visitor.http.get("/invitation/nonsense").text
    fresh = access.invite(first_name="Late", last_name="Vale")
    form = {"email": f"{uuid.uuid4().hex[:8]}@example.com", "passphrase": PASSPHRASE, "again": PASSPHRASE}
    visitor.form(f"/invitation/{fresh.token}", **form)
    assert "already used" in Visitor(stack.address, "").http.get(f"/invitation/{fresh.token}").text
    assert fresh.expires_at - stack.application.clock() > timedelta(days=6)


@pytest.mark.parametrize(
    ("change", "words"),
    [({"again": "another passphrase"}, "differ"), ({"passphrase": "short", "again": "short"}, "12 characters"),
     ({"email": "nonsense"}, "e-mail address"), ({"email": "rae@example.com"}, "cannot be used")],
)  # fmt: skip
def test_a_bad_choice_of_sign_in_is_explained_and_the_link_stays_good(
    stack: Stack, change: dict[str, str], words: str
) -> None:
    made = stack.application.access.invite(first_name="Ada", last_name="Vale")
    visitor = Visitor(stack.address, "")
    form = {"email": "ada.vale@example.com", "passphrase": PASSPHRASE, "again": PASSPHRASE} | change
    answer = visitor.form(f"/invitation/{made.token}", **form)
    assert words in answer.text
    assert "Welcome, Ada" in visitor.http.get(f"/invitation/{made.token}").text


def test_a_wrong_passphrase_is_refused_without_saying_which_was_wrong(stack: Stack) -> None:
    visitor = Visitor(stack.address, "rae@example.com")
    for email in ("rae@example.com", "nobody@example.com"):
        answer = visitor.post("/api/v1/session", email=email, passphrase="wrong wrong wrong")
        assert (answer.status_code, answer.json()["error"]["message"]) == (
            401,
            "That e-mail and passphrase do not fit together.",
        )
        page = visitor.form("/login", email=email, password="wrong wrong wrong")
        assert 'role="alert"' in page.text
    assert visitor.http.get("/api/v1/messages").status_code == 401


def test_a_message_without_the_pages_token_is_refused_and_says_to_reload(writer: Visitor) -> None:
    answer = writer.http.post("/api/v1/messages", json={"client_id": "a", "text": "river"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "stale_page")
