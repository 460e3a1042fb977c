"""What the database itself refuses, whoever writes: each constraint by its name."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from inventory.models import Category, Discount, Product, ProductImage, ProductTag, Tag
from tests.inventory.factories import make_category, make_product, make_tag

pytestmark = pytest.mark.django_db


def refused_by(write: Callable[[], Any]) -> str:
    """The name of the constraint that refuses what `write` does."""
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        write()
    return str(caught.value.__cause__.diag.constraint_name)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"price": Decimal("-0.01")}, "inventory_product_price_not_negative"),
        ({"cost": Decimal("-0.0001")}, "inventory_product_cost_not_negative"),
        ({"weight": Decimal(-1)}, "inventory_product_weight_not_negative"),
        (
            {"price": Decimal(10), "compare_at_price": Decimal(10)},
            "inventory_product_compare_at_above_price",
        ),
        ({"sku": ""}, "inventory_product_sku_and_name_present"),
        ({"name": "", "slug": "x"}, "inventory_product_sku_and_name_present"),
    ],
)
def test_a_product_that_must_not_exist_is_refused(fields: dict[str, Any], constraint: str) -> None:
    assert refused_by(lambda: make_product(**fields)) == constraint
    assert not Product.objects.exists()


def test_a_sku_is_taken_whatever_its_case() -> None:
    make_product(sku="Mug-1")
    assert refused_by(lambda: make_product(sku="MUG-1")) == "inventory_product_sku_unique"


def test_a_slug_is_taken_whatever_its_case() -> None:
    make_product(slug="mug")
    assert refused_by(lambda: make_product(slug="MUG")) == "inventory_product_slug_unique"


def test_a_product_is_no_variant_of_itself() -> None:
    product = make_product()
    constraint = refused_by(
        lambda: Product.objects.filter(pk=product.pk).update(variant_of=product)
    )
    # Whichever of the two sees it first.
    assert constraint in (
        "inventory_product_not_own_variant",
        "inventory_product_one_level_of_variants",
    )


def test_a_variant_has_no_variants() -> None:
    mug = make_product()
    red = make_product(variant_of=mug)
    assert (
        refused_by(lambda: make_product(variant_of=red))
        == "inventory_product_one_level_of_variants"
    )
    other = make_product()
    assert (
        refused_by(lambda: Product.objects.filter(pk=mug.pk).update(variant_of=other))
        == "inventory_product_one_level_of_variants"
    )


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "ftp://x.example/a.png", "//x.example/a", ""]
)
def test_an_address_that_could_run_code_is_no_image(url: str) -> None:
    product = make_product()
    write = lambda: ProductImage.objects.create(product=product, url=url)  # noqa: E731
    assert refused_by(write) == "inventory_productimage_url_safe"


@pytest.mark.parametrize("url", ["https://x.example/a.png", "http://x.example/a", "/static/a.svg"])
def test_an_address_of_the_web_or_of_this_site_is_an_image(url: str) -> None:
    assert ProductImage.objects.create(product=make_product(), url=url).pk


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"value": Decimal(0)}, "inventory_discount_value_in_range"),
        ({"value": Decimal("100.01")}, "inventory_discount_value_in_range"),
        (
            {
                "value": Decimal(5),
                "starts_at": "2026-01-02T00:00Z",
                "ends_at": "2026-01-02T00:00Z",
            },
            "inventory_discount_ends_after_start",
        ),
    ],
)
def test_a_discount_that_must_not_exist_is_refused(fields: dict[str, Any], constraint: str) -> None:
    assert refused_by(lambda: Discount.objects.create(name="Sale", **fields)) == constraint


def test_an_amount_off_may_be_more_than_a_hundred() -> None:
    discount = Discount.objects.create(
        name="Sale", kind=Discount.Kind.AMOUNT, value=Decimal("150.00")
    )
    assert discount.apply_to(Decimal("100.00")) == Decimal("0.00")


def test_a_product_carries_a_tag_once() -> None:
    product, tag = make_product(), make_tag("Summer")
    product.tags.add(tag)
    assert (
        refused_by(lambda: ProductTag.objects.create(product=product, tag=tag))
        == "inventory_producttag_unique"
    )


def test_a_tag_is_taken_whatever_its_case_and_has_no_comma() -> None:
    make_tag("Summer")
    assert (
        refused_by(lambda: Tag.objects.create(name="SUMMER", slug="other"))
        == "inventory_tag_name_unique"
    )
    assert refused_by(lambda: make_tag("a,b")) == "inventory_tag_name_without_comma"


def test_a_category_has_its_name_once_in_one_place() -> None:
    make_category("Audio > Radios")
    make_category("Kitchen > Radios")
    parent = Category.objects.get(path="Audio")
    assert (
        refused_by(lambda: Category.objects.create(name="RADIOS", parent=parent, slug="r2"))
        == "inventory_category_path_unique"
    )


@pytest.mark.parametrize("name", ["A > B", "<b>", ""])
def test_a_category_has_a_name_without_the_separator(name: str) -> None:
    assert (
        refused_by(lambda: Category.objects.create(name=name, slug="x"))
        == "inventory_category_name_plain"
    )


def test_raw_sql_is_refused_as_well() -> None:
    product = make_product(price=Decimal(10))

    def write() -> None:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE inventory_product SET price = -1 WHERE id = %s", [product.pk])

    assert refused_by(write) == "inventory_product_price_not_negative"
    product.refresh_from_db()
    assert product.price == Decimal(10)
