"""Pages of lists that are too long to count: from row to row, each once, wherever one is."""

import re
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.db.models import F, OrderBy
from django.test import Client

from backoffice.accounts.models import User
from backoffice.console.lists import paging
from backoffice.console.lists.paging import Place, as_place, order_terms, page_keys
from inventory.models import Product
from tests.console.pages import PRODUCTS, act, signed_in
from tests.inventory.factories import make_category, make_product

pytestmark = pytest.mark.django_db


@pytest.fixture
def _long(monkeypatch: pytest.MonkeyPatch) -> None:
    """230 products, in a list that counts to 100."""
    monkeypatch.setattr(paging, "MOST_COUNTED", 100)
    Product.objects.bulk_create(
        Product(sku=f"S-{n:03}", name=f"Mug {n % 40:02}", price=Decimal(n % 7)) for n in range(230)
    )


def shown(client: Client, query: str) -> Any:
    response = client.get(PRODUCTS + query)
    assert response.status_code == 200, response["Location"]
    return response.context["cl"]


def walk(client: Client, query: str, link: str) -> list[list[int]]:
    pages = []
    while query:
        changelist = shown(client, query)
        pages.append([product.pk for product in changelist.result_list])
        query = getattr(changelist, link)
    return pages


@pytest.mark.usefixtures("_long")
@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("?", ["name", "id"]),
        ("?o=price_now", ["price", "id"]),
        ("?o=-price_now", ["-price", "-id"]),
        ("?o=-product", ["-name", "-id"]),
        ("?o=-price_now.product", ["-price", "name", "id"]),
        ("?q=mug&o=changed", ["-updated_at", "-id"]),
    ],
)
def test_every_row_stands_on_one_page_in_the_order_of_the_list(
    query: str, order: list[str], catalogue_manager: User
) -> None:
    client = signed_in(catalogue_manager)
    everything = list(Product.objects.order_by(*order).values_list("pk", flat=True))
    forwards = walk(client, query, "next_link")
    assert [key for page in forwards for key in page] == everything
    assert [len(page) for page in forwards] == [50, 50, 50, 50, 30]

    last = shown(client, query).last_link
    backwards = walk(client, last, "previous_link")
    assert [key for page in backwards for key in page[::-1]][:180] == everything[::-1][:180]
    assert backwards[-1] == everything[:50]


@pytest.mark.usefixtures("_long")
def test_what_is_added_or_changed_meanwhile_moves_nothing(catalogue_manager: User) -> None:
    client = signed_in(catalogue_manager)
    first = shown(client, "?o=price_now")
    keys = [product.pk for product in first.result_list]
    expected = list(Product.objects.order_by("price", "id").values_list("pk", flat=True)[50:100])
    make_product(name="Cheapest", price=Decimal(0))
    Product.objects.filter(pk=keys[-1]).update(price=Decimal(6))
    Product.objects.filter(pk=keys[0]).delete()
    second = shown(client, first.next_link)
    assert [product.pk for product in second.result_list] == expected


@pytest.mark.usefixtures("_long")
def test_the_number_is_said_to_be_an_estimate_and_the_place_is_exact(
    catalogue_manager: User,
) -> None:
    client = signed_in(catalogue_manager)
    text = unescape(client.get(PRODUCTS).text)
    assert re.search(r"1–50 of about [\d,]+ products", text)
    assert "All about " in text
    changelist = shown(client, shown(client, "?").next_link)
    assert (changelist.first_number, changelist.last_number) == (51, 100)
    # Counted to its end where it is short.
    few = shown(client, "?q=s-01")
    assert (few.is_estimate, few.found_in_words) == (False, "10 products")


@pytest.mark.usefixtures("_long")
def test_all_that_the_filter_finds_is_all_of_it_on_any_page(catalogue_manager: User) -> None:
    client = signed_in(catalogue_manager)
    deep = shown(client, shown(client, "?o=price_now").next_link)
    one = [deep.result_list[0]]
    query = deep.next_link
    preview = act(client, "deactivate_products", one, query=query, select_across="1")
    assert preview.context["preview"].changing == 230


@pytest.mark.parametrize("name", ["after", "before"])
@pytest.mark.parametrize(
    "text",
    ["x", "W10", "WzFd", "WyJhIl0", "WzAsIngiLCJ5Il0", "WzAsIngiLCIxIiwiMiJd", "bnVsbA", "é"],
)
@pytest.mark.usefixtures("_long")
def test_a_place_that_is_none_leads_to_the_beginning(
    name: str, text: str, catalogue_manager: User
) -> None:
    response = signed_in(catalogue_manager).get(PRODUCTS, {name: text, "o": "price_now"})
    assert response.status_code == 302
    assert response["Location"] == f"{PRODUCTS}?e=1"


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize(
    "order",
    [
        [OrderBy(F("category__path")), OrderBy(F("name"), descending=True), OrderBy(F("pk"))],
        [OrderBy(F("category__path"), descending=True), OrderBy(F("pk"))],
        [OrderBy(F("cost")), OrderBy(F("pk"), descending=True)],
    ],
)
def test_rows_without_a_value_have_their_place_too(order: list[OrderBy], backwards: bool) -> None:
    audio, tea = make_category("Audio"), make_category("Tea")
    for number in range(24):
        make_product(
            name=f"N{number % 4}",
            category=[None, audio, tea][number % 3],
            cost=[None, Decimal(1), Decimal(2)][number % 3],
        )
    rows = Product.objects.order_by(*order)
    everything = list(rows.values_list("pk", flat=True))
    terms = order_terms(rows)
    seen: list[int] = []
    place: Place | None = Place(backwards=True) if backwards else None
    while page := page_keys(rows, terms, place, offset=0, limit=5):
        seen += [row[0] for row in page]
        place = as_place(page[-1], backwards=backwards, number=None)
    assert seen == (everything[::-1] if backwards else everything)


def test_pages_of_a_short_list_have_numbers(catalogue_manager: User) -> None:
    Product.objects.bulk_create(
        Product(sku=f"S-{n}", name=f"Mug {n:03}", price=1) for n in range(120)
    )
    client = signed_in(catalogue_manager)
    assert shown(client, "?p=3").result_list[0].name == "Mug 100"
    assert shown(client, "?").next_link == ""
    assert client.get(f"{PRODUCTS}?p=4")["Location"] == f"{PRODUCTS}?e=1"
    assert client.get(f"{PRODUCTS}?p=0")["Location"] == f"{PRODUCTS}?e=1"
