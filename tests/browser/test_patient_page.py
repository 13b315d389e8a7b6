"""The patient's page in a real browser: a whole sitting by tapping, and the promises of the page."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable

import pytest

from bot.supervisor.demo import PASSPHRASE
from tests.browser.conftest import Face
from tests.dialogue.test_whole_sitting import sit_until
from tests.running import Stack

MakeFace = Callable[..., Face]


def test_invitation_consent_and_a_whole_sitting_by_tapping_until_the_coach_reads_it(
    stack: Stack, face: MakeFace
) -> None:
    coach_id = next(m.id for m in stack.staff() if "coach" in m.roles)
    access = stack.application.access
    made = access.invite(first_name="Wren", last_name="Vale", phone="555-0123", coach_id=coach_id)
    access.set_flags(made.patient_id, parts_work_ok=True, body_work_ok=True)
    from tests.builders import journey_ended

    journey_ended(stack.application, made.patient_id, 48)
    patient = face()
    page = patient.page
    page.goto(f"/invitation/{made.token}")
    patient.check("invitation")
    page.fill("#email", f"{uuid.uuid4().hex[:8]}@example.com")
    page.fill("#passphrase", PASSPHRASE)
    page.fill("#again", PASSPHRASE)
    page.get_by_role("button", name="Continue").click()
    seen = set()
    while "/consent" in page.url:
        step = page.locator("input[name=step]").get_attribute("value")
        if step not in seen:
            patient.check(f"consent-{step}", picture=step in ("ob_age", "ob_contact"))
            seen.add(step)
        for box in page.locator("input[type=checkbox]").all():
            box.check()
        page.locator("main form button.button").first.click()
        page.wait_for_load_state()
    page.wait_for_selector(".dock .button")
    patient.check("journal-hello")
    patient.tap("Continue")
    patient.check("journal-safety-button")
    patient.tap("No, not today")
    patient.tap("A mix")
    patient.check("journal-scale")
    patient.tap("4")
    patient.tap("7")
    page.locator(".places").get_by_role("button", name="Belly").click()
    page.fill("#word", "warm")
    assert page.locator(".figures .chosen").count() == 1
    patient.check("journal-body")
    patient.tap("Done")
    patient.tap("About 10 minutes")
    patient.check("journal-suggestion")
    patient.tap("Gather what came")
    for _ in range(30):
        kinds = page.evaluate("[...document.querySelectorAll('.dock .button')].map((b) => b.textContent)")
        if page.locator(".summary").count():
            break
        if "Continue" in kinds:
            patient.tap("Continue")
        elif "10" in kinds:
            patient.tap("4")
        elif page.locator(".places").count():
            page.locator(".places .button").first.click()
            patient.tap("Done")
        elif kinds and kinds[0] not in ("This is a lot", "Skip"):
            calm = next((k for k in kinds if k in ("No", "None of these", "Go on", "Close", "Not now")), kinds[0])
            if "Done" in kinds:
                page.locator(".dock .button").first.click()
                calm = "Done"
            patient.tap(calm)
        else:
            patient.write("a wide green field, and my hands were very large")
            if "Words" not in seen:
                patient.check("journal-words")
                seen.add("Words")
    lines = page.locator(".summary textarea")
    patient.check("journal-summary")
    written = [line for line in lines.all() if "wide green field" in line.input_value()]
    written[0].fill("a green field, as I remember it")
    page.locator(".summary").get_by_role("button").last.click()
    patient.tap("Save and share with coach")
    assert "can read it before your next session" in page.locator("#log").inner_text()
    patient.check("journal-saved")
    page.get_by_role("link", name="My journal").click()
    patient.check("my-journal")
    page.goto("/privacy")
    patient.check("privacy")
    coach = face()
    coach.sign_in("mo@plum-spring.example")
    coach.page.wait_for_url("**/coach/")
    coach.check("coach-caseload")
    coach.page.locator(f'a[href$="{made.patient_id}"]').click()
    assert "a green field, as I remember it" in coach.page.locator("main").inner_text()
    coach.check("coach-patient")


def test_a_sitting_works_by_keyboard_alone(stack: Stack, face: MakeFace) -> None:
    visitor = stack.invite()
    patient = face()
    patient.sign_in(visitor.email)
    page = patient.page
    page.wait_for_selector(".dock .button")
    page.locator("#log").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Continue"
    page.keyboard.press("Enter")
    page.get_by_role("button", name="No, not today").wait_for()
    patient.settle()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "No, not today"
    page.keyboard.press("Enter")
    page.get_by_role("button", name="A mix").wait_for()
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    page.locator("#text").focus()
    page.keyboard.type("pause")
    page.keyboard.press("Control+Enter")
    page.get_by_text("Everything so far is kept").wait_for()


def test_an_unsent_draft_survives_a_reload_and_lies_on_the_device_unreadable(stack: Stack, face: MakeFace) -> None:
    visitor = stack.invite()
    patient = face()
    patient.sign_in(visitor.email)
    page = patient.page
    page.wait_for_selector(".dock .button")
    page.fill("#text", "unfinished, draftmark")
    patient.until("localStorage.length > 0")
    stored = json.dumps(page.evaluate("[{...localStorage}, {...sessionStorage}]"))
    assert "draftmark" not in stored
    page.reload()
    patient.until("document.getElementById('text').value.includes('draftmark')")
    page.get_by_role("button", name="Send").click()
    page.locator(".bubble.patient", has_text="draftmark").wait_for()
    patient.settle()
    patient.until("localStorage.length === 0")


def test_older_messages_come_on_scrolling_up_and_the_newest_are_shown_first(stack: Stack, face: MakeFace) -> None:
    visitor = stack.invite()
    for number in range(26):
        visitor.say(f"line {number} about the river")
    patient = face()
    patient.sign_in(visitor.email)
    page = patient.page
    page.get_by_text("line 25 about").wait_for()
    first = page.locator(".bubble").count()
    assert page.evaluate("log.scrollTop + log.clientHeight >= log.scrollHeight - 2")
    page.evaluate("log.scrollTo(0, 0)")
    patient.until(f"document.querySelectorAll('.bubble').length > {first}")
    seen = page.locator(".bubble.patient").all_inner_texts()
    assert seen == sorted(seen, key=lambda text: int(text.split()[1]))


def test_quick_exit_leaves_at_once_and_leaves_no_way_back(stack: Stack, face: MakeFace) -> None:
    visitor = stack.invite()
    patient = face()
    patient.context.route("https://www.weather.gov/**", lambda route: route.fulfill(body="weather"))
    patient.sign_in(visitor.email)
    page = patient.page
    page.wait_for_selector(".dock .button")
    before = page.evaluate("history.length")
    page.get_by_role("button", name="Quick exit").click()
    page.wait_for_url("https://www.weather.gov/")
    assert page.evaluate("history.length") == before
    assert page.content().count("river") == 0
    patient.strangers.clear()  # leaving is the one thing that asks a stranger, by the patient's own tap


@pytest.mark.parametrize("start", ["/login", "/journal"])
def test_help_now_works_when_nothing_answers(stack: Stack, face: MakeFace, start: str) -> None:
    patient = face()
    if start == "/journal":
        patient.sign_in(stack.invite().email)
    else:
        patient.page.goto(start)
    page = patient.page
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    patient.until("caches.match('/help', {ignoreVary: true}).then((kept) => Boolean(kept))")
    patient.context.set_offline(True)
    page.get_by_role("link", name="Help now").click()
    page.get_by_role("heading", name="People you can reach").wait_for()
    assert page.locator('a[href="tel:988"]').is_visible()
    assert page.locator('a[href="tel:911"]').is_visible()
    kept = page.evaluate(
        "caches.open('help-1').then((c) => c.keys()).then((all) => all.map((r) => new URL(r.url).pathname))"
    )
    assert set(kept) == {"/help", "/static/site.css", "/static/exit.js"}
    patient.context.set_offline(False)
    patient.check("help-now")


def test_words_that_cannot_be_sent_stay_and_arrive_when_the_connection_is_back(stack: Stack, face: MakeFace) -> None:
    visitor = stack.invite()
    patient = face()
    patient.sign_in(visitor.email)
    page = patient.page
    page.wait_for_selector(".dock .button")
    patient.context.set_offline(True)
    page.fill("#text", "a river, offlinemark")
    page.get_by_role("button", name="Send").click()
    page.get_by_text("Not connected. Your words are still here").wait_for()
    assert "988" in page.locator("#state").inner_text()
    patient.context.set_offline(False)
    patient.until("!document.querySelector('.pending')")
    patient.settle()
    with stack.application.uow() as tx:
        kept = [m.text for m in tx.messages(visitor.patient_id) if m.sender == "patient"]
    assert kept == ["a river, offlinemark"]


def test_the_timer_is_a_soft_ring_that_can_be_ended_at_once_and_breath_has_words(stack: Stack, face: MakeFace) -> None:
    visitor = stack.invite()
    visitor.choose("continue")
    visitor.choose("no")
    visitor.choose("sympathetic")
    visitor.choose(8)
    visitor.choose("ground")
    patient = face(reduced_motion="reduce")
    patient.sign_in(visitor.email)
    patient.tap("A longer out-breath")
    page = patient.page
    page.wait_for_selector(".breath")
    before = page.locator(".breath .air").get_attribute("r")
    page.get_by_text("Slowly out").wait_for()
    assert page.locator(".breath .air").get_attribute("r") == before
    patient.check("journal-breathing")
    patient.tap("Continue")
    page.wait_for_selector(".scale")
    visitor.messages()
    visitor.choose(7)
    visitor.choose("again")
    page.get_by_role("button", name="Feet on the floor").wait_for()
    patient.tap("Feet on the floor")
    page.wait_for_selector(".ring")
    patient.check("journal-timer")


def test_the_page_asks_for_javascript_in_words_and_high_contrast_and_print_hold(stack: Stack, face: MakeFace) -> None:
    visitor = stack.invite()
    plain = face(java_script_enabled=False)
    plain.sign_in(visitor.email)
    plain.page.get_by_text("Writing here needs JavaScript").wait_for()
    assert plain.page.get_by_role("link", name="Help now").is_visible()
    sit_until(visitor, "scale")
    strong = face(contrast="more", color_scheme="dark")
    strong.sign_in(visitor.email)
    strong.page.wait_for_selector(".scale")
    strong.check("high contrast", picture=False)
    strong.page.emulate_media(media="print")
    assert not strong.page.locator("#composer").is_visible()
    assert strong.page.locator(".bubble").first.is_visible()
