"""Somebody's first day: 300 prices up by 5 %, seen before, undone after."""

from decimal import Decimal

import pytest
from django.db.models import Count
from playwright.sync_api import expect

from backoffice.audit.models import ChangeSet
from inventory.models import Product
from tests.journeys.conftest import Visitor
from tests.personas import Persona

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def stock_the_shelves() -> None:
    """1,000 products: 300 kettles, three of which would cost more than before their reduction."""
    Product.objects.bulk_create(
        Product(
            sku=f"P-{n}",
            name=f"{'Kettle' if n < 300 else 'Mug'} {n:04d}",
            price=Decimal(20),
            compare_at_price=Decimal("20.50") if n < 3 else None,
        )
        for n in range(1000)
    )


def prices() -> dict[Decimal, int]:
    counted = Product.objects.values_list("price").annotate(Count("pk")).order_by("price")
    return dict(counted)


def test_300_prices_are_raised_by_5_percent_and_undone(visitors: list[Visitor]) -> None:
    stock_the_shelves()
    newcomer = visitors[0]
    page = newcomer.sign_in(Persona.CATALOGUE_MANAGER)
    page.goto(f"{newcomer.server.url}/admin/inventory/product/?q=kettle")
    page.locator("#action-toggle").check()
    page.get_by_text("Select all 300").click()
    page.locator("select[name=action]").select_option(label="Edit fields")
    page.get_by_role("button", name="Run").click()

    # The inputs of a field appear when its choice needs them.
    expect(page.get_by_role("heading", name="Edit fields")).to_be_visible()
    expect(page.get_by_text("300 products selected")).to_be_visible()
    by = page.get_by_label("By how much: Price")
    expect(by).to_be_hidden()
    page.get_by_label("Price", exact=True).select_option(label="Change by percent")
    by.fill("5")
    assert page.locator("input[name=_selected_action]").count() == 1
    page.get_by_role("button", name="Preview").click()

    expect(page.get_by_text("297 will change.")).to_be_visible()
    expect(page.get_by_text("3 skipped: The compare-at price must be above")).to_be_visible()
    sample = page.get_by_role("row", name="Kettle 0003 (P-3)")
    expect(sample).to_contain_text("20.00")
    expect(sample).to_contain_text("21.00")
    assert prices() == {Decimal(20): 1000}

    page.get_by_label("Reason").fill("Copper is dearer")
    page.get_by_role("button", name="Change 297").click()
    expect(page.get_by_text("297 changed. 3 skipped")).to_be_visible()
    assert prices() == {Decimal(20): 703, Decimal(21): 297}
    assert "q=kettle" in page.url

    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("297 put back")).to_be_visible()
    assert prices() == {Decimal(20): 1000}
    assert "q=kettle" in page.url
    undo, change = ChangeSet.objects.filter(kind="change").order_by("-pk")[:2]
    assert (change.reason, undo.reference) == ("Copper is dearer", f"audit.changeset/{change.pk}")
