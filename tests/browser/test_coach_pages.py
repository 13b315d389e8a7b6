"""The desk in a real browser: accessible, within the page, and without a word from the console."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from bot.core.journal import Visibility
from bot.supervisor.demo_clinic import DemoClinic, DemoClock
from tests.web.desk import PASSPHRASE, Desk

PHONE, SCREEN = {"width": 390, "height": 844}, {"width": 1200, "height": 900}
TAILS = ("", "/prepare", "/entries", "/parts", "/journeys", "/questions", "/settings", "/print")


class Served(Desk):
    """The desk behind a real server, with one patient of the invented clinic."""

    def __post_init__(self) -> None:
        super().__post_init__()
        clock = DemoClock(self.clock())
        self.invented = DemoClinic(self.app, clock, self.coach).make(1, 10)[0]
        self.entry(Visibility.shared, "shown to me", glimmers="sun on the mug", **{"state.activation_start": "4"})
        self.server = make_server("127.0.0.1", 0, self.flask, threaded=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.flask.config["WTF_CSRF_ENABLED"] = True

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served(tmp_path_factory.mktemp("served"))
    yield made
    made.server.shutdown()
    made.app.database.dispose()


def signed_in(browser: Browser, served: Served, name: str, *, viewport: dict[str, int], scheme: str) -> Page:
    page = browser.new_context(viewport=viewport, color_scheme=scheme).new_page()  # type: ignore[arg-type]
    page.goto(f"{served.address}/login")
    page.fill("input[name=email]", f"{name}@plum-spring.example")
    page.fill("input[name=password]", PASSPHRASE)
    page.click("[type=submit]")
    page.wait_for_load_state()
    return page


def check(page: Page, address: str) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.goto(address)
    found = Axe().run(page).response["violations"]
    assert not found, [(row["id"], row["nodes"][0]["target"]) for row in found]
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, address
    assert not said, said


@pytest.mark.parametrize(("viewport", "scheme"), [(SCREEN, "light"), (PHONE, "dark")], ids=["screen", "phone"])
def test_every_page_of_the_desk_is_accessible(
    chromium: Browser, served: Served, viewport: dict[str, int], scheme: str
) -> None:
    page = signed_in(chromium, served, "mo", viewport=viewport, scheme=scheme)
    check(page, f"{served.address}/coach/")
    check(page, f"{served.address}/coach/schedule")
    for tail in TAILS:
        check(page, f"{served.address}/coach/patients/{served.invented}{tail}?since=all")
    page.context.close()


def test_the_patients_own_digest_is_accessible(chromium: Browser, served: Served) -> None:
    page = signed_in(chromium, served, "rae", viewport=PHONE, scheme="light")
    check(page, f"{served.address}/my-digest?since=all")
    assert "sun on the mug" in page.content()
    page.context.close()


def test_a_coach_reads_answers_and_marks_as_reviewed_with_the_keyboard_alone(chromium: Browser, served: Served) -> None:
    page = signed_in(chromium, served, "mo", viewport=SCREEN, scheme="light")
    page.goto(f"{served.address}/coach/patients/{served.patient_id}")
    page.get_by_role("button", name="Mark as reviewed").focus()
    page.keyboard.press("Enter")
    page.get_by_text("Marked as reviewed").wait_for()
    page.get_by_role("link", name="Questions", exact=True).focus()
    page.keyboard.press("Enter")
    page.get_by_label("Your answer").first.focus()
    page.keyboard.type("Let us look at it together.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("waits in the chat").wait_for()
    said = [message.text for message in served.app.conversation.since(served.patient_id, 0)]
    assert "Let us look at it together." in said[-1]
    page.context.close()
