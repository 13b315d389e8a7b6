"""Signing in: the second factor, the lock, sessions and their ends, the ways back in, the notice of a new device."""

from __future__ import annotations

import re

import pytest

from bot.adapters.sql.tables import User
from bot.services.ports import SendFailed
from bot.services.sign_in import LinkGone
from tests import builders
from tests.security.site import PASSPHRASE, Browser, Site

NEW = "quiet harbour morning bell"


def set_up_authenticator(site: Site, browser: Browser) -> str:
    """Set up an authenticator through the pages; returns the key that the app would keep."""
    page = browser.form("/tf-setup", setup="authenticator").text
    key = re.search(r'class="own">([A-Z2-7 -]+)<', page)
    action = re.search(r'action="(/tf-setup/[^"]+)"', page)
    assert key is not None, page
    assert action is not None
    answer = browser.form(action.group(1), code=code_of(site, key.group(1)))
    assert answer.status_code == 302
    return key.group(1)


def code_of(site: Site, key: str, steps: int = 0) -> str:
    """The six digits that an authenticator shows now, or some half minutes from now."""
    import time

    from passlib.totp import TOTP

    return str(TOTP(key=key.replace("-", "").replace(" ", "")).generate(time.time() + 30 * steps).token)


@pytest.fixture
def strict(tmp_path: object, clock: builders.MovableClock, outbox: builders.Outbox) -> Site:
    return Site(builders.application(tmp_path, clock, outbox, second_factor="required"))  # type: ignore[arg-type]


def test_staff_work_only_with_a_second_factor_where_it_is_required(strict: Site) -> None:
    coach = strict.browser("coach")
    assert coach.get("/coach/").headers["Location"] == "/tf-setup"
    assert coach.get("/api/v1/caseload").get_json()["error"]["code"] == "second_factor_needed"
    assert strict.browser("patient").get("/privacy").status_code == 200
    key = set_up_authenticator(strict, coach)
    assert coach.get("/coach/").status_code == 200

    again = Browser(strict.flask, coach.email)
    refused = again.sign_in()
    assert refused.status_code == 401
    assert refused.get_json()["error"]["code"] == "second_factor_needed"
    assert again.sign_in(code="000000").status_code == 401
    code = code_of(strict, key, 1)
    assert again.sign_in(code=code).status_code == 200
    assert Browser(strict.flask, coach.email).sign_in(code=code).status_code == 401  # a code is good once


def test_the_page_asks_for_the_code_and_takes_a_recovery_code_once(strict: Site) -> None:
    coach = strict.browser("coach")
    set_up_authenticator(strict, coach)
    codes = re.findall(r"<li>([\w-]{10,})</li>", coach.form("/mf-recovery-codes", generate_new_codes="1").text)
    assert len(codes) == 8

    def half_in() -> Browser:
        browser = Browser(strict.flask, coach.email)
        answer = browser.form("/login", email=browser.email, password=PASSPHRASE)
        assert "/tf-validate" in answer.headers["Location"]
        assert not browser.is_signed_in
        return browser

    first = half_in()
    first.form("/mf-recovery", code=codes[0])
    assert first.is_signed_in
    second = half_in()
    second.form("/mf-recovery", code=codes[0])
    assert not second.is_signed_in


def test_secrets_of_the_second_factor_are_not_readable_in_the_database(strict: Site) -> None:
    coach = strict.browser("coach")
    key = set_up_authenticator(strict, coach)
    with strict.flask.app_context():
        user = strict.flask.extensions["security"].datastore.find_user(email=coach.email)
        assert key.replace("-", "").replace(" ", "") not in str(user.tf_totp_secret)


def test_ten_failed_tries_lock_an_account_for_a_quarter_of_an_hour(
    own_site: Site, clock: builders.MovableClock
) -> None:
    owner = own_site.browser("coach")  # a device that the account knows
    stranger = Browser(own_site.flask, "coach@plum-spring.example")
    for _ in range(10):
        own_site.app.sign_in.failed(str(stranger.email), None)
    assert stranger.sign_in().status_code == 401
    assert "Too many tries" in stranger.form("/login", email=stranger.email, password=PASSPHRASE).text
    owner.form("/logout")
    assert owner.sign_in().status_code == 200  # strangers cannot lock the owner out of their own device
    clock.move(minutes=16)
    assert stranger.sign_in().status_code == 200


def test_unknown_accounts_lock_in_the_same_way(own_site: Site) -> None:
    for _ in range(10):
        own_site.app.sign_in.failed("nobody@plum-spring.example", None)
    page = own_site.browser().form("/login", email="nobody@plum-spring.example", password=PASSPHRASE).text
    assert "Too many tries" in page


def test_failures_over_the_api_count(own_site: Site) -> None:
    browser = Browser(own_site.flask, "coach@plum-spring.example")
    for _ in range(10):
        assert browser.sign_in("wrong wrong wrong").status_code == 401
    assert browser.sign_in().status_code == 401
    own_site.app.sign_in.unlock(str(browser.email), "system")
    assert browser.sign_in().status_code == 200


@pytest.mark.parametrize(("who", "idle"), [("responder", 31), ("patient", 121)])
def test_a_session_left_alone_ends(own_site: Site, clock: builders.MovableClock, who: str, idle: int) -> None:
    browser = own_site.browser(who)
    clock.move(minutes=idle - 5)
    assert browser.get("/account/sessions").status_code == 200
    clock.move(minutes=idle - 5)
    assert browser.get("/account/sessions").status_code == 200
    clock.move(minutes=idle)
    assert browser.get("/account/sessions").status_code == 302


