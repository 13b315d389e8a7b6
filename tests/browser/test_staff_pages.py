"""An urgent message on the staff's board, and the truth about it on the patient's page, in real browsers."""

from __future__ import annotations

from collections.abc import Callable

from tests.browser.conftest import Face
from tests.running import Stack


def test_staff_acknowledge_and_the_patients_page_says_who_has_seen_it(stack: Stack, face: Callable[..., Face]) -> None:
    visitor = stack.invite("Juno")
    patient, nurse = face(), face()
    patient.sign_in(visitor.email)
    patient.page.wait_for_selector(".dock .button")
    patient.write("I want to die, quartzmark")
    assert "988" in patient.page.locator("#log").inner_text()
    patient.page.locator("#banner", has_text="Not seen yet").wait_for()
    patient.check("journal-alert-sent")
    with stack.application.uow() as tx:
        (alert,) = tx.alerts(patient_id=visitor.patient_id)
    nurse.sign_in("noor@plum-spring.example")
    nurse.page.wait_for_url("**/staff/")
    nurse.check("staff-board")
    nurse.page.get_by_role("link", name=alert.reference).click()
    nurse.check("staff-alert")
    assert "quartzmark" not in nurse.page.content()
    nurse.page.get_by_role("button", name="Acknowledge").click()
    nurse.page.get_by_text("Noor Haddad").first.wait_for()
    patient.page.locator("#banner", has_text="Noor Haddad").wait_for()
    patient.check("journal-alert-seen")


def test_the_entrance_and_errors_are_pages_too(face: Callable[..., Face]) -> None:
    stranger = face()
    stranger.page.goto("/login")
    stranger.check("sign-in")
    stranger.page.fill("#email", "nobody@example.com")
    stranger.page.fill("#password", "wrong wrong wrong")
    stranger.page.get_by_role("button", name="Sign in").click()
    stranger.page.get_by_role("alert").wait_for()
    stranger.check("sign-in-refused")
    stranger.page.goto("/invitation/nonsense")
    stranger.check("invitation-unknown")
    stranger.complaints.clear()  # the browser itself reports a page that says 410
