"""Every page in a browser: nothing is refused by its policy, nothing keeps anybody out of it, and
nothing stands out of a narrow screen."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test.signals import template_rendered
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from backoffice.accounts.models import User
from inventory.models import ProductImage
from tests.inventory.factories import make_product
from tests.journeys.inspection import Inspector
from tests.personas import Persona
from tests.test_every_page import PAGES, address_of, objects, people  # noqa: F401 - fixtures

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Parts of pages, which have no head of their own, and files.
PARTS = ("_timeline[", "_progress[", "_file[")
# What people have on a telephone.
ON_A_TELEPHONE = {"index", "inventory_product_changelist", "inventory_product_change[product]"}

type Open = Callable[[User | None], Inspector]


@pytest.fixture
def open_window(browser: Browser, live_server: LiveServer) -> Iterator[Open]:
    windows: list[Inspector] = []

    def open_one(user: User | None) -> Inspector:
        windows.append(Inspector(browser, live_server.url, user))
        return windows[-1]

    yield open_one
    for window in windows:
        window.close()


@pytest.fixture
def templates() -> Iterator[list[str]]:
    """The names of the templates that the server renders, in their order."""
    names: list[str] = []

    def note(template: Any, **_more: Any) -> None:
        names.append(template.name)

    template_rendered.connect(note)
    yield names
    template_rendered.disconnect(note)


def test_every_page_lets_everybody_in(
    open_window: Open,
    people: dict[Persona, User],  # noqa: F811
    objects: dict[str, Any],  # noqa: F811
    templates: list[str],
) -> None:
    make_product(name="Kettle", category=objects["category"])
    ProductImage.objects.create(product=objects["product"], url="https://pictures.example/pot.png")
    administrator, auditor = (
        open_window(people[persona]) for persona in (Persona.ADMINISTRATOR, Persona.AUDITOR)
    )
    wrong: dict[str, list[str]] = {}
    known: set[str] = set()
    for page, let_in in PAGES.items():
        if any(part in page for part in PARTS):
            continue
        address, found = address_of(page, objects), []
        if Persona.ADMINISTRATOR in let_in:
            templates.clear()
            administrator.open(address)
            telephone, template = page in ON_A_TELEPHONE, templates[0]
            # axe takes most of the time: one page of each template is enough for it. And the
            # sidebar is the same everywhere.
            if telephone or template not in known:
                found += administrator.findings(sidebar=page == "index")
            else:
                found += administrator.misdeeds()
            found += administrator.narrow_findings(barriers=telephone)
            known.add(template)
        if Persona.AUDITOR in let_in:
            # The same pages, with less on them.
            auditor.open(address)
            found += [f"auditor: {each}" for each in auditor.misdeeds()]
        if found:
            wrong[page] = found
    assert wrong == {}
    assert len(known) > 10


def test_the_ways_in_and_what_is_refused_let_everybody_in(
    open_window: Open, outsider: User, settings: Any
) -> None:
    window, wrong = open_window(None), {}
    for address in ("/admin/login/", "/nothing/here/"):
        window.open(address)
        wrong[address] = window.findings() + window.narrow_findings(barriers=True)

    settings.SIGN_IN_MAX_FAILURES = 1
    cache.clear()
    for said in ("wrong", "locked out"):
        window.open("/admin/login/")
        window.page.get_by_label("E-mail address").fill(outsider.email)
        window.page.get_by_label("Password").fill("not the password")
        window.page.get_by_role("button", name="Log in").click()
        window.page.wait_for_load_state("load")
        wrong[said] = window.findings() + window.narrow_findings(barriers=True)

    window = open_window(outsider)
    window.open("/admin/inventory/product/")
    wrong["refused"] = window.findings() + window.narrow_findings(barriers=True)
    assert {name: found for name, found in wrong.items() if found} == {}


PLANTED = """<!doctype html><html lang="en"><head><title>Planted</title>
<style>p { color: #777 }</style></head><body>
<script>document.title = "run"</script>
<p style="width: 2000px; color: #bbb">Hardly to be read.</p>
<button onclick="document.title = 'run'"></button>
<img src="http://pictures.example/pot.png" alt=""></body></html>"""


def test_what_is_wrong_with_a_page_is_found(open_window: Open) -> None:
    window = open_window(None)
    policy = window.page.goto(f"{window.server}/admin/login/").headers["content-security-policy"]  # type: ignore[union-attr]
    window.misdeeds()
    window.page.route(
        "**/planted/",
        lambda route: route.fulfill(
            body=PLANTED,
            content_type="text/html",
            headers={"Content-Security-Policy": policy},
        ),
    )
    window.open("/planted/")
    window.page.get_by_role("button").click()
    assert window.page.title() == "Planted"
    refused = {each.split()[1] for each in window.misdeeds() if each.startswith("policy: ")}
    assert refused == {
        "style-src-elem", "style-src-attr", "script-src-elem", "script-src-attr", "img-src",
    }  # fmt: skip
    assert {each.split(":")[0] for each in window.barriers()} == {"button-name"}
    # Looks that scripts give are no inline styles.
    window.page.evaluate(
        "Object.assign(document.querySelector('p').style, {width: '2000px', color: '#bbb'})"
    )
    assert {each.split(":")[0] for each in window.barriers()} == {"button-name", "color-contrast"}
    assert window.narrow_findings()[0].startswith("overflow: ")
