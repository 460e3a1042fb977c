"""What the pages of forms offer: the next in the list, copies, money, the way back."""

import re
from decimal import Decimal
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backoffice.accounts.models import User
from inventory.models import Product, ProductImage
from tests.console.pages import PRODUCTS, page, product_form, signed_in
from tests.console.test_forged_forms import user_with
from tests.inventory.factories import make_category, make_product, make_tag

pytestmark = pytest.mark.django_db


@pytest.fixture
def carla(catalogue_manager: User) -> Client:
    return signed_in(catalogue_manager)


def form_of(product: Product, filters: str = "") -> str:
    address = page("inventory_product_change", product.pk)
    return f"{address}?_changelist_filters={quote(filters)}" if filters else address


def around(client: Client, product: Product, filters: str = "") -> tuple[Any, Any]:
    """The keys that the form's links lead to."""
    shown = client.get(form_of(product, filters)).context.get("neighbours")
    links = [shown.previous, shown.next] if shown else ["", ""]
    found = [re.search(r"/product/(\d+)/change/", link) for link in links]
    before, after = (int(each[1]) if each else None for each in found)
    return before, after


def walked(client: Client, start: Product, filters: str) -> list[str]:
    names, here = [start.name], start
    while (after := around(client, here, filters)[1]) is not None:
        following = Product.objects.get(pk=after)
        assert around(client, following, filters)[0] == here.pk
        names.append(following.name)
        here = following
    return names


def test_one_goes_on_in_the_order_of_the_list(carla: Client) -> None:
    b, a, c = (make_product(name=name) for name in "bac")
    assert around(carla, a) == (None, b.pk)
    assert around(carla, b) == (a.pk, c.pk)
    assert around(carla, c) == (b.pk, None)


def test_one_goes_on_within_the_filter_the_search_and_the_order(carla: Client) -> None:
    audio = make_category("Audio")
    mugs = [
        make_product(name=f"Mug {n}", price=Decimal(price), category=audio)
        for n, price in enumerate([3, 1, 2, 2])
    ]
    make_product(name="Mug 9", price=Decimal("1.5"))
    make_product(name="Tea", price=Decimal("1.7"), category=audio)
    filters = f"category__id__exact={audio.pk}&q=mug&o=-price_now"
    assert walked(carla, mugs[0], filters) == ["Mug 0", "Mug 3", "Mug 2", "Mug 1"]
    link = carla.get(form_of(mugs[0], filters)).context["neighbours"].next
    assert f"_changelist_filters={quote(filters, safe='')}" in link.replace("+", "%20")


def test_an_order_that_no_index_has_leads_on_as_well(carla: Client) -> None:
    audio, video, books, empty = (make_category(name) for name in ("A", "V", "B", "E"))
    for category, number in ((audio, 1), (video, 2), (books, 2)):
        for _each in range(number):
            make_product(category=category)
    here: Any = max(video, books, key=lambda each: each.pk)
    seen = []
    while here:
        seen.append(here.name)
        address = page("inventory_category_change", here.pk)
        shown = carla.get(f"{address}?_changelist_filters=o%3D-number_of_products").context
        link = re.search(r"/category/(\d+)/change/", shown["neighbours"].next)
        here = type(empty).objects.get(pk=link[1]) if link else None
    assert seen == ["B", "V", "A", "E"]


def test_what_no_longer_fits_the_filter_still_leads_on(carla: Client) -> None:
    a, b, c = (make_product(name=name, is_active=False) for name in "abc")
    Product.objects.filter(pk=b.pk).update(is_active=True)
    assert around(carla, b, "is_active__exact=0") == (a.pk, c.pk)


@pytest.mark.parametrize("filters", ["nonsense=1", "price_from=x", "after=%00", "o=999"])
def test_filters_that_make_no_sense_do_no_harm(carla: Client, filters: str) -> None:
    assert carla.get(form_of(make_product(), filters)).status_code == 200


def test_the_way_on_costs_the_same_in_any_list(carla: Client) -> None:
    first = make_product(name="a")
    make_product(name="b")

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            carla.get(form_of(first, "q=a"))
        return len(caught)

    queries()
    few = queries()
    Product.objects.bulk_create(Product(sku=f"S{n}", name=f"a{n}", price=1) for n in range(200))
    assert queries() == few


