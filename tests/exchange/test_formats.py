"""Other shops' files: told by their headers, and read product by product."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from backoffice.exchange.exceptions import FileRefused
from backoffice.exchange.formats import LONGEST_GROUP
from backoffice.exchange.models import ImportJob
from backoffice.exchange.services import read_by_format
from inventory.models import Product

from .files import apply, bring, counts, imported, problems, table
from .shops import (
    CLASSIC,
    INVENTORY_LAYOUTS,
    LATER,
    NEWER_NAMES,
    file_of,
    renamed,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_work")]

SHIRT = [
    {
        "Handle": "shirt", "Title": "Shirt", "Body (HTML)": "<p>Soft</p>", "Vendor": "Acme",
        "Type": "Shirts", "Tags": "summer, Cotton", "Published": "TRUE", "Status": "active",
        "Option1 Name": "Size", "Option1 Value": "S", "Option2 Name": "Colour",
        "Option2 Value": "Sky Blue", "Variant SKU": "SH-S", "Variant Grams": "250",
        "Variant Weight Unit": "kg", "Variant Price": "19.90", "Variant Compare At Price": "25",
        "Variant Taxable": "true", "Variant Barcode": "0012345678905", "Cost per item": "7.5",
        "Image Src": "https://shop.example/2.jpg", "Image Position": "2",
        "Image Alt Text": "Back | seam", "Variant Inventory Qty": "4",
        "Google Shopping / Gender": "unisex", "Variant Image": "https://shop.example/s.jpg",
    },
    {
        "Handle": "shirt", "Option1 Value": "M", "Option2 Value": "Sky Blue",
        "Variant Grams": "300", "Variant Weight Unit": "lb", "Variant Price": "17",
        "Variant Compare At Price": "17", "Variant Taxable": "false",
        "Image Src": "https://shop.example/1.jpg", "Image Position": "1",
        "Variant Inventory Qty": "0",
    },
    {"Handle": "shirt", "Image Src": "https://shop.example/3.jpg", "Image Position": "3"},
]  # fmt: skip
MUG = {
    "Handle": "mug", "Title": "Mug", "Option1 Name": "Title", "Option1 Value": "Default Title",
    "Variant Price": "5", "Status": "draft", "Published": "TRUE",
}  # fmt: skip


def shown(sku: str) -> dict[str, Any]:
    product = Product.objects.get(sku=sku)
    return {
        "name": product.name, "slug": product.slug, "brand": product.brand, "price": product.price,
        "compare": product.compare_at_price, "cost": product.cost, "barcode": product.barcode,
        "weight": product.weight, "unit": product.weight_unit, "active": product.is_active,
        "category": str(product.category or ""), "options": product.options,
        "parent": product.variant_of.sku if product.variant_of else "",
        "tags": sorted(product.tags.values_list("name", flat=True)),
        "images": [*product.images.order_by("position").values_list("url", "alt_text")],
    }  # fmt: skip


def expect_the_shirt() -> None:
    assert shown("shirt") == {
        "name": "Shirt", "slug": "shirt", "brand": "Acme", "price": Decimal(17), "compare": None,
        "cost": None, "barcode": "", "weight": None, "unit": "kg", "active": True,
        "category": "Shirts", "options": {}, "parent": "", "tags": ["Cotton", "summer"],
        "images": [
            ("https://shop.example/1.jpg", ""), ("https://shop.example/2.jpg", "Back | seam"),
            ("https://shop.example/3.jpg", ""),
        ],
    }  # fmt: skip
    assert shown("SH-S") == {
        "name": "Shirt - S, Sky Blue", "slug": "shirt-s-sky-blue", "brand": "Acme",
        "price": Decimal("19.9"), "compare": Decimal(25), "cost": Decimal("7.5"),
        "barcode": "0012345678905", "weight": Decimal("0.25"), "unit": "kg", "active": True,
        "category": "Shirts", "options": {"Size": "S", "Colour": "Sky Blue"}, "parent": "shirt",
        "tags": [], "images": [("https://shop.example/s.jpg", "")],
    }  # fmt: skip
    medium = shown("shirt-m-sky-blue")
    # 300 g are no exact number of pounds.
    assert (medium["weight"], medium["unit"], medium["price"]) == (Decimal(300), "g", Decimal(17))
    assert Product.objects.get(sku="shirt-m-sky-blue").tax_class == "zero"
    assert Product.objects.get(sku="shirt").description == "<p>Soft</p>"
    mug = shown("mug")
    assert (mug["price"], mug["active"], mug["options"], mug["parent"]) == (5, False, {}, "")


@pytest.mark.parametrize(
    "names",
    [{}, {name: f"\ufeff {name.upper()}_ " for name in CLASSIC}, NEWER_NAMES],
    ids=["classic", "other case and punctuation", "newer"],
)
def test_a_shopify_file_becomes_products_with_variants_and_images(names: dict[str, str]) -> None:
    content = renamed(file_of(CLASSIC, *SHIRT, MUG), names)
    job = imported(content)
    assert (job.source_format, counts(job)) == (
        "shopify-newer" if names is NEWER_NAMES else "shopify", (4, 0, 0, 0),
    )  # fmt: skip
    expect_the_shirt()
    assert counts(bring(content)) == (0, 0, 4, 0)


def test_what_a_shopify_file_has_and_we_have_not_is_counted() -> None:
    job = bring(file_of(CLASSIC, *SHIRT, MUG))
    assert dict(job.left_out) == {
        "Google Shopping / Gender": 1, "Variant Inventory Qty": 2,
        "Variant Compare At Price (not above the price)": 1,
    }  # fmt: skip


def test_a_later_shopify_export_lists_its_markets_and_metafields() -> None:
    row = {
        **{name: value for name, value in SHIRT[0].items() if name in LATER},
        "Product Category": "Apparel > Clothing", "Option1 Linked To": "product.metafields.x",
        "Included / United States": "true", "Price / United States": "21",
        "Colour (product.metafields.shopify.color-pattern)": "blue",
    }  # fmt: skip
    other = {**MUG, "Product Category": "Home > Kitchen"}
    job = imported(file_of(LATER, row, other))
    assert shown("mug")["category"] == "Home > Kitchen"
    assert shown("shirt")["category"] == "Shirts"
    assert dict(job.left_out) == {
        "Colour (product.metafields.shopify.color-pattern)": 1, "Google Shopping / Gender": 1,
        "Included / United States": 1, "Option1 Linked To": 1, "Price / United States": 1,
        "Product Category": 1,
    }  # fmt: skip


def test_rows_of_a_product_that_stand_apart_are_named_with_their_lines() -> None:
    apart = file_of(CLASSIC, SHIRT[0], MUG, SHIRT[1], {"Title": "Nobody", "Variant Price": "1"})
    job = bring(apart)
    assert counts(job) == (3, 0, 0, 2)
    [(first, _, _, why), (second, _, _, nobody)] = problems(job)
    assert (first, second) == (4, 5)
    assert why == (
        "The row has the handle “shirt” and no title, so it goes on with a product whose first "
        "row is not right above. Put the rows of a product together."
    )
    assert nobody == ("The row has no handle, so it belongs to no product. Give it its handle.")


def test_a_handle_that_begins_again_is_a_key_that_stands_twice() -> None:
    job = bring(file_of(CLASSIC, MUG, SHIRT[0], {**MUG, "Variant Price": "6"}))
    assert [(line, message) for line, column, _, message in problems(job) if column == "SKU"] == [
        (2, "“mug” stands in more than one row. Keep one of these rows."),
        (4, "“mug” stands in more than one row. Keep one of these rows."),
    ]


def test_a_row_that_cannot_be_read_does_not_tear_its_product_apart() -> None:
    lines = file_of(CLASSIC, *SHIRT).split("\r\n")
    job = bring("\r\n".join([lines[0], lines[1], "shirt,,,", *lines[2:]]))
    assert counts(job) == (3, 0, 0, 1)
    assert [line for line, *_rest in problems(job)] == [3]


def test_a_product_of_endless_rows_does_not_fill_the_memory() -> None:
    rows = [{**SHIRT[0], "Variant SKU": f"S-{n}"} for n in range(LONGEST_GROUP + 2)]
    job = bring(
        file_of(CLASSIC, *({**row, "Title": "" if n else "Shirt"} for n, row in enumerate(rows)))
    )
    assert counts(job) == (LONGEST_GROUP + 1, 0, 0, 2)


def test_a_handle_longer_than_a_sku_gives_the_same_sku_each_time() -> None:
    content = file_of(CLASSIC, {**MUG, "Handle": "a-very-long-handle-" * 6})
    imported(content)
    [sku] = Product.objects.values_list("sku", flat=True)
    assert (len(sku), sku[:55]) == (64, ("a-very-long-handle-" * 6)[:55])
    assert counts(bring(content)) == (0, 0, 1, 0)


def test_a_file_can_be_read_as_a_plain_table_instead_and_back() -> None:
    job = bring(file_of(CLASSIC, *SHIRT, MUG))
    plain = read_by_format(job=job, source_format="plain")
    assert (plain.source_format, plain.header, plain.left_out) == ("plain", CLASSIC, [])
    assert (plain.rows, plain.mapping["sku"]) == (4, CLASSIC.index("Variant SKU"))
    again = read_by_format(job=plain, source_format="shopify")
    assert (counts(again), again.header[0]) == ((4, 0, 0, 0), "sku")
    apply(again)
    expect_the_shirt()


@pytest.mark.parametrize("header", INVENTORY_LAYOUTS, ids=["a", "b", "c"])
def test_an_inventory_file_is_refused_in_words(header: Sequence[str]) -> None:
    with pytest.raises(FileRefused, match="This is a Shopify inventory file: it holds quantities"):
        bring(file_of(header, {"Handle": "mug", "Title": "Mug", "SKU": "M-1"}))
    assert not ImportJob.objects.exists()


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("Email,First Name,Last Name,Company,City,Tags", r"customers or suppliers \(Email, First"),
        ("Name,Email,Financial Status,Lineitem name,Lineitem price", r"orders \(Financial Status"),
    ],
)
def test_people_and_orders_brought_to_products_are_told_so(header: str, said: str) -> None:
    with pytest.raises(FileRefused, match=f"This looks like a list of {said}"):
        bring(f"{header}\n" + ",".join("x" for _ in header.split(",")) + "\n")


def test_a_list_of_products_with_addresses_is_one_if_it_has_skus() -> None:
    job = bring(table(["sku", "name", "price", "company", "phone", "city", "country"],
                      ["A-1", "Lamp", "3", "Acme", "1", "Kiel", "DE"]))  # fmt: skip
    assert counts(job) == (1, 0, 0, 0)
