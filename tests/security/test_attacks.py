"""A scripted list of attacks on the pages and the API, each refused. Source: OWASP ASVS 4.0.3, level 2."""

from __future__ import annotations

import re
import statistics
import time
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from bot.core.journal import Visibility
from bot.web.accounts import new_user
from tests import builders
from tests.security.site import PASSPHRASE, Browser, Site, text_for_rasa

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'><svg/onload=alert(1)>"
RAW = ("<script>alert(1)", "<img src=x", "<svg/onload")
ELSEWHERE = ["https://evil.example/", "//evil.example", "/\\evil.example", "///evil.example", "javascript:alert(1)"]
CHANGES = [  # (who, method, path) of what a forged page would want done
    ("patient", "POST", "/api/v1/messages"),
    ("patient", "PUT", "/api/v1/entries/{entry}/visibility"),
    ("patient", "POST", "/entries/{entry}/visibility"),
    ("patient", "POST", "/privacy/delete"),
    ("patient", "POST", "/privacy/stop"),
    ("patient", "POST", "/privacy/correct"),
    ("patient", "POST", "/logout"),
    ("responder", "POST", "/staff/alerts/{alert}/acknowledge"),
    ("responder", "POST", "/staff/alerts/{alert}/words"),
    ("responder", "POST", "/api/v1/alerts/{alert}/acknowledge"),
    ("administrator", "POST", "/people/1/close"),
]


@pytest.mark.parametrize(("who", "method", "path"), CHANGES)
def test_a_change_without_the_pages_own_token_is_refused(site: Site, who: str, method: str, path: str) -> None:
    where = path.format(entry=site.private.id, alert=site.alert.id)
    browser = site.browser(who)
    forged = browser.client.open(where, method=method, data={"visibility": "shared"})
    wrong = browser.client.open(where, method=method, data={"csrf_token": site.browser().token})
    assert {forged.status_code, wrong.status_code} == {400}
    assert browser.is_signed_in


def test_every_changing_route_wants_the_token(site: Site) -> None:
    """Enumerated, so that a new route cannot be forgotten."""
    browser = site.browser("patient")
    for endpoint, method, path in site.routes():
        if method in ("POST", "PUT", "DELETE", "PATCH"):
            answer = browser.client.open(path, method=method, data={})
            assert answer.status_code in (302, 400, 404, 429), (endpoint, answer.status_code)
            assert answer.status_code != 302 or "/login" in answer.headers["Location"], endpoint


def test_a_link_works_once(own_site: Site) -> None:
    made = own_site.app.access.invite(first_name="Sam", last_name="Reyes")
    first, second = own_site.browser(), own_site.browser()
    fields = {"email": "sam@example.com", "passphrase": PASSPHRASE, "again": PASSPHRASE}
    assert first.form(f"/invitation/{made.token}", **fields).status_code == 302
    assert second.get(f"/invitation/{made.token}").status_code == 410
    assert second.form(f"/invitation/{made.token}", **(fields | {"email": "eve@example.com"})).status_code == 410
    assert second.get("/invitation/" + "A" * 43).status_code == 410


def test_signing_in_gives_a_session_and_a_token_that_were_not_known_before(site: Site) -> None:
    browser = Browser(site.flask, "coach@plum-spring.example")
    before = browser.token
    planted = browser.client.get_cookie("session")
    assert browser.sign_in().status_code == 200
    after = browser.client.get_cookie("session")
    assert planted is not None
    assert after is not None
    assert planted.value != after.value
    assert browser.token != before
    old = site.flask.test_client()
    old.set_cookie("session", planted.value)
    assert old.get("/api/v1/session").get_json()["signed_in"] is False


def test_a_cookie_copied_before_signing_out_is_worth_nothing_after(site: Site) -> None:
    browser = site.browser("coach")
    copied = browser.client.get_cookie("session")
    assert copied is not None
    assert browser.form("/logout").status_code == 302
    thief = site.flask.test_client()
    thief.set_cookie("session", copied.value)
    assert thief.get("/coach/").status_code == 302


def test_no_remember_cookie_outlives_the_session(site: Site) -> None:
    browser = Browser(site.flask, "coach@plum-spring.example")
    browser.form("/login", email=browser.email, password=PASSPHRASE, remember="y")
    assert browser.is_signed_in
    browser.client.delete_cookie("session")
    assert not browser.is_signed_in


