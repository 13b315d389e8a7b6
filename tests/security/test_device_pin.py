"""The code of a device: opens on that device only, few tries, and nothing that a stolen table could tell."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

import pytest

from bot.core.accounts import PIN_LASTS, PIN_TRIES, check_pin
from tests import builders
from tests.security.site import PASSPHRASE, Browser, Site

PIN = "730418"


def with_code(site: Site) -> Browser:
    """A patient's browser on a device with a code, signed out again."""
    browser = site.browser("patient")
    answer = browser.form("/account/pin", pin=PIN, passphrase=PASSPHRASE)
    assert answer.status_code == 302
    browser.form("/logout")
    assert not browser.is_signed_in
    return browser


def test_a_code_opens_again_on_its_own_device(own_site: Site) -> None:
    browser = with_code(own_site)
    assert "Come back with this device" in browser.get("/login").text
    assert browser.form("/pin", pin=PIN).headers["Location"] == "/"
    assert browser.is_signed_in
    assert browser.get("/privacy").status_code == 200


def test_on_another_device_there_is_no_code(own_site: Site) -> None:
    with_code(own_site)
    stranger = own_site.browser()
    assert "Come back with this device" not in stranger.get("/login").text
    assert stranger.form("/pin", pin=PIN).headers["Location"] == "/login"
    assert not stranger.is_signed_in


def test_after_a_few_wrong_codes_only_the_passphrase_opens(own_site: Site) -> None:
    browser = with_code(own_site)
    for _ in range(PIN_TRIES - 1):
        assert "does not fit" in browser.form("/pin", pin="999123").text
    assert browser.form("/pin", pin="999123").headers["Location"] == "/login"
    assert browser.form("/pin", pin=PIN).headers["Location"] == "/login"
    assert not browser.is_signed_in
    assert browser.sign_in().status_code == 200


def test_a_right_code_in_between_begins_the_count_anew(own_site: Site) -> None:
    browser = with_code(own_site)
    for _ in range(2):
        for _ in range(PIN_TRIES - 1):
            browser.form("/pin", pin="999123")
        assert browser.form("/pin", pin=PIN).headers["Location"] == "/"
        browser.form("/logout")


def test_tries_made_at_once_are_counted_each(own_site: Site) -> None:
    browser = with_code(own_site)
    token = str(browser.client.get_cookie("device").value)  # type: ignore[union-attr]
    app = own_site.app
    known = app.pins._pin(token)
    assert known is not None
    with app.uow() as tx:
        assert tx.count_pin_try(known)
        assert not tx.count_pin_try(known)


def test_a_code_ends_after_a_month_and_with_signing_out_everywhere(
    own_site: Site, clock: builders.MovableClock
) -> None:
    browser = with_code(own_site)
    clock.now += PIN_LASTS + timedelta(seconds=1)
    assert browser.form("/pin", pin=PIN).headers["Location"] == "/login"
    browser = with_code(own_site)
    own_site.app.sign_in.end_all(own_site.ids["patient"])
    assert browser.form("/pin", pin=PIN).headers["Location"] == "/login"


def test_a_closed_account_is_not_opened_by_a_code(own_site: Site) -> None:
    browser = with_code(own_site)
    with own_site.flask.app_context():
        datastore = own_site.flask.extensions["security"].datastore
        datastore.deactivate_user(datastore.find_user(id=own_site.ids["patient"]))
        datastore.commit()
    browser.form("/pin", pin=PIN)
    assert not browser.is_signed_in


def test_setting_a_code_takes_the_passphrase_and_staff_have_none(own_site: Site) -> None:
    browser = own_site.browser("patient")
    assert "Nothing was changed" in browser.form("/account/pin", pin=PIN, passphrase="wrong").text
    assert not own_site.app.pins.is_set(str(browser.client.get_cookie("device").value))  # type: ignore[union-attr]
    assert own_site.browser("coach").get("/account/pin").status_code == 404


def test_a_code_can_be_forgotten(own_site: Site) -> None:
    browser = own_site.browser("patient")
    browser.form("/account/pin", pin=PIN, passphrase=PASSPHRASE)
    browser.form("/account/pin/forget")
    assert not own_site.app.pins.is_set(str(browser.client.get_cookie("device").value))  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "pin", ["", "12345", "1234567", "123456", "654321", "111111", "121212", "12345a", "１２３４５６"]
)
def test_what_is_no_code_or_the_first_to_be_tried_is_refused(pin: str) -> None:
    with pytest.raises(ValueError, match="othing was changed"):
        check_pin(pin)


def test_codes_are_kept_as_argon2id_and_say_nothing_without_the_device(own_site: Site) -> None:
    with_code(own_site)
    with sqlite3.connect(own_site.app.settings.data_path / "clinic.sqlite3") as database:
        (kept,) = database.execute("SELECT pin_hash FROM device_pin").fetchone()
    assert kept.startswith("$argon2id$")
    assert not own_site.app.pins._hasher.fits(kept, PIN, "another device, with the right digits")
