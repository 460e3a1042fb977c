"""The product list: its filters, and what it says when it is empty."""

from decimal import Decimal
from typing import Any

import pytest

from backoffice.accounts.models import User
from inventory.models import ProductImage
from tests.console.pages import PRODUCTS, page, said, signed_in
from tests.inventory.factories import make_category, make_product, make_tag

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["A", "B", "C"]),
        ("?q=mug", ["A", "B"]),
        ("?q=acme mug", ["B"]),
        ("?category__id__exact={audio}", ["A", "B"]),
        ("?category__id__exact={radios}", ["B"]),
        ("?category__id__exact=0", []),
        ("?tags__id__exact={summer}", ["C"]),
        ("?brand=acm", ["B"]),
        ("?price_from=10&price_to=20", ["B"]),
        ("?is_active__exact=0", ["C"]),
        ("?is_featured__exact=1", ["A"]),
        ("?without=category", ["C"]),
        ("?without=image", ["B", "C"]),
        ("?without=price", ["C"]),
        ("?without=cost", ["A", "B", "C"]),
        ("?without=barcode", ["A", "B", "C"]),
        ("?without=nonsense", ["A", "B", "C"]),
        ("?variants=only", ["B"]),
        ("?variants=no", ["A", "C"]),
        ("?variants=with", ["A"]),
    ],
)
def test_the_list_filters(query: str, found: list[str], catalogue_manager: User) -> None:
    summer = make_tag("Summer")
    audio, radios = make_category("Audio"), make_category("Audio > Radios")
    a = make_product(
        sku="A", name="Big mug", category=audio, is_featured=True, price=Decimal("9.99")
    )
    ProductImage.objects.create(product=a, url="/a.png")
    make_product(sku="B", name="Small mug", brand="Acme", category=radios, variant_of=a)
    c = make_product(sku="C", name="Tea", is_active=False, price=Decimal(0))
    c.tags.add(summer)
    address = PRODUCTS + query.format(audio=audio.pk, radios=radios.pk, summer=summer.pk)
    shown: Any = signed_in(catalogue_manager).get(address).context["cl"]
    assert sorted(product.sku for product in shown.result_list) == found


@pytest.mark.parametrize(
    "query",
    [
        "?category__id__exact=x",
        "?price_from=x",
        "?is_active__exact=x",
        "?tags__id__exact=x",
        "?brand=%00",
        "?q=%00",
    ],
)
def test_a_filter_that_makes_no_sense_is_no_error(query: str, catalogue_manager: User) -> None:
    response = signed_in(catalogue_manager).get(PRODUCTS + query, follow=True)
    assert response.status_code == 200


def test_a_filter_that_was_left_out_is_said(catalogue_manager: User) -> None:
    client = signed_in(catalogue_manager)
    shown = client.get(PRODUCTS + "?price__gte=", follow=True)
    assert said(shown) == [
        "This list cannot be filtered as the address says, so it shows everything. Filter it anew."
    ]
    # What is done next, in a view or to all that match, is about the list and not its mishap.
    assert shown.context["cl"].get_query_string() == "?"
    assert shown.context["list_head"].query == ""


def test_an_empty_list_says_what_to_do(catalogue_manager: User, warehouse: User) -> None:
    client = signed_in(catalogue_manager)
    assert "Import your supplier&#x27;s file, or add the first product" in client.get(PRODUCTS).text
    assert "Search for less, or take a filter away." in client.get(PRODUCTS + "?q=x").text
    assert said(client.get(PRODUCTS)) == []
    assert page("inventory_product_add") not in signed_in(warehouse).get(PRODUCTS).text
