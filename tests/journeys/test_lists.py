"""A day with the list of products: mistyped words, a view that is shared, and no mouse at all."""

from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from inventory.models import Product
from tests.inventory.factories import make_product
from tests.journeys.conftest import Visitor
from tests.personas import Persona

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def stock_the_shelves() -> None:
    make_product(sku="BT-7", name="Bluetooth Headphones", price=Decimal("59.00"))
    make_product(sku="KE-1", name="Kettle", price=Decimal("24.90"))
    make_product(sku="KE-2", name="Kettle, small", price=Decimal("14.90"), is_active=False)
    make_product(sku="MU-1", name="Mug", price=Decimal("5.00"), is_active=False)


def names(page: Page) -> list[str]:
    return page.locator(".console-item-title").all_inner_texts()


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_a_mistyped_product_is_found_and_a_view_of_the_list_is_opened_by_a_colleague(
    visitors: list[Visitor],
) -> None:
    stock_the_shelves()
    manager, colleague = visitors
    page = manager.sign_in(Persona.CATALOGUE_MANAGER)
    page.locator("aside a, nav a").filter(has_text="Products").first.click()
    page.get_by_placeholder("SKU, name, brand or barcode").fill("blutooth hedphones")
    press(page, "Enter")
    expect(page.get_by_text("Did you mean one of these?")).to_be_visible()
    assert names(page) == ["Bluetooth Headphones"]

    # The inactive ones, dearest first, with their brand: saved for everybody.
    page.goto(f"{manager.server.url}/admin/inventory/product/")
    page.get_by_role("link", name="Inactive").click()
    page.get_by_role("link", name="Price", exact=True).click()
    page.get_by_role("link", name="Columns").click()
    page.get_by_role("checkbox", name="Brand").check()
    page.get_by_role("button", name="Move Brand up").click()
    page.get_by_role("button", name="Show these columns").click()
    expect(page.get_by_role("columnheader", name="Brand")).to_be_visible()
    page.get_by_text("Save view").first.click()
    page.get_by_label("Name of the view").fill("Off sale, by price")
    page.get_by_label("Everybody who sees this list can open it").check()
    page.locator(".console-menu-panel").get_by_role("button", name="Save view").click()
    tab = page.get_by_role("link", name="Off sale, by price")
    expect(tab).to_have_attribute("aria-current", "page")
    mine = names(page)
    assert mine == ["Mug", "Kettle, small"]

    page = colleague.sign_in(Persona.WAREHOUSE)
    page.goto(f"{colleague.server.url}/admin/inventory/product/")
    assert len(names(page)) == 4
    page.get_by_role("link", name="Off sale, by price").click()
    expect(page.get_by_role("columnheader", name="Brand")).to_be_visible()
    assert names(page) == mine
    # What the colleague may not see is not there, and the view is not theirs to change.
    expect(page.get_by_role("columnheader", name="Cost")).to_have_count(0)
    expect(page.get_by_text("This view")).to_have_count(0)


def test_a_price_is_changed_and_taken_back_by_the_keyboard_alone(visitors: list[Visitor]) -> None:
    stock_the_shelves()
    manager, _other = visitors
    page = manager.sign_in(Persona.CATALOGUE_MANAGER)

    press(page, "Shift+?")
    expect(page.get_by_role("heading", name="What the keyboard can do")).to_be_visible()
    press(page, "Escape")
    expect(page.get_by_role("heading", name="What the keyboard can do")).to_be_hidden()

    press(page, "g", "p")
    page.wait_for_url("**/admin/inventory/product/")
    press(page, "/")
    page.keyboard.type("ketle")
    press(page, "Enter")
    expect(page.get_by_text("Did you mean one of these?")).to_be_visible()

    page.goto(f"{manager.server.url}/admin/inventory/product/")
    press(page, "j", "j", "x")
    expect(page.locator("input.action-select:checked")).to_have_count(1)
    press(page, "x")
    expect(page.locator("input.action-select:checked")).to_have_count(0)
    row = page.locator("tr.console-row-current")
    expect(row).to_contain_text("KE-1")

    # To the price, and in.
    for _ in range(6):
        label = page.evaluate("document.activeElement.getAttribute('aria-label') || ''")
        if label.startswith("Edit Price"):
            break
        press(page, "Tab")
    press(page, "Enter")
    expect(page.get_by_role("textbox", name="Price", exact=True)).to_be_focused()
    page.keyboard.type("26.50")
    press(page, "Enter")
    expect(page.get_by_text("Say why: this change needs a reason.")).to_be_visible()
    expect(page.get_by_label("Reason for this change")).to_be_focused()
    page.keyboard.type("Steel is dearer")
    press(page, "Enter")
    expect(page.get_by_text("Price changed: Kettle (KE-1)")).to_be_visible()
    expect(row).to_contain_text("26.50")
    assert Product.objects.get(sku="KE-1").price == Decimal("26.50")

    page.get_by_role("button", name="Undo").focus()
    press(page, "Enter")
    expect(page.get_by_text("Price put back: Kettle (KE-1)")).to_be_visible()
    assert Product.objects.get(sku="KE-1").price == Decimal("24.90")

    # Letters in a field are letters, and Escape leaves a cell as it was.
    press(page, "k", "j", "e")
    field = page.get_by_role("textbox", name="Name", exact=True)
    expect(field).to_be_focused()
    page.keyboard.type("jkx?g")
    expect(field).to_have_value("jkx?g")
    press(page, "Escape")
    expect(row).to_contain_text("Kettle")
    press(page, "k")
    expect(row).to_contain_text("BT-7")
    press(page, "Enter")
    page.wait_for_url("**/change/**")
