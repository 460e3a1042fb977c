"""Columns of one's own, chips, and the names of columns in the address."""

from typing import Any

import pytest
from django.test import Client

from backoffice.accounts.models import User
from backoffice.console.lists import quick
from backoffice.console.models import ListLayout
from tests.console.pages import PRODUCTS, signed_in
from tests.inventory.factories import make_category, make_product

pytestmark = pytest.mark.django_db

COLUMNS = PRODUCTS + "columns/"


def shown(client: Client, query: str = "") -> list[str]:
    changelist: Any = client.get(PRODUCTS + query).context["cl"]
    return [name for name in changelist.list_display if name != "action_checkbox"]


def test_columns_are_chosen_and_put_in_order_by_each_user(
    catalogue_manager: User, administrator: User
) -> None:
    client, other = signed_in(catalogue_manager), signed_in(administrator)
    usual = shown(client)
    response = client.post(
        COLUMNS, {"column": ["brand", "price_now", "nonsense", "brand"], "query": "q=mug&p=2"}
    )
    assert response["Location"] == "../?q=mug"
    # The first stands first, whatever is posted.
    assert shown(client) == ["product", "brand", "price_now"]
    assert shown(other) == usual
    choices: Any = client.get(COLUMNS).context["choices"]
    assert [choice.name for choice in choices if choice.chosen] == ["product", "brand", "price_now"]
    assert choices[0].pinned
    client.post(COLUMNS, {"standard": "1", "column": ["brand"], "query": ""})
    assert shown(client) == usual


def test_a_column_that_one_may_not_see_is_not_offered(
    catalogue_manager: User, warehouse: User
) -> None:
    assert "Cost" in [c.label for c in signed_in(catalogue_manager).get(COLUMNS).context["choices"]]
    client = signed_in(warehouse)
    assert "Cost" not in [c.label for c in client.get(COLUMNS).context["choices"]]
    client.post(COLUMNS, {"column": ["cost_now", "brand"], "query": ""})
    assert ListLayout.objects.get().columns == ["product", "brand"]
    # Nor where it was chosen while one could.
    ListLayout.objects.update(columns=["product", "cost_now", 7, None])
    assert shown(client) == ["product"]
    ListLayout.objects.update(columns={"a": 1})
    assert "cost_now" not in shown(client)


def test_choosing_columns_takes_a_right_and_a_post(outsider: User, warehouse: User) -> None:
    assert signed_in(outsider).get(COLUMNS).status_code == 403
    assert signed_in(outsider).post(COLUMNS, {"column": ["brand"]}).status_code == 403
    assert signed_in(warehouse).put(COLUMNS).status_code == 405
    assert not ListLayout.objects.exists()


def test_the_order_in_the_address_is_by_name_and_so_the_same_for_everybody(
    catalogue_manager: User,
) -> None:
    make_product(sku="A", price=1)
    make_product(sku="B", price=2)
    client = signed_in(catalogue_manager)
    assert 'href="?o=-price_now' not in client.get(PRODUCTS).text
    assert "?o=price_now" in client.get(PRODUCTS).text
    client.post(COLUMNS, {"column": ["brand", "price_now"], "query": ""})
    changelist: Any = client.get(f"{PRODUCTS}?o=-price_now").context["cl"]
    assert [product.sku for product in changelist.result_list] == ["B", "A"]
    assert changelist.get_ordering_field_columns() == {3: "desc"}
    # A column without an index in its order is not one to sort by, whatever the address says.
    for odd in ("brand", "99", "-", "x.y", "price_now.-price_now", "product__pk"):
        assert client.get(PRODUCTS, {"o": odd}).status_code == 200
    sorted_by_brand: Any = client.get(f"{PRODUCTS}?o=-brand").context["cl"]
    assert "brand" not in str(sorted_by_brand.queryset.query.order_by)


def test_the_chips_say_how_many_they_lead_to(
    catalogue_manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    audio = make_category("Audio")
    make_product(category=audio, is_active=False)
    make_product(category=audio, price=0)
    make_product(price=0)
    client = signed_in(catalogue_manager)
    head: Any = client.get(PRODUCTS).context["list_head"]
    for chip in head.chips:
        found: Any = client.get(PRODUCTS + chip.link).context["cl"]
        assert chip.number in (str(found.result_count), ""), chip.label
    assert [(chip.label, chip.number) for chip in head.chips] == [
        ("Inactive", "1"),
        ("Without price", "2"),
        ("Without category", "1"),
        ("Without image", ""),
    ]
    monkeypatch.setattr(quick, "MOST_COUNTED", 1)
    head = client.get(f"{PRODUCTS}?without=price&q=product").context["list_head"]
    priceless = head.chips[1]
    assert (priceless.number, priceless.active, priceless.link) == ("1+", True, "?q=product")