@pytest.mark.parametrize("target", ELSEWHERE)
def test_next_never_leads_elsewhere(site: Site, target: str) -> None:
    browser = Browser(site.flask, "coach@plum-spring.example")
    answer = browser.client.post(
        "/login", query_string={"next": target},
        data={"email": browser.email, "password": PASSPHRASE, "next": target, "csrf_token": browser.token},
    )  # fmt: skip
    place = answer.headers.get("Location", "/").replace("\\", "/")  # as browsers read it
    assert urlsplit(urljoin("http://localhost/", place)).netloc == "localhost"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "plum-spring.example.evil.example"])
def test_a_foreign_host_header_is_refused_in_production(tmp_path: Any, host: str) -> None:
    flask = builders.web_in_production(tmp_path)
    assert flask.test_client().get("/login", headers={"Host": host}, base_url="https://x").status_code == 400
    good = flask.test_client().get("/login", base_url="https://journal.plum-spring.example")
    assert good.status_code == 200


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: evil=1", "a\nX-Evil: 1", "a%0d%0aSet-Cookie:%20evil=1"])
def test_no_header_can_be_smuggled_in(site: Site, value: str) -> None:
    browser = site.browser()
    for answer in (
        browser.client.get("/journal", query_string={"next": value}),
        browser.client.get("/login", query_string={"next": value}),
        browser.client.get(f"/coach/patients/{value.replace('/', '')}"),
    ):
        assert "evil" not in str(answer.headers.get_all("Set-Cookie"))
        assert "X-Evil" not in answer.headers


@pytest.mark.parametrize("path", [
    "/static/../app.py", "/static/..%2f..%2fsettings.py", "/static/%2e%2e/%2e%2e/.env", "/static/....//....//.env",
    "/static//etc/passwd", "/fs-static/../core.py", "/static/%00", "/invitation/..%2f..%2f.env",
])  # fmt: skip
def test_no_path_leads_out_of_the_folder(site: Site, path: str) -> None:
    answer = site.browser().get(path)
    assert answer.status_code in (308, 404, 410)
    assert b"KAT_" not in answer.data
    assert b"root:" not in answer.data


def test_a_stored_script_stays_text_on_every_page_that_shows_it(own_site: Site) -> None:
    """Marked text in every free field that another person sees: names, entries, questions, parts, notes, messages."""
    site = own_site
    site.entry(site.patient, Visibility.shared, SCRIPT)
    site.app.privacy.correct(site.patient.id, first_name=SCRIPT[:60], phone="555-0100", ways=frozenset())
    with site.app.uow() as tx:
        tx.add_question(site.patient.id, "coach", SCRIPT, site.app.clock())
        tx.see_part(site.patient.id, SCRIPT, site.app.clock())
    patient, coach, lead, admin = (site.browser(w) for w in ("patient", "coach", "clinical_lead", "administrator"))
    patient.json("/api/v1/messages", {"client_id": "x1", "text": "I want to die. " + SCRIPT})
    lead.form(f"/staff/alerts/{site.alert.id}/resolve", outcome="contacted", note=SCRIPT)
    pages = [
        coach.get("/coach/"),
        coach.get(f"/coach/patients/{site.patient.id}"),
        lead.get("/staff/"),
        lead.get(f"/staff/alerts/{site.alert.id}"),
        lead.form(f"/staff/alerts/{site.alert.id}/words"),
        patient.get("/entries"),
        patient.get("/privacy"),
        admin.get("/people"),
    ]
    for page in pages:
        assert page.status_code == 200
        for raw in RAW:
            assert raw not in page.text
    assert "&lt;script&gt;" in pages[1].text
    assert "&lt;script&gt;" in pages[4].text


def test_a_name_for_an_account_cannot_carry_a_script_to_colleagues(own_site: Site) -> None:
    with own_site.flask.app_context():
        new_user(own_site.flask, "eve@plum-spring.example", PASSPHRASE, SCRIPT, ["coach"])
    page = own_site.browser("administrator").get("/people").text
    assert all(raw not in page for raw in RAW)


@pytest.mark.parametrize("text", ['/restart', '/goodbye{"x":"y"}', ' \n/inform{"reply": "x"}', "/session_start", '/EXTERNAL: x'])  # fmt: skip
def test_a_slash_typed_by_a_patient_stays_text(own_site: Site, text: str) -> None:
    answer = own_site.browser("patient").json("/api/v1/messages", {"client_id": "s1", "text": text})
    assert answer.status_code == 200
    assert answer.get_json()["message"]["text"].strip() == text.strip()


@pytest.mark.parametrize("text", ['/restart{"x":1}', "  /start", "\t/x", "／restart"])
def test_rasa_never_sees_a_leading_slash(text: str) -> None:
    assert not text_for_rasa()(text).startswith("/")


