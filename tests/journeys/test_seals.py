"""The auditor looks whether the record can be relied on, before and after it was altered."""

from contextlib import suppress

import pytest
from django.core.management import call_command
from django.db import connection
from playwright.sync_api import expect

from backoffice.accounts.models import Role
from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import Seal
from backoffice.audit.seals.sealing import seal_new_entries
from inventory.models import Product
from tests.journeys.conftest import Visitor
from tests.personas import Persona

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def verify() -> None:
    with suppress(SystemExit):
        call_command("audit_verify", "--json")


def alter_a_price() -> None:
    """As the owner of the database can."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE inventory_historicalproduct SET price = 1 WHERE sku = 'K-7'")
        cursor.execute("SET session_replication_role = origin")


def put_the_roles_on_the_record() -> None:
    """Between tests on committed data the roles come back without their history."""
    for role in Role.objects.all():
        permissions, name = list(role.permissions.all()), role.name
        Role.objects.filter(pk=role.pk).update(name=f"{name}?")
        Role.objects.filter(pk=role.pk).update(name=name)
        role.permissions.clear()
        role.permissions.set(permissions)


def test_when_the_record_was_last_verified_and_what_was_found(visitors: list[Visitor]) -> None:
    with audit_context(source=Source.SHELL, reason="New"):
        put_the_roles_on_the_record()
        kettle = Product.objects.create(sku="K-7", name="Kettle 7", price=27)
    seal_new_entries()
    auditor, _other = visitors
    page = auditor.sign_in(Persona.AUDITOR)
    expect(page.get_by_text("The record was never verified.")).to_be_visible()

    page.locator("a").filter(has_text="Seals").first.click()
    seal = Seal.objects.get()
    expect(page.locator("dd").filter(has_text=f"hash {seal.hash}")).to_be_visible()
    verified = page.locator("dl.audit-card > div").filter(has_text="Last verified")
    expect(verified).to_contain_text("never")

    verify()
    page.reload()
    expect(verified.locator("time")).to_be_visible()
    expect(page.get_by_text("is not what was sealed")).to_have_count(0)

    alter_a_price()
    verify()
    page.reload()
    expect(page.get_by_text("is not what was sealed")).to_be_visible()
    expect(page.get_by_text(f"Product {kettle.pk}: history row")).to_be_visible()
    page.goto(f"{auditor.server.url}/admin/")
    expect(page.get_by_text("is not what was sealed")).to_be_visible()
