"""A real Chromium against the running program."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from bot.settings import ROOT
from bot.supervisor.demo import PASSPHRASE
from tests.running import Stack, wait_until

PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 800}
SCREENSHOTS = ROOT / "docs/screenshots"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    assert path, "no Chromium was found; install it, or name it in CHROMIUM"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


# What appears does so gently; colours are judged when it has.
SETTLED = """Promise.all(document.getAnimations()
  .filter((moving) => moving.effect.getTiming().iterations !== Infinity).map((moving) => moving.finished))"""


class Face:
    """One person's browser: knows which requests left the clinic's own address, and what the page complained about."""

    def __init__(self, browser: Browser, stack: Stack, viewport: Any = PHONE, **options: Any) -> None:
        self.address = stack.address
        self.context: BrowserContext = browser.new_context(base_url=self.address, viewport=viewport, **options)
        self.context.set_default_timeout(20_000)
        self.page: Page = self.context.new_page()
        self.strangers: list[str] = []
        self.complaints: list[str] = []
        self.context.on("request", lambda request: self._note(request.url))
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, url: str) -> None:
        if not url.startswith((self.address, "data:", "blob:")):
            self.strangers.append(url)

    def sign_in(self, email: str) -> None:
        self.page.goto("/login")
        self.page.fill("#email", email)
        self.page.fill("#password", PASSPHRASE)
        self.page.get_by_role("button", name="Sign in").click()

    def tap(self, label: str) -> None:
        """Tap a button of the current question, and wait until the next question, or the end, is there."""
        before = self.page.locator(".dock").get_attribute("data-control")
        self.page.locator(".dock").get_by_role("button", name=label, exact=True).click()
        self.until(f"document.querySelector('.dock').dataset.control !== '{before}'")
        self.settle()

    def settle(self) -> None:
        """Wait until nothing is on its way and nothing moves."""
        self.until("!document.querySelector('.dock[inert], .dots, .pending')")

    def until(self, holds: str, seconds: float = 30.0) -> None:
        """Wait until a JavaScript expression holds. (Playwright's own wait needs `eval`, which our pages forbid.)"""
        wait_until(lambda: self.page.evaluate(holds), seconds, holds)

    def write(self, text: str) -> None:
        self.page.fill("#text", text)
        self.page.get_by_role("button", name="Send").click()
        self.settle()

    def check(self, state: str, *, picture: bool = True) -> None:
        """No violation of WCAG 2.2 AA, nothing wider than a 320 pixel screen, and, when asked, a picture of it."""
        self.page.evaluate(SETTLED)
        found = Axe().run(self.page, options={"runOnly": {"type": "tag", "values": WCAG}})
        assert found.violations_count == 0, f"{state}: {found.generate_report()}"
        size = self.page.viewport_size
        assert size is not None
        self.page.set_viewport_size({"width": 320, "height": 700})
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        self.page.set_viewport_size(size)
        assert wide <= 320, f"{state} is {wide} px wide on a screen of 320"
        if picture and os.environ.get("KAT_SCREENSHOTS") == "1":
            self.picture(state)

    def picture(self, state: str) -> None:
        """Write the state to docs/screenshots: phone and desktop, light and dark."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        size = self.page.viewport_size
        for name, viewport in (("phone", PHONE), ("desktop", DESKTOP)):
            for scheme in ("light", "dark"):
                self.page.set_viewport_size(viewport)  # type: ignore[arg-type]
                self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                self.page.evaluate("document.getElementById('log')?.scrollTo(0, 1e6)")
                self.page.wait_for_timeout(100)
                self.page.screenshot(path=Path(SCREENSHOTS / f"{state}-{name}-{scheme}.png"))
        self.page.emulate_media(color_scheme="light")
        assert size is not None
        self.page.set_viewport_size(size)

    def close(self) -> None:
        self.context.close()


@pytest.fixture
def face(chromium: Browser, stack: Stack) -> Iterator[Callable[..., Face]]:
    """Makes browsers; each must have asked no stranger and complained about nothing by its end."""
    made: list[Face] = []

    def make(**options: Any) -> Face:
        made.append(Face(chromium, stack, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()
        assert one.strangers == []
        assert [c for c in one.complaints if "ERR_INTERNET_DISCONNECTED" not in c] == []
