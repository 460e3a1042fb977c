"""Undo in the message that says what a bulk action did."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from backoffice.accounts.models import User
from backoffice.audit.models import ChangeSet
from inventory.models import Product
from tests.console.pages import PRODUCTS, act, said, signed_in, undo_offered
from tests.inventory.factories import make_product

pytestmark = pytest.mark.django_db


def raised(client: Client, products: list[Product], percent: str = "5", query: str = "") -> Any:
    """Prices changed by percent: previewed, then applied."""
    sent = {"percent": percent, "query": query}
    seen = act(client, "change_prices", products, preview="1", **sent).context["preview"]
    return act(
        client, "change_prices", products, apply="1", reason="Copper",
        previewed=seen.fingerprint, **sent,
    )  # fmt: skip


def prices() -> list[Decimal]:
    return list(Product.objects.order_by("pk").values_list("price", flat=True))


def test_undo_in_the_message_puts_all_of_it_back(catalogue_manager: User) -> None:
    products = [make_product(price=Decimal(10)), make_product(price=Decimal(20))]
    client = signed_in(catalogue_manager)
    done = raised(client, products, query="?q=")
    address = undo_offered(done)
    assert address is not None
    assert client.get(done["Location"]).text.count('<form id="undo-now" method="post"') == 1
    response = client.post(address)
    assert response.status_code == 302
    assert response["Location"] == PRODUCTS + "?q="
    assert prices() == [Decimal(10), Decimal(20)]
    undone = ChangeSet.objects.latest("pk")
    assert undone.action == "Undo of: Price of 2 products changed by 5 %"
    assert (undone.actor_id, undone.reason) == (
        catalogue_manager.pk,
        "Undone right after it was done",
    )


def test_what_somebody_changed_since_stays_and_is_said(catalogue_manager: User) -> None:
    products = [make_product(price=Decimal(10)), make_product(price=Decimal(20))]
    client = signed_in(catalogue_manager)
    address = undo_offered(raised(client, products))
    assert address is not None
    Product.objects.filter(pk=products[0].pk).update(price=99)
    response = client.post(address)
    assert prices() == [Decimal(99), Decimal(20)]
    assert said(response)[-1] == "Products: 1 put back; 1 kept: changed since."


def test_to_undo_takes_the_right_and_a_post_with_the_token(
    catalogue_manager: User, order_desk: User
) -> None:
    products = [make_product(price=Decimal(10))]
    client = signed_in(catalogue_manager)
    address = undo_offered(raised(client, products))
    assert address is not None
    after = prices()
    assert client.get(address).status_code == 405
    assert signed_in(order_desk).post(address).status_code == 403
    forging = Client(enforce_csrf_checks=True)
    forging.force_login(catalogue_manager)
    assert forging.post(address).status_code == 403
    assert prices() == after == [Decimal("10.50")]


def test_who_may_not_undo_is_offered_none(outsider: User) -> None:
    outsider.user_permissions.add(
        *Permission.objects.filter(codename__in=["change_product", "view_product"])
    )
    done = raised(signed_in(outsider), [make_product(price=Decimal(10))])
    assert said(done) == ["1 price changed."]
    assert undo_offered(done) is None


def test_undo_leads_nowhere_else(catalogue_manager: User) -> None:
    client = signed_in(catalogue_manager)
    address = undo_offered(raised(client, [make_product(price=Decimal(10))]))
    assert address is not None
    elsewhere = address.partition("?")[0] + "?next=https://evil.example/"
    assert client.post(elsewhere)["Location"] == "/admin/"


def test_a_second_click_does_not_do_it_twice(catalogue_manager: User) -> None:
    products = [make_product(price=Decimal(100))]
    client = signed_in(catalogue_manager)
    seen = act(client, "change_prices", products, preview="1", percent="5").context["preview"]
    sent = {
        "apply": "1", "percent": "5", "reason": "Copper", "previewed": seen.fingerprint
    }  # fmt: skip
    assert act(client, "change_prices", products, **sent).status_code == 302
    second = act(client, "change_prices", products, **sent)
    assert second.status_code == 200
    assert "What would change is not what you saw last." in second.text
    assert prices() == [Decimal(105)]


def test_a_deletion_of_several_can_be_undone_from_its_message(catalogue_manager: User) -> None:
    products = [make_product(sku="A"), make_product(sku="B")]
    client = signed_in(catalogue_manager)
    done = act(client, "delete_selected", products, post="yes", change_reason="Doubles")
    assert said(done)[0] == "Was it a mistake?"
    assert not Product.objects.exists()
    address = undo_offered(done)
    assert address is not None
    assert client.post(address)["Location"] == PRODUCTS
    assert sorted(Product.objects.values_list("sku", flat=True)) == ["A", "B"]
