"""The palette and the charts by keyboard and by hand, in a real browser."""

import pytest
from playwright.sync_api import expect

from tests.inventory.factories import make_product
from tests.journeys.conftest import Visitor
from tests.personas import Persona

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_what_is_typed_is_opened_by_enter_and_stands_first_the_next_time(
    visitors: list[Visitor],
) -> None:
    kettle = make_product(sku="KE-1", name="Kettle")
    make_product(sku="KE-2", name="Kettle, small")
    manager, _ = visitors
    page = manager.sign_in(Persona.CATALOGUE_MANAGER)
    box = page.get_by_role("combobox", name="Find or do something")

    page.get_by_role("button", name="Find or do something").focus()
    page.keyboard.press("Control+k")
    expect(box).to_be_focused()
    # Enter waits for the answer to what was typed.
    page.keyboard.type("KE-1")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/product/{kettle.pk}/change/")

    page.goto(f"{manager.server.url}/admin/")
    button = page.get_by_role("button", name="Find or do something")
    button.focus()
    page.keyboard.press("Control+k")
    first = page.get_by_role("option").first
    expect(first).to_contain_text("Kettle")
    expect(first).to_have_attribute("aria-selected", "true")
    assert box.get_attribute("aria-activedescendant") == "command-item-1"
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option").nth(1)).to_have_attribute("aria-selected", "true")

    page.keyboard.type("qqqq")
    expect(page.get_by_text("Nothing found")).to_be_visible()
    page.keyboard.press("Escape")
    expect(box).to_have_value("")
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    expect(button).to_be_focused()


def test_a_bar_of_a_chart_leads_to_what_it_counts(visitors: list[Visitor]) -> None:
    make_product(sku="KE-1", name="Kettle")
    manager, _ = visitors
    page = manager.sign_in(Persona.CATALOGUE_MANAGER)
    canvas = page.locator('[data-chart="products-added"] canvas')
    place = canvas.evaluate(
        "canvas => { const bar = Chart.getChart(canvas).getDatasetMeta(0).data.at(-1);"
        " return [bar.x, (bar.y + bar.base) / 2]; }"
    )
    canvas.click(position={"x": place[0], "y": place[1]})
    page.wait_for_url("**/product/?created_at__gte=*")
    expect(page.locator(".console-item-title")).to_have_text(["Kettle"])
