"""Any input at all: messages, invitations, sign-ins and the channel's text never break anything. Counts are printed."""

from __future__ import annotations

import itertools
import os
import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.security.site import Browser, Site, text_for_rasa

EXAMPLES = int(os.environ.get("KAT_FUZZ_EXAMPLES", "150"))
FOR_RASA = text_for_rasa()
COUNTS: Counter[str] = Counter()
FUZZ = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
TEXT = st.text(max_size=400) | st.sampled_from(["/restart", "\x00", "\ud800".encode("utf-8", "replace").decode(), "а́", "🙂" * 50, "=1+1", "{{7*7}}", "%s%n", "' OR 1=1 --", "../../etc/passwd"])  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=8,
)
MESSAGE = st.fixed_dictionaries(
    {"client_id": st.just("") | st.text(max_size=70)},
    optional={"text": TEXT | JSON, "control_id": TEXT | JSON, "value": JSON, "lines": JSON},
)
numbers = itertools.count()


@pytest.fixture(scope="module")
def patient(site: Site) -> Browser:
    for limiter in site.flask.extensions["limiter"]:
        limiter.enabled = False
    browser = site.browser("patient")
    browser.page_token = browser.token
    return browser


@pytest.fixture(scope="module", autouse=True)
def report() -> Iterator[None]:
    yield
    print("\nfuzzed inputs:", dict(COUNTS))


@FUZZ
@given(body=MESSAGE | JSON)
def test_no_message_body_breaks_the_api(patient: Browser, body: Any) -> None:
    COUNTS["messages"] += 1
    if isinstance(body, dict) and isinstance(body.get("client_id"), str) and body["client_id"]:
        body["client_id"] = f"{next(numbers)}-{body['client_id']}"
    answer = patient.json("/api/v1/messages", body)
    assert answer.status_code in (200, 400, 413, 422), answer.get_json()
    assert answer.get_json() is not None


@FUZZ
@given(
    raw=st.binary(max_size=300), kind=st.sampled_from(["application/json", "text/plain", "multipart/form-data", "x/y"])
)
def test_no_raw_body_breaks_the_api(patient: Browser, raw: bytes, kind: str) -> None:
    COUNTS["raw bodies"] += 1
    answer = patient.client.post(
        "/api/v1/messages", data=raw, content_type=kind, headers={"X-CSRFToken": patient.token}
    )
    assert answer.status_code in (400, 413, 415, 422)


@FUZZ
@given(token=st.text(min_size=1, max_size=100), email=TEXT, passphrase=TEXT, again=TEXT)
def test_no_invitation_breaks_the_page(site: Site, token: str, email: str, passphrase: str, again: str) -> None:
    COUNTS["invitations"] += 1
    from urllib.parse import quote

    browser = site.browser()
    answer = browser.form(f"/invitation/{quote(token, safe='')}", email=email, passphrase=passphrase, again=again)
    assert answer.status_code in (308, 400, 404, 410)


@FUZZ
@given(email=TEXT, passphrase=TEXT)
def test_no_real_invitation_lets_a_weak_form_through(site: Site, email: str, passphrase: str) -> None:
    COUNTS["invitation forms"] += 1
    token = TOKENS.setdefault(id(site), site.app.access.invite(first_name="Sam", last_name="Reyes").token)
    answer = site.browser().form(f"/invitation/{token}", email=email, passphrase=passphrase, again=passphrase)
    assert answer.status_code in (200, 302)
    if answer.status_code == 302:
        assert "@" in email
        assert len(passphrase) >= 12
        del TOKENS[id(site)]


TOKENS: dict[int, str] = {}


@settings(FUZZ, max_examples=max(10, EXAMPLES // 5))  # each costs a hash
@given(body=JSON | st.fixed_dictionaries({"email": TEXT | JSON, "passphrase": TEXT | JSON, "code": TEXT | JSON}))
def test_no_sign_in_breaks_the_api(site: Site, body: Any) -> None:
    COUNTS["sign-ins"] += 1
    assert site.browser().json("/api/v1/session", body).status_code in (401, 422)


@settings(FUZZ, max_examples=EXAMPLES * 10)
@given(text=st.text(max_size=200) | st.from_regex(r"\s*/\w*(\{.*\})?", fullmatch=True))
def test_no_text_reaches_rasa_as_a_command(text: str) -> None:
    COUNTS["channel texts"] += 1
    sent = FOR_RASA(text)
    assert sent
    assert not sent.lstrip().startswith("/")


@FUZZ
@given(text=TEXT)
def test_what_was_written_is_what_is_kept(patient: Browser, text: str) -> None:
    COUNTS["kept texts"] += 1
    answer = patient.json("/api/v1/messages", {"client_id": uuid.uuid4().hex, "text": text})
    if answer.status_code == 200:
        assert answer.get_json()["message"]["text"] == text
    else:
        assert answer.status_code == 422
