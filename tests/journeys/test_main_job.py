"""The main job, end to end: a file comes in, a price changes, the auditor finds both."""

import csv
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import expect

from inventory.models import Product
from tests.journeys.conftest import Visitor
from tests.personas import Persona

ROOT = Path(__file__).resolve().parent.parent.parent
CONTOSO = ROOT.parent / "shared" / "data" / "contoso-products.csv"
SAMPLE = ROOT / "fixtures" / "products.csv"

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def _file() -> tuple[Path, int, str]:
    """A supplier's file where there is one, else the sample shop's: path, rows, a SKU in it."""
    path, column = (CONTOSO, "Product Code") if CONTOSO.exists() else (SAMPLE, "sku")
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    return path, len(rows), rows[0][column]


def test_a_file_comes_in_a_price_changes_and_the_auditor_finds_who_did_it_and_why(
    visitors: list[Visitor],
) -> None:
    path, count, sku = _file()
    manager, auditor = visitors
    if path == SAMPLE:
        from django.core.management import call_command

        for name in ("01_categories", "02_tags", "03_discounts"):
            call_command("loaddata", ROOT / "fixtures" / f"{name}.json", verbosity=0)

    # The catalogue manager brings the file in.
    page = manager.sign_in(Persona.CATALOGUE_MANAGER)
    page.locator("nav a, aside a, #nav-sidebar a").filter(has_text="Products").first.click()
    page.locator("a[href*='/product/import/']").first.click()
    page.set_input_files("input[type=file]", path)
    page.get_by_role("button", name="Upload and check").click()
    new = page.locator(".exchange-count.exchange-new")
    expect(new).to_contain_text(f"{count:,}")
    expect(page.locator(".exchange-count.exchange-invalid")).to_contain_text("0")
    page.get_by_label("Reason").fill("First list of the season")
    page.get_by_role("button", name=f"Import {count:,} changes").click()
    expect(page.get_by_text(f"was imported: {count:,} changes.")).to_be_visible()
    assert Product.objects.count() == count

    # The same file again changes nothing.
    page.get_by_role("link", name="Import another file").click()
    page.set_input_files("input[type=file]", path)
    page.get_by_role("button", name="Upload and check").click()
    expect(page.get_by_text("0 changes.")).to_be_visible()
    expect(page.get_by_role("button", name="Import", exact=False)).to_have_count(0)

    # One price changes, with a reason.
    product = Product.objects.get(sku=sku)
    page.goto(f"{manager.server.url}/admin/inventory/product/?q={sku}")
    page.goto(f"{manager.server.url}/admin/inventory/product/{product.pk}/change/")
    page.locator("#id_price").fill("77.70")
    page.locator("#id_compare_at_price").fill("")
    page.get_by_label("Reason").fill("Agreed with the supplier")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    product.refresh_from_db()
    assert product.price == Decimal("77.70")

    # The auditor finds both, and cannot change anything.
    page = auditor.sign_in(Persona.AUDITOR)
    page.locator("a").filter(has_text="Timeline").first.click()
    expect(page.get_by_text("Agreed with the supplier")).to_be_visible()
    expect(page.get_by_text(f"Products: import of {path.name}").first).to_be_visible()
    page.get_by_text("Agreed with the supplier").first.scroll_into_view_if_needed()
    page.goto(f"{auditor.server.url}/admin/inventory/product/{product.pk}/history/")
    body = page.locator("body")
    for text in (
        "77.70",
        "Agreed with the supplier",
        "Carla Catalogue",
        "First list of the season",
    ):
        expect(body).to_contain_text(text)
    page.goto(f"{auditor.server.url}/admin/inventory/product/{product.pk}/change/")
    expect(page.get_by_role("button", name="Save", exact=True)).to_have_count(0)
