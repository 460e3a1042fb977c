"""A product shows what became of its variants, which stand on their own all the same."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backoffice.accounts.models import User
from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import ChangeSet
from backoffice.audit.undo.services import undo_change_set
from inventory.models import Product
from tests.audit.pages import history_page, words


@pytest.fixture
def as_manager(client: Client, catalogue_manager: User) -> Client:
    client.force_login(catalogue_manager)
    return client


@pytest.fixture
def variant(product: Product) -> Product:
    made: Product = Product.objects.create(
        sku="P-1-M", name="Pot, M", price=11, variant_of=product, options={"Size": "M"}
    )
    return made


def _changed(product: Product, **values: Any) -> ChangeSet:
    with audit_context(source=Source.ADMIN, reason="They raised theirs"):
        Product.objects.filter(pk=product.pk).update(**values)
    return ChangeSet.objects.latest("pk")


def test_a_product_shows_the_changes_of_its_variants(
    as_manager: Client, product: Product, variant: Product
) -> None:
    change_set = _changed(variant, price=12)
    page = as_manager.get(history_page(product))
    text = words(page)
    assert "They raised theirs Variant “Pot, M (P-1-M)” changed" in text
    assert "11.00 12.00" in text
    assert "Variant “Pot, M (P-1-M)” added" in text
    content = page.content.decode()
    assert f'href="{history_page(variant)}"' in content
    # Undone and put back on its own page alone.
    assert f"{change_set.pk}/undo/?object=inventory.product/{product.pk}" not in content
    assert "Put back" not in text
    assert f"{change_set.pk}/undo/?object=inventory.product/{variant.pk}" in (
        as_manager.get(history_page(variant)).content.decode()
    )


def test_a_variant_does_not_show_what_becomes_of_its_product(
    as_manager: Client, product: Product, variant: Product
) -> None:
    _changed(product, price=99)
    assert "99.00" not in words(as_manager.get(history_page(variant)))


def test_variants_stand_on_the_page_of_the_past(
    as_manager: Client, product: Product, variant: Product
) -> None:
    page = words(as_manager.get(f"/admin/inventory/product/{product.pk}/as-of/"))
    assert "Variants SKU Name Price" in page
    assert "P-1-M Pot, M 11.00" in page


def test_a_variant_that_moved_is_seen_where_it_was(
    as_manager: Client, product: Product, variant: Product
) -> None:
    other = Product.objects.create(sku="P-2", name="Other", price=1)
    _changed(variant, variant_of=other)
    assert "“Pot, M (P-1-M)” added" in words(as_manager.get(history_page(product)))
    assert "“Pot, M (P-1-M)” changed" in words(as_manager.get(history_page(other)))


def test_undo_takes_a_variant_back_though_its_product_was_changed_since(
    product: Product, catalogue_manager: User
) -> None:
    with audit_context(source=Source.ADMIN, reason="New"):
        Product.objects.filter(pk=product.pk).update(brand="Mill")
        variant = Product.objects.create(sku="P-1-L", name="Pot, L", price=1, variant_of=product)
    change_set = ChangeSet.objects.latest("pk")
    _changed(product, brand="Miller")
    result = undo_change_set(change_set=change_set, actor=catalogue_manager, reason="Wrong")
    assert (result.plan.undone, result.plan.total_kept) == (1, 1)
    assert not Product.objects.filter(pk=variant.pk).exists()


def test_variants_cost_no_query_each(as_manager: Client, product: Product) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert as_manager.get(history_page(product)).status_code == 200
        return len(captured)

    Product.objects.create(sku="V-0", name="V", price=1, variant_of=product)
    queries()
    one = queries()
    for number in range(1, 8):
        Product.objects.create(sku=f"V-{number}", name="V", price=1, variant_of=product)
    assert queries() == one
