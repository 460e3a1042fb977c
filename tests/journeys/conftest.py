"""A real browser against a real server, on committed data."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests.personas import PASSWORD, Persona, make_user

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.fail("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


class Visitor:
    """Someone at the screen: their own window, signed in through the form."""

    def __init__(self, context: BrowserContext, server: LiveServer) -> None:
        self.page: Page = context.new_page()
        self.page.set_default_timeout(15_000)
        self.server = server
        # What the browser complains of, such as a missing file or a script that fails.
        self.complaints: list[str] = []
        self.page.on(
            "console",
            lambda message: (
                self.complaints.append(message.text) if message.type == "error" else None
            ),
        )
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def sign_in(self, persona: Persona) -> Page:
        user = make_user(persona)
        self.page.goto(f"{self.server.url}/admin/")
        self.page.get_by_label("E-mail address").fill(user.email.upper())
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Log in").click()
        self.page.wait_for_url(f"{self.server.url}/admin/")
        return self.page


@pytest.fixture
def visitors(
    browser: Browser, live_server: LiveServer, request: pytest.FixtureRequest
) -> Iterator[list[Visitor]]:
    """Two windows that know nothing of each other."""
    contexts = [browser.new_context(viewport={"width": 1440, "height": 900}) for _ in range(2)]
    visitors = [Visitor(context, live_server) for context in contexts]
    yield visitors
    for context in contexts:
        context.close()
    assert [complaint for visitor in visitors for complaint in visitor.complaints] == []
