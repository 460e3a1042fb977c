"""What the hashes are over: the same text in every session, and columns that change later."""

from typing import Any

import pytest
from django.db import connection

from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import Seal, SealForm
from backoffice.audit.seals import canonical
from backoffice.audit.seals.sealing import seal_new_entries
from backoffice.audit.seals.verifying import Verification
from inventory.models import Product

from .tampering import tamper


def wrong() -> list[str]:
    """What a verification finds, without what tests on committed data leave of the roles."""
    return [
        finding.message
        for finding in Verification().findings()
        if finding.table not in ("auth_group", "auth_group_permissions")
    ]


def alter(change: str) -> None:
    """A migration of the history of products."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE inventory_historicalproduct {change}")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["", "x", None], ["x", "", None]),
        (["a,b", "", None], ["a", "b,", None]),
        (['"', "", None], ["", '"', None]),
        (["a\\", "b", None], ["a\\\\", "b", None]),
        (["a ", "b", None], ["a", " b", None]),
        (["a", "b", None], ["a", "b", ""]),
        (["a", "b", None], ["a", "b", "NULL"]),
        (["a", "b", ")"], ["a", "b)", ""]),
    ],
)
def test_rows_that_differ_have_different_hashes(
    one: list[str | None], other: list[str | None], product: Product
) -> None:
    """Whatever stands where: no two ways to read the same text."""
    found = []
    with connection.cursor() as cursor:
        canonical.fix_output(cursor)
        there = canonical.Catalogue.read(cursor)
        form = canonical.form_of_today(there)
        hashed = form.row_hash("inventory_historicalproduct", there)
        for values in (one, other, one):
            tamper(
                "UPDATE inventory_historicalproduct "
                "SET brand = %s, description = %s, history_change_reason = %s",
                values,
            )
            cursor.execute(f"SELECT {hashed} FROM inventory_historicalproduct r")
            found.append(bytes(cursor.fetchone()[0]))
    assert found[0] != found[1]
    assert found[0] == found[2]


def test_what_a_session_is_set_to_changes_no_hash(product: Product) -> None:
    seal_new_entries()
    with connection.cursor() as cursor:
        for setting in (
            "TimeZone = 'Asia/Tokyo'", "DateStyle = 'German'", "extra_float_digits = -15",
            "bytea_output = 'escape'", "IntervalStyle = 'sql_standard'",
        ):  # fmt: skip
            cursor.execute(f"SET LOCAL {setting}")
    assert wrong() == []


def test_a_column_that_comes_later_begins_a_new_form_and_breaks_no_seal(product: Product) -> None:
    seal_new_entries()
    alter("ADD colour text DEFAULT 'red'")
    assert wrong() == []
    with audit_context(source=Source.SHELL):
        Product.objects.update(brand="Acme")
    seal_new_entries()

    assert list(Seal.objects.order_by("pk").values_list("form", flat=True)) == [1, 2]
    assert [form.number for form in SealForm.objects.order_by("number")] == [1, 2]
    assert wrong() == []
    tamper("UPDATE inventory_historicalproduct SET colour = 'blue'")
    # Under the second form alone the column is among what was sealed.
    found = [f for f in Verification().findings() if f.table == "inventory_historicalproduct"]
    assert {finding.wrong.value for finding in found} == {"row_altered"}
    assert {finding.seal for finding in found} == {2}


def test_a_column_with_more_places_breaks_no_seal(product: Product) -> None:
    seal_new_entries()
    alter("ALTER price TYPE numeric(20, 6)")
    assert wrong() == []


def test_a_column_that_is_gone_is_named_and_a_renamed_one_can_be_declared(
    product: Product, settings: Any
) -> None:
    alter("ADD colour text DEFAULT 'red'")
    seal_new_entries()
    alter("RENAME colour TO color")
    found = [f for f in Verification().findings() if f.wrong.value == "columns_gone"]
    assert [f.table for f in found] == ["inventory_historicalproduct"]
    assert "inventory_historicalproduct.colour is gone" in found[0].message

    settings.AUDIT_RENAMED = {
        "inventory_historicalproduct.colour": "inventory_historicalproduct.color"
    }
    assert wrong() == []
    tamper("UPDATE inventory_historicalproduct SET color = 'blue'")
    assert [f.wrong.value for f in Verification().findings()] == ["row_altered"]
