"""Rows that are posted without the right to them change nothing: in lists and in inlines."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client

from backoffice.accounts.models import User
from inventory.models import Product, ProductImage
from tests.console.pages import PRODUCTS, page, product_form, said, seen, signed_in
from tests.inventory.factories import make_product

pytestmark = pytest.mark.django_db


@pytest.fixture
def _rows_are_edited() -> Iterator[None]:
    """The product list with fields in its rows, as Django has it."""
    product_admin: Any = admin.site._registry[Product]
    product_admin.list_display = ["product", "brand", "is_featured", "cost"]
    product_admin.list_editable = ["brand", "is_featured", "cost"]
    yield
    del product_admin.list_display, product_admin.list_editable


def rows(*products: Product, **fields: Any) -> dict[str, Any]:
    count = str(len(products))
    sent: dict[str, Any] = {"_save": "Save", "form-TOTAL_FORMS": count, "form-INITIAL_FORMS": count}
    for number, product in enumerate(products):
        row = {"id": product.pk, "brand": product.brand, "cost": product.cost or ""}
        row["_seen"] = seen(product)
        sent |= {f"form-{number}-{name}": value for name, value in row.items()}
    return {**sent, **fields}


def user_with(*codenames: str) -> User:
    user = User.objects.create_user("some@stockbook.test", "x", is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
    return user


def everything() -> list[Any]:
    return [
        list(Product.objects.order_by("pk").values()),
        list(ProductImage.objects.order_by("pk").values()),
    ]


@pytest.mark.usefixtures("_rows_are_edited")
@pytest.mark.parametrize("role", ["warehouse", "order_desk", "auditor", "outsider"])
def test_rows_of_a_list_posted_without_the_right_are_refused(
    role: str, request: pytest.FixtureRequest
) -> None:
    product = make_product(brand="Ox")
    before = everything()
    client = signed_in(request.getfixturevalue(role))
    sent = rows(product, **{"form-0-brand": "Forged"})
    assert client.post(PRODUCTS, sent).status_code == 403
    assert everything() == before


@pytest.mark.usefixtures("_rows_are_edited")
def test_rows_of_a_list_neither_add_nor_reach_hidden_fields(warehouse: User) -> None:
    product = make_product(brand="Ox", cost=Decimal("4.56"))
    client = signed_in(user_with("view_product", "change_product"))
    before = everything()

    added = rows(product) | {
        "form-TOTAL_FORMS": "2", "form-1-brand": "New", "form-1-cost": "1",
    }  # fmt: skip
    client.post(PRODUCTS, added)
    assert Product.objects.count() == 1
    client.post(PRODUCTS, rows(product, **{"form-0-cost": "0.01"}))
    assert everything() == before

    client.post(PRODUCTS, rows(product, **{"form-0-brand": "Elk"}))
    product.refresh_from_db()
    assert (product.brand, product.cost) == ("Elk", Decimal("4.56"))


@pytest.mark.usefixtures("_rows_are_edited")
def test_rows_of_a_list_that_are_stale_come_back(catalogue_manager: User) -> None:
    first, second = make_product(name="A", brand="Ox"), make_product(name="B", brand="Ox")
    client = signed_in(catalogue_manager)
    opened = client.get(PRODUCTS)
    assert f'name="form-0-_seen" value="{seen(first)}"' in opened.text.replace("&quot;", '"')
    stale = rows(first, second, **{"form-0-brand": "Elk", "form-1-brand": "Elk"})
    Product.objects.filter(pk=second.pk).update(brand="Yak")

    refused = client.post(PRODUCTS, stale)

    assert refused.status_code == 200
    assert "Take theirs: <strong>Yak</strong>" in refused.text
    assert [row.pk for row in refused.context["cl"].result_list] == [first.pk, second.pk]
    assert set(Product.objects.values_list("brand", flat=True)) == {"Ox", "Yak"}


@pytest.mark.usefixtures("_rows_are_edited")
def test_rows_of_a_list_that_need_a_reason_say_so(catalogue_manager: User) -> None:
    product = make_product(brand="Ox", cost=Decimal(5))
    client = signed_in(catalogue_manager)
    response = client.post(PRODUCTS, rows(product, **{"form-0-cost": "6"}))
    assert response.status_code == 302
    assert said(response) == ["This change of products needs a reason. Say why."]
    product.refresh_from_db()
    assert product.cost == Decimal(5)


def image_rows(product: Product, *images: ProductImage, **fields: Any) -> dict[str, Any]:
    sent = product_form(product, brand=product.brand)
    sent |= {
        "images-TOTAL_FORMS": str(len(images) + 1),
        "images-INITIAL_FORMS": str(len(images)),
        f"images-{len(images)}-product": product.pk,
        f"images-{len(images)}-url": "/new.png",
        f"images-{len(images)}-position": "0",
    }
    for number, image in enumerate(images):
        row = {"id": image.pk, "product": product.pk, "position": 0, "_seen": seen(image)}
        row["url"] = "/forged.png"
        sent |= {f"images-{number}-{name}": value for name, value in row.items()}
    return {**sent, **fields}


@pytest.mark.parametrize("role", ["warehouse", "order_desk", "auditor", "outsider"])
def test_inlines_posted_without_the_right_to_the_product_are_refused(
    role: str, request: pytest.FixtureRequest
) -> None:
    product = make_product()
    image = ProductImage.objects.create(product=product, url="/a.png")
    before = everything()
    client = signed_in(request.getfixturevalue(role))
    sent = image_rows(product, image, **{"images-0-DELETE": "on"})
    address = page("inventory_product_change", product.pk)
    assert client.post(address, sent).status_code == 403
    assert everything() == before


@pytest.mark.parametrize(
    ("rights", "urls"),
    [
        ([], ["/a.png"]),
        (["view_productimage"], ["/a.png"]),
        (["view_productimage", "change_productimage"], ["/forged.png"]),
        (["view_productimage", "add_productimage"], ["/a.png", "/new.png"]),
    ],
)
def test_inlines_change_only_what_the_user_may(rights: list[str], urls: list[str]) -> None:
    product = make_product()
    image = ProductImage.objects.create(product=product, url="/a.png")
    client = signed_in(user_with("view_product", "change_product", *rights))
    client.post(page("inventory_product_change", product.pk), image_rows(product, image))
    assert sorted(ProductImage.objects.values_list("url", flat=True)) == urls


def test_an_inline_is_deleted_only_with_the_right_to_it() -> None:
    product = make_product()
    image = ProductImage.objects.create(product=product, url="/a.png")
    client = signed_in(user_with("view_product", "change_product", "view_productimage"))
    sent = image_rows(product, image, **{"images-0-DELETE": "on"})
    client.post(page("inventory_product_change", product.pk), sent)
    assert list(ProductImage.objects.values_list("url", flat=True)) == ["/a.png"]


def test_the_image_of_another_product_is_out_of_reach(catalogue_manager: User) -> None:
    mine, other = make_product(), make_product()
    image = ProductImage.objects.create(product=other, url="/a.png")
    before = other.images.values().get()
    client = signed_in(catalogue_manager)
    for forged in ({}, {"images-0-DELETE": "on"}, {"images-0-product": other.pk}):
        sent = image_rows(mine, image, **forged)
        client.post(page("inventory_product_change", mine.pk), sent)
        assert other.images.values().get() == before


def test_variants_cannot_be_posted_through_their_product(catalogue_manager: User) -> None:
    product = make_product()
    variant = make_product(variant_of=product, price=Decimal(10))
    forged = {
        "variants-TOTAL_FORMS": "2",
        "variants-INITIAL_FORMS": "1",
        "variants-0-id": variant.pk,
        "variants-0-variant_of": product.pk,
        "variants-0-price": "0.01",
        "variants-0-sku": "FORGED",
        "variants-0-DELETE": "on",
        "variants-1-sku": "NEW",
        "variants-1-name": "New",
        "variants-1-price": "1",
    }
    before = everything()
    client: Client = signed_in(catalogue_manager)
    client.post(page("inventory_product_change", product.pk), product_form(product, **forged))
    assert everything() == before