def test_oversized_bodies_are_refused_before_they_are_read(site: Site) -> None:
    browser = site.browser("patient")
    assert browser.json("/api/v1/messages", {"client_id": "b1", "text": "a" * 400_000}).status_code == 413
    assert browser.form("/privacy/correct", first_name="a" * 400_000).status_code in (400, 413)
    assert browser.json("/api/v1/messages", {"client_id": "b2", "text": "a" * 60_000}).status_code == 413


@pytest.mark.parametrize("body", [[], "text", 1, None, {"client_id": 1}, {"client_id": ""}, {"client_id": "x" * 65},
                                  {"client_id": "a", "text": 1}, {"client_id": "a", "lines": []}])  # fmt: skip
def test_malformed_messages_are_refused_with_words(site: Site, body: Any) -> None:
    answer = site.browser("patient").json("/api/v1/messages", body)
    assert answer.status_code == 422
    assert answer.get_json()["error"]["message"]


def test_a_failed_sign_in_says_the_same_for_known_and_unknown_accounts(site: Site) -> None:
    known, unknown = Browser(site.flask, "coach@plum-spring.example"), Browser(site.flask, "nobody@plum-spring.example")
    assert known.sign_in("wrong wrong wrong").get_json() == unknown.sign_in("wrong wrong wrong").get_json()
    pages = [b.form("/login", email=b.email, password="wrong wrong wrong").text for b in (known, unknown)]
    stripped = [re.sub(r'value="[^"]+"', "", page).replace(str(known.email), "").replace(str(unknown.email), "") for page in pages]  # fmt: skip
    csrf = re.compile(r'content="[^"]+"')
    assert csrf.sub("", stripped[0]) == csrf.sub("", stripped[1])
    forgot = [b.form("/reset", email=b.email) for b in (known, unknown)]
    assert forgot[0].status_code == forgot[1].status_code
    assert forgot[0].headers.get("Location") == forgot[1].headers.get("Location")


def test_an_unknown_account_takes_as_long_as_a_known_one(site: Site) -> None:
    def median(email: str) -> float:
        times = []
        for _ in range(3):
            browser = Browser(site.flask, email)
            token = browser.token
            begun = time.process_time()
            browser.client.post("/api/v1/session", json={"email": email, "passphrase": "wrong wrong wrong"},
                                headers={"X-CSRFToken": token})  # fmt: skip
            times.append(time.process_time() - begun)
        return statistics.median(times)

    known, unknown = median("medical@plum-spring.example"), median("no-one@plum-spring.example")
    assert 0.4 < known / unknown < 2.5


def test_pages_carry_the_headers_that_keep_scripts_and_frames_out(site: Site) -> None:
    for who, path in ((None, "/login"), ("patient", "/journal"), ("coach", "/coach/"), ("responder", "/staff/")):
        headers = site.browser(who).get(path).headers
        csp = headers["Content-Security-Policy"]
        for directive in ("default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"):  # fmt: skip
            assert directive in csp
        assert "unsafe" not in csp
        assert "http" not in csp
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] in ("DENY", "SAMEORIGIN")
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert "camera=()" in headers["Permissions-Policy"]


def test_no_page_has_inline_script_or_style_or_anything_from_elsewhere(site: Site) -> None:
    pages = [
        ("patient", p) for p in ("/journal", "/entries", "/privacy", "/help", "/account/sessions", "/change", "/logout")
    ]
    pages += [
        ("coach", "/coach/"),
        ("responder", "/staff/"),
        ("administrator", "/people"),
        (None, "/login"),
        (None, "/reset"),
    ]
    for who, path in pages:
        answer = site.browser(who).get(path)
        assert answer.status_code == 200, path
        page = answer.text
        assert not re.search(r"<script(?![^>]*\bsrc=)", page), path
        assert not re.search(r"<style|\sstyle=|\son\w+=", page), path
        assert not re.search(r'(?:src|href|action)="(?:https?:)?//', page), path


def test_cookies_are_closed_to_scripts_and_in_production_to_plain_http(tmp_path: Any) -> None:
    flask = builders.web_in_production(tmp_path)
    answer = flask.test_client().get("/login", base_url="https://journal.plum-spring.example")
    cookie = next(c for c in answer.headers.get_all("Set-Cookie") if c.startswith("__Host-session="))
    for flag in ("HttpOnly", "Secure", "SameSite=Lax", "Path=/"):
        assert flag in cookie
    assert "max-age=31556926" in answer.headers["Strict-Transport-Security"]
    plain = flask.test_client().get("/login", base_url="http://journal.plum-spring.example")
    assert plain.status_code in (301, 302)
    assert plain.headers["Location"].startswith("https://")
