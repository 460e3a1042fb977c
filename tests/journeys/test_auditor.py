"""The auditor's day: who changed a price last month, and why; and a file of it to take away."""

import csv
import hashlib
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone
from playwright.sync_api import expect

from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import ChangeSet
from inventory.models import Product
from tests.journeys.conftest import Visitor
from tests.personas import Persona, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def _put_back_to(change_set: ChangeSet, moment: datetime) -> None:
    """Gives an entry another time, past the triggers that refuse it."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE audit_changeset SET at = %s WHERE id = %s", [moment, change_set.pk])
        cursor.execute(
            "UPDATE inventory_historicalproduct SET history_date = %s WHERE change_set_id = %s",
            [moment, change_set.pk],
        )
        cursor.execute("SET session_replication_role = origin")


def _entry(request_id: str) -> ChangeSet:
    return ChangeSet.objects.get(request_id=request_id)


def test_who_changed_a_price_last_month_and_why(visitors: list[Visitor], tmp_path: Path) -> None:
    last_month = timezone.localtime().replace(day=1, hour=12, minute=0) - timedelta(days=10)
    carla = make_user(Persona.CATALOGUE_MANAGER)
    with audit_context(source=Source.IMPORT, actor=carla, request_id="brought-in", reason="New"):
        Product.objects.bulk_create(
            Product(sku=f"K-{n}", name=f"Kettle {n}", price=Decimal(20 + n)) for n in range(60)
        )
    with audit_context(
        source=Source.ADMIN,
        actor=carla,
        request_id="the-change",
        action="Product changed: Kettle 7 (K-7)",
        reason="Northwind raised theirs",
    ):
        Product.objects.filter(sku="K-7").update(price="31.50")
    with audit_context(source=Source.ADMIN, actor=carla, request_id="today", reason="Sale"):
        Product.objects.filter(sku="K-7").update(price="25.00")
    _put_back_to(_entry("brought-in"), last_month - timedelta(days=60))
    _put_back_to(_entry("the-change"), last_month)

    auditor, _other = visitors
    page = auditor.sign_in(Persona.AUDITOR)
    page.locator("a").filter(has_text="Timeline").first.click()
    expect(page.get_by_text("Northwind raised theirs")).to_be_visible()

    # Last month, the price of this product.
    page.locator("select[name=model]").select_option("Products")
    page.get_by_label("Field that changed").select_option("inventory.product.price")
    page.get_by_text("More filters").click()
    page.get_by_label("Object (key").fill("k-7")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator(".audit-line")).to_have_count(2)
    page.get_by_role("link", name="Last month").click()
    line = page.locator(".audit-line")
    expect(line).to_have_count(1)
    expect(line).to_contain_text("Carla Catalogue <carla@stockbook.test>")
    expect(line).to_contain_text("Northwind raised theirs")
    expect(line).to_contain_text("27.00 → 31.50")

    # All of the entry.
    address = page.url
    line.get_by_role("link", name="Product changed: Kettle 7 (K-7)").click()
    body = page.locator("#content, main").first
    for text in ("Carla Catalogue", "Northwind raised theirs", "27.00", "31.50", "the-change"):
        expect(body).to_contain_text(text)

    # A file of the entry, and one of what was found: here the same lines.
    in_a_file = tmp_path / "entry.csv"
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    download.value.save_as(in_a_file)
    page.goto(address)
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    path = tmp_path / "record.csv"
    download.value.save_as(path)
    assert path.read_bytes() == in_a_file.read_bytes()
    with path.open(newline="", encoding="utf-8-sig") as file:
        (row,) = csv.DictReader(file)
    told = {
        "who": "Carla Catalogue <carla@stockbook.test>",
        "reason": "Northwind raised theirs",
        "request": "the-change",
        "model": "inventory.product",
        "name": "Kettle 7 (K-7)",
        "change": "changed",
        "field": "price",
        "old": "27.00",
        "new": "31.50",
    }
    assert {name: row[name] for name in told} == told
    assert row["time"].startswith(f"{last_month:%Y-%m-%d}")

    # Both are themselves on the record.
    page.goto(address.partition("?")[0])
    export = page.locator(".audit-line").first
    expect(export).to_contain_text("export")
    expect(export).to_contain_text(hashlib.sha256(path.read_bytes()).hexdigest())
    expect(export).to_contain_text("Aude Auditor")


def test_a_note_is_written_on_the_form_and_found_on_the_timeline(visitors: list[Visitor]) -> None:
    product = Product.objects.create(sku="K-1", name="Kettle", price=20)
    manager, auditor = visitors
    page = manager.sign_in(Persona.CATALOGUE_MANAGER)
    page.goto(f"{manager.server.url}/admin/inventory/product/{product.pk}/change/")
    page.get_by_role("link", name="Timeline", exact=True).last.click()
    # The reason is for saving the form, and no place for a note.
    expect(page.get_by_label("Reason for this change")).to_be_hidden()
    page.get_by_label("Note", exact=True).fill("Northwind confirms the price.")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator(".audit-remark")).to_have_text("Northwind confirms the price.")
    expect(page.get_by_label("Note", exact=True)).to_have_value("")

    page = auditor.sign_in(Persona.AUDITOR)
    page.goto(f"{auditor.server.url}/admin/audit/changeset/?kind=note")
    page.get_by_role("link", name="Note on Product: Kettle (K-1)").click()
    page.get_by_role("link", name=f"Product {product.pk}: Kettle (K-1)").click()
    expect(page).to_have_url(f"{auditor.server.url}/admin/inventory/product/{product.pk}/change/")
