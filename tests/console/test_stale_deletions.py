"""Nobody deletes what somebody has changed since, without being told."""

import re
from decimal import Decimal

import pytest

from backoffice.accounts.models import User
from inventory.models import Product
from tests.console.pages import page, product_form, said, signed_in
from tests.inventory.factories import make_product

pytestmark = pytest.mark.django_db


def test_deleting_what_was_changed_meanwhile_is_asked_about_again(
    catalogue_manager: User, administrator: User
) -> None:
    product = make_product(price=Decimal("10.00"))
    address = page("inventory_product_delete", product.pk)
    client = signed_in(catalogue_manager)

    def confirmed() -> dict[str, str]:
        shown = re.search(r'name="_seen" value="([^"]+)"', client.get(address).text)
        assert shown
        return {"post": "yes", "change_reason": "Gone", "_seen": shown[1]}

    first = confirmed()
    change = page("inventory_product_change", product.pk)
    sent = product_form(product, price="12.00", change_reason="Dearer")
    assert signed_in(administrator).post(change, sent).status_code == 302

    refused = client.post(address, first)
    assert refused["Location"] == address
    (told,) = said(refused)
    assert "Ada Admin changed price from 10.00 to 12.00" in told
    assert told.endswith("Look at it again; you can still delete it.")
    assert Product.objects.filter(pk=product.pk).exists()

    assert client.post(address, confirmed())["Location"] == page("inventory_product_changelist")
    assert not Product.objects.filter(pk=product.pk).exists()


def test_deleting_what_nobody_changed_is_done_at_once(catalogue_manager: User) -> None:
    product = make_product()
    address = page("inventory_product_delete", product.pk)
    client = signed_in(catalogue_manager)
    shown = re.search(r'name="_seen" value="([^"]+)"', client.get(address).text)
    assert shown
    client.post(address, {"post": "yes", "change_reason": "Gone", "_seen": shown[1]})
    assert not Product.objects.exists()
