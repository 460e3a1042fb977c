"""Looks at a page in the browser: what it breaks of its policy, of WCAG, and of a narrow screen."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Browser, Page, ViewportSize

from backoffice.accounts.models import User

WIDE: ViewportSize = {"width": 1440, "height": 900}
NARROW: ViewportSize = {"width": 420, "height": 800}
# What axe is told to look for. The dark theme changes nothing but colours.
EVERYTHING = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
CONTRAST = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
GRAVE = {"serious", "critical"}
AXE = Axe().axe_script

_NOTE_VIOLATIONS = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) => window.violations.push(
    `${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`
    + ` ${event.sample}`
));
"""
# What stands out to the right, or the nearest guess at it.
_WIDER = """() => {
    const wide = document.scrollingElement.scrollWidth - innerWidth;
    if (wide <= 0) return "";
    const out = [...document.querySelectorAll("body *")].filter(
        (each) => each.getBoundingClientRect().right > innerWidth + 1
    ).slice(0, 4);
    return `${wide} px wider: ` + out.map((each) => each.outerHTML.slice(0, 90)).join(" | ");
}"""


class Inspector:
    """One window, in which pages are opened and looked at one after the other."""

    def __init__(self, browser: Browser, server: str, user: User | None = None) -> None:
        self.context = browser.new_context(viewport=WIDE, reduced_motion="reduce")
        self.context.add_init_script(_NOTE_VIOLATIONS)
        # Pictures at suppliers: nothing of the tests leaves this machine.
        self.context.route(lambda url: not url.startswith(server), lambda route: route.abort())
        if user:
            client = Client()
            client.force_login(user)
            session = client.cookies["sessionid"].value
            self.context.add_cookies([{"name": "sessionid", "value": session, "url": server}])
        self.page: Page = self.context.new_page()
        self.server = server
        self.complaints: list[str] = []
        self.page.on("console", self._listen)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _listen(self, message: Any) -> None:
        # A status of 404 is what some pages are opened for; a picture elsewhere is not fetched.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def open(self, address: str) -> None:
        self.page.goto(f"{self.server}{address}", wait_until="load")

    def close(self) -> None:
        self.context.close()

    def findings(self, *, sidebar: bool = True) -> list[str]:
        """What is wrong with the page as it stands, in words; nothing if nothing is."""
        found = [*self.misdeeds(), *self.barriers(sidebar=sidebar)]
        self.page.evaluate("document.documentElement.className = 'dark'")
        return found + [f"dark: {each}" for each in self.barriers(CONTRAST, sidebar=sidebar)]

    def narrow_findings(self, *, barriers: bool = False) -> list[str]:
        self.page.set_viewport_size(NARROW)
        found = self.overflow()
        if barriers:
            found += [f"narrow: {each}" for each in self.barriers()]
        self.page.set_viewport_size(WIDE)
        return found

    def misdeeds(self) -> list[str]:
        """What the browser refused to load or run since the page was opened, and what failed."""
        violations = self.page.evaluate("window.violations")
        complaints, self.complaints = self.complaints, []
        return [f"policy: {each}" for each in violations] + [
            f"console: {each}" for each in complaints
        ]

    def barriers(self, rules: dict[str, Any] = EVERYTHING, *, sidebar: bool = True) -> list[str]:
        """What axe finds that is serious or critical."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE)
        results = self.page.evaluate(
            "([where, how]) => axe.run(where, how)",
            [
                {"include": [["html"]], "exclude": [] if sidebar else [["#nav-sidebar"]]},
                {"runOnly": rules, "resultTypes": ["violations"]},
            ],
        )
        return [
            f"{violation['id']}: {node['target'][0]} {node['html'][:160]} {node['failureSummary']}"
            for violation in results["violations"]
            if violation["impact"] in GRAVE
            for node in violation["nodes"]
        ]

    def overflow(self) -> list[str]:
        wider: str = self.page.evaluate(_WIDER)
        return [f"overflow: {wider}"] if wider else []