def test_a_page_that_only_refreshes_itself_does_not_keep_a_session_alive(
    own_site: Site, clock: builders.MovableClock
) -> None:
    browser = own_site.browser("responder")
    for _ in range(4):
        clock.move(minutes=10)
        answer = browser.get("/staff/", headers={"Sec-Fetch-Dest": "empty"})
    assert answer.status_code == 302


def test_no_session_outlives_twelve_hours(own_site: Site, clock: builders.MovableClock) -> None:
    browser = own_site.browser("patient")
    for _ in range(11):
        clock.move(hours=1)
        assert browser.get("/privacy").status_code == 200
    clock.move(hours=1)
    assert browser.get("/privacy").status_code == 302


def test_a_device_can_be_signed_out_from_another(own_site: Site) -> None:
    phone, desk = own_site.browser("coach"), own_site.browser("coach")
    sessions = own_site.app.sign_in.sessions(own_site.ids["coach"], staff=True)
    assert len(sessions) == 2
    assert "A program on an unknown system" in desk.get("/account/sessions").text
    desk.form("/account/sessions/end-others")
    assert not phone.is_signed_in
    assert desk.is_signed_in


def test_an_administrator_closes_an_account_and_it_is_out_at_once(own_site: Site) -> None:
    admin, coach = own_site.browser("administrator"), own_site.browser("coach")
    admin.form(f"/people/{own_site.ids['coach']}/close")
    assert coach.get("/coach/").status_code == 302
    assert Browser(own_site.flask, coach.email).sign_in().status_code == 401
    admin.form(f"/people/{own_site.ids['coach']}/open")
    assert Browser(own_site.flask, coach.email).sign_in().status_code == 200


def test_a_way_back_in_works_once_ends_all_sessions_and_is_audited(own_site: Site) -> None:
    old = own_site.browser("patient")
    page = own_site.browser("administrator").form(f"/people/{own_site.ids['patient']}/recover").text
    path = re.search(r"http://[^/]+(/recover/[\w-]+)", page)
    assert path is not None
    fresh = Browser(own_site.flask, old.email)
    assert fresh.form(path.group(1), passphrase="short", again="short").status_code == 200
    assert fresh.form(path.group(1), passphrase=NEW, again=NEW).status_code == 302
    assert not old.is_signed_in
    assert fresh.sign_in(NEW).status_code == 200
    assert fresh.form(path.group(1), passphrase=PASSPHRASE, again=PASSPHRASE).status_code == 410
    with own_site.app.uow() as tx:
        actions = [fact["action"] for fact in tx.audit_of(f"user:{own_site.ids['patient']}")]
    assert {"recovery.offered", "recovery.used"} <= set(actions)


def test_a_later_way_back_in_voids_the_earlier_one_and_a_day_ends_it(
    own_site: Site, clock: builders.MovableClock
) -> None:
    first, second = (own_site.app.sign_in.offer_recovery("patient@plum-spring.example", "system") for _ in "ab")
    with pytest.raises(LinkGone):
        own_site.app.sign_in.recovery(first.token)
    assert own_site.app.sign_in.recovery(second.token) == own_site.ids["patient"]
    clock.move(hours=25)
    with pytest.raises(LinkGone):
        own_site.app.sign_in.recovery(second.token)


def test_staff_get_a_reset_link_by_mail_and_patients_never_do(own_site: Site, outbox: builders.Outbox) -> None:
    import time

    for email in ("patient@plum-spring.example", "coach@plum-spring.example", "nobody@plum-spring.example"):
        own_site.browser().form("/reset", email=email)
    until = time.monotonic() + 10
    while not outbox.sent and time.monotonic() < until:
        time.sleep(0.05)
    assert [sent[0] for sent in outbox.sent] == ["coach@plum-spring.example"]
    path = re.search(r"(/reset/\S+)", outbox.sent[0][2])
    assert path is not None
    fresh = Browser(own_site.flask, "coach@plum-spring.example")
    assert fresh.form(path.group(1), password=NEW, password_confirm=NEW).status_code == 302
    assert fresh.sign_in(NEW).status_code == 200
    assert fresh.sign_in(PASSPHRASE).status_code == 401


def test_the_owner_is_told_of_a_new_device_and_a_patients_mail_reveals_nothing(
    own_site: Site, outbox: builders.Outbox
) -> None:
    for who in ("coach", "patient"):
        own_site.browser(who)
    assert own_site.app.sign_in.tell_new_devices(outbox) == 0  # the first device of an account is no news
    for who in ("coach", "patient"):
        own_site.browser(who)
    outbox.broken = SendFailed("busy", permanent=False)
    assert own_site.app.sign_in.tell_new_devices(outbox) == 0
    outbox.broken = None
    assert own_site.app.sign_in.tell_new_devices(outbox) == 2
    assert own_site.app.sign_in.tell_new_devices(outbox) == 0
    mails = {to: subject + body for to, subject, body in outbox.sent}
    assert "new device" in mails["coach@plum-spring.example"]
    assert mails["patient@plum-spring.example"] == "A noteYou have a note from your journal.\n"


def test_passphrases_are_kept_as_argon2id_and_a_patients_name_not_at_all(own_site: Site) -> None:
    with own_site.flask.app_context():
        user: User = own_site.flask.extensions["security"].datastore.find_user(email="patient@plum-spring.example")
        assert str(user.password).startswith("$argon2id$")
        assert user.display_name == ""


def test_the_table_of_failed_tries_names_no_account(own_site: Site) -> None:
    own_site.app.sign_in.failed("coach@plum-spring.example", None)
    with own_site.app.database.connect() as connection:
        rows = connection.exec_driver_sql("SELECT account_hash FROM sign_in_guard").fetchall()
    assert [len(row[0]) for row in rows] == [64]
