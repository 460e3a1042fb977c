"""A day at the products without a mouse; and what opens and closes gives the focus back."""

from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from backoffice.audit.models import ChangeSet
from backoffice.console.models import SavedView
from inventory.models import Product
from tests.inventory.factories import make_product
from tests.journeys.conftest import Visitor
from tests.personas import PASSWORD, Persona, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def focused(page: Page) -> str:
    """What a screen reader would say of where the focus is, near enough."""
    said: str = page.evaluate(
        """() => {
            const at = document.activeElement;
            if (at === document.body) return "";
            const named = (at.labels?.[0] ?? at).cloneNode(true);
            named.querySelectorAll("[aria-hidden=true]").forEach((each) => each.remove());
            return (at.getAttribute("aria-label") || named.textContent || at.title).trim();
        }"""
    )
    return " ".join(said.split())


def tab_to(page: Page, name: str, *, key: str = "Tab", most: int = 80) -> None:
    """Presses Tab until that has the focus, as one does who sees nothing else to press."""
    passed = []
    for _ in range(most):
        passed.append(focused(page))
        if passed[-1].startswith(name):
            return
        press(page, key)
    pytest.fail(f"{name!r} was not reached; passed {passed}")


@pytest.fixture
def products() -> list[Product]:
    return [
        make_product(sku="BT-7", name="Bluetooth Headphones", price=Decimal("59.00")),
        make_product(sku="KE-1", name="Kettle", price=Decimal("24.90")),
        make_product(sku="MU-1", name="Mug", price=Decimal("5.00")),
    ]


def test_a_working_day_without_a_mouse(visitors: list[Visitor], products: Any) -> None:
    manager, _other = visitors
    page, user = manager.page, make_user(Persona.CATALOGUE_MANAGER)
    page.goto(f"{manager.server.url}/admin/")
    tab_to(page, "E-mail address")
    page.keyboard.type(user.email)
    press(page, "Tab")
    page.keyboard.type(PASSWORD)
    press(page, "Enter")
    page.wait_for_url(f"{manager.server.url}/admin/")
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()

    # Past the sidebar by the first thing that Tab finds.
    press(page, "Tab")
    assert focused(page) == "Skip to the content"
    press(page, "Enter", "Tab")
    assert page.evaluate("document.activeElement.closest('#content') !== null")

    # A product by a mistyped name.
    press(page, "g", "p")
    page.wait_for_url("**/admin/inventory/product/")
    press(page, "/")
    page.keyboard.type("blutooth hedphones")
    press(page, "Enter")
    expect(page.get_by_text("Did you mean one of these?")).to_be_visible()
    press(page, "j", "Enter")
    page.wait_for_url("**/change/**")

    # Its price, with a reason.
    tab_to(page, "Price")
    press(page, "Control+a")
    page.keyboard.type("49.00")
    tab_to(page, "Reason for this change")
    page.keyboard.type("Northwind lowered theirs")
    press(page, "Enter")
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    assert Product.objects.get(sku="BT-7").price == Decimal("49.00")
    assert ChangeSet.objects.latest("id").reason == "Northwind lowered theirs"

    # Back at the list, a name in its cell.
    page.goto(f"{manager.server.url}/admin/inventory/product/")
    press(page, "j", "j", "e")
    field = page.get_by_role("textbox", name="Name", exact=True)
    expect(field).to_be_focused()
    press(page, "Control+a")
    page.keyboard.type("Whistling kettle")
    press(page, "Enter")
    expect(page.get_by_text("Name changed: Whistling kettle (KE-1)")).to_be_visible()

    # The menu of its row: opened, left again, and taken to its history.
    row = page.locator("tr.data-row").filter(has_text="KE-1")
    menu = row.get_by_role("button", name="What can be done with this row")
    tab_to(page, "What can be done with this row")
    expect(menu).to_be_focused()
    press(page, "Enter")
    expect(page.get_by_role("menuitem", name="History")).to_be_focused()
    press(page, "Escape")
    expect(page.get_by_role("menuitem", name="History")).to_be_hidden()
    expect(menu).to_be_focused()
    press(page, "ArrowDown")
    expect(page.get_by_role("menuitem", name="History")).to_be_focused()
    press(page, "ArrowDown")
    expect(page.get_by_role("menuitem", name="Delete")).to_be_focused()
    press(page, "ArrowDown", "Enter")
    page.wait_for_url("**/history/")
    expect(page.get_by_text("Whistling kettle").first).to_be_visible()

    # The list as a view.
    page.goto(f"{manager.server.url}/admin/inventory/product/?q=kettle")
    press(page, "s")
    expect(page.get_by_label("Name of the view")).to_be_focused()
    page.keyboard.type("Kettles")
    press(page, "Enter")
    expect(page.get_by_role("link", name="Kettles")).to_have_attribute("aria-current", "page")
    assert SavedView.objects.get().name == "Kettles"


def test_what_opens_takes_the_focus_and_gives_it_back(
    visitors: list[Visitor], products: Any
) -> None:
    manager, _other = visitors
    page = manager.sign_in(Persona.CATALOGUE_MANAGER)
    page.goto(f"{manager.server.url}/admin/inventory/product/")

    # The user's menu: to its first entry, round by the arrows, and out.
    tab_to(page, "C Carla Catalogue")
    press(page, "Enter")
    expect(page.get_by_role("button", name="Light", exact=True)).to_be_focused()
    press(page, "ArrowUp")
    expect(page.get_by_role("button", name="Log out")).to_be_focused()
    press(page, "Home", "ArrowDown", "Enter")
    expect(page.locator("html")).to_have_class("dark")
    press(page, "Escape")
    expect(page.get_by_role("button", name="Log out")).to_be_hidden()
    assert focused(page).startswith("C Carla Catalogue")

    # A dialog keeps the focus as long as it is open.
    press(page, "Shift+?")
    dialog = page.get_by_role("dialog", name="What the keyboard can do")
    expect(dialog).to_be_visible()
    for _ in range(5):
        press(page, "Tab")
        assert page.evaluate("document.activeElement.closest('[role=dialog]') !== null")
    press(page, "Escape")
    expect(dialog).to_be_hidden()
    assert focused(page).startswith("C Carla Catalogue")

    # Unfold's drawer of filters.
    tab_to(page, "Filters")
    press(page, "Enter")
    expect(page.locator("#changelist-filter")).to_be_visible()
    press(page, "Escape")
    expect(page.locator("#changelist-filter")).to_be_hidden()
    assert focused(page).startswith("Filters")
    # A focus that nobody sees is none.
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