def test_a_copy_has_all_but_what_must_differ_and_is_not_written(carla: Client) -> None:
    red = make_tag("Red")
    mug = make_product(
        name="Mug", sku="M-1", barcode="4006381333931", price=Decimal("10.5"),
        category=make_category("Audio"), options={"Size": "M"},
    )  # fmt: skip
    mug.tags.add(red)
    ProductImage.objects.create(product=mug, url="/a.png", alt_text="Front", position=2)
    link = carla.get(form_of(mug)).context["duplicate_url"]

    response = carla.get(link)

    form = response.context["adminform"].form
    shown = {name: form[name].value() for name in ("name", "sku", "slug", "barcode", "category")}
    assert shown == {
        "name": "Mug", "sku": None, "slug": None, "barcode": None, "category": mug.category_id,
    }  # fmt: skip
    assert form["tags"].value() in ([red], [red.pk])
    assert 'name="price" value="10.50"' in response.text
    images = response.context["inline_admin_formsets"][0].formset
    assert [row["url"].value() for row in images.forms] == ["/a.png"]
    assert Product.objects.count() == 1

    sent = product_form(name="Mug", sku="M-2", price="10.50", tags=[red.pk]) | {
        "images-TOTAL_FORMS": "1", "images-0-url": "/a.png", "images-0-position": "2",
    }  # fmt: skip
    assert carla.post(link, sent).status_code == 302
    copy = Product.objects.get(sku="M-2")
    assert list(copy.images.values_list("url", flat=True)) == ["/a.png"]
    assert mug.images.count() == 1


def test_who_may_not_add_is_offered_no_copy(warehouse: User) -> None:
    mug = make_product()
    client = signed_in(warehouse)
    assert "duplicate_url" not in client.get(form_of(mug)).context
    assert client.get(f"{page('inventory_product_add')}?copy_of={mug.pk}").status_code == 403


@pytest.mark.parametrize("key", ["0", "x", "", "%00"])
def test_a_copy_of_nothing_is_an_empty_form(carla: Client, key: str) -> None:
    response = carla.get(f"{page('inventory_product_add')}?copy_of={key}")
    assert response.status_code == 200
    assert response.context["adminform"].form["name"].value() is None


def test_the_cost_is_not_copied_past_those_who_may_not_see_it() -> None:
    mug = make_product(cost=Decimal("4.56"))
    client = signed_in(user_with("view_product", "add_product"))
    assert "4.56" not in client.get(f"{page('inventory_product_add')}?copy_of={mug.pk}").text


def test_money_is_money_where_it_cannot_be_edited(warehouse: User) -> None:
    mug = make_product(price=Decimal("1044.9000"), weight=Decimal("0.250"))
    shown = signed_in(warehouse).get(form_of(mug)).text
    assert '<span class="money">1,044.90 <span class="money-currency">EUR</span></span>' in shown
    assert "44.9000" not in shown
    assert "0.250" not in shown
    assert "0.25" in shown


def test_an_amount_is_entered_before_its_currency(carla: Client) -> None:
    shown = carla.get(form_of(make_product(price=Decimal("44.9000")))).text
    field = re.search(r'<input[^>]*name="price"[^>]*>\s*<span[^>]*>\s*EUR', shown)
    assert field is not None
    assert 'value="44.90"' in field[0]


def test_lists_link_to_forms_that_know_the_way_back(carla: Client) -> None:
    mug = make_product(name="Mug")
    listed = carla.get(f"{PRODUCTS}?q=mug").text
    link = f"{page('inventory_product_change', mug.pk)}?_changelist_filters=q%3Dmug"
    assert link in listed


def crumbs(response: Any) -> list[str]:
    part = r'class="console-crumb"><a href="([^"]*)"'
    return [unescape(link) for link in re.findall(part, response.text)]


def test_the_breadcrumbs_lead_back_to_the_list_as_it_was(carla: Client) -> None:
    mug = make_product()
    filters = "q=mug&o=-price_now"
    lists = [link for link in crumbs(carla.get(form_of(mug, filters))) if PRODUCTS in link]
    assert lists[0] == f"{PRODUCTS}?{filters}"
    history = page("inventory_product_history", mug.pk)
    back = crumbs(carla.get(f"{history}?_changelist_filters={quote(filters)}"))
    assert back[-1].startswith(f"{page('inventory_product_change', mug.pk)}?_changelist_filters=")
    assert carla.get(back[-1]).context["preserved_filters"].endswith("-price_now")


EMPTY = ["inventory_category", "inventory_tag", "inventory_discount", "inventory_product"]


@pytest.mark.parametrize("name", EMPTY)
def test_an_empty_list_says_what_to_do_first(name: str, carla: Client, warehouse: User) -> None:
    address = page(f"{name}_changelist")
    shown = carla.get(address).text
    assert f'href="{page(f"{name}_add")}' in shown
    imports = re.search(r'console-button-primary">Import products<', shown)
    assert (imports is not None) == (name == "inventory_product")
    assert "Nobody has added any yet." not in shown
    assert "Nobody has added any yet." in signed_in(warehouse).get(address).text


def test_a_list_without_a_hit_offers_all_of_it(carla: Client) -> None:
    make_product()
    shown = carla.get(f"{PRODUCTS}?is_featured__exact=1").text
    assert "No products fit" in shown
    assert "No products yet" not in shown
    assert "Show all" in shown
