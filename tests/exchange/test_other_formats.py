"""Files of WooCommerce and Vendure, read product by product."""

from decimal import Decimal
from typing import Any

import pytest

from inventory.models import Category, Product

from .files import apply, bring, counts, imported, problems
from .shops import (
    VENDURE,
    WOOCOMMERCE,
    file_of,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_work")]


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


def test_woocommerce_variations_find_their_parents_wherever_those_stand() -> None:
    red = {
        "ID": "11", "Type": "variation", "SKU": "TEE-R", "Name": "Tee - Red", "Published": "1",
        "Regular price": "12.5", "Tax class": "parent", "Parent": "TEE",
        "Attribute 1 name": "Colour", "Attribute 1 value(s)": "Red",
        "Attribute 2 name": "Size", "Attribute 2 value(s)": "",
    }  # fmt: skip
    by_id = {**red, "ID": "12", "SKU": "", "Parent": "id:10", "Regular price": "15",
             "Sale price": "9", "Attribute 1 value(s)": "Blue", "Name": "Tee - Blue"}  # fmt: skip
    tee = {
        "ID": "10", "Type": "variable", "SKU": "TEE", "Name": "Tee", "Published": "1",
        "Categories": "Sale, Clothing > Tees, Clothing", "Tags": "summer, soft", "Brands": "Acme",
        "GTIN, UPC, EAN, or ISBN": "4006381333931", "Tax class": "reduced-rate",
        "Images": "https://a.example/1.jpg, https://a.example/x\\,y.jpg, https://a.example/2.jpg",
        "Attribute 1 name": "Colour", "Attribute 1 value(s)": "Red, Blue", "Stock": "3",
        "Weight (kg)": "0.2", "Is featured?": "1", "Short description": "Short",
    }  # fmt: skip
    content = file_of(WOOCOMMERCE, red, by_id, tee)
    job = imported(content)
    assert (job.source_format, counts(job)) == ("woocommerce", (3, 0, 0, 0))
    parent = shown("TEE")
    assert (parent["price"], parent["compare"], parent["category"]) == (9, 15, "Clothing > Tees")
    assert parent["images"] == [
        ("https://a.example/1.jpg", ""), ("https://a.example/x,y.jpg", ""),
        ("https://a.example/2.jpg", ""),
    ]  # fmt: skip
    assert (parent["barcode"], parent["weight"], parent["unit"]) == (
        "4006381333931", Decimal("0.2"), "kg",
    )  # fmt: skip
    assert Product.objects.get(sku="TEE").is_featured
    for sku, colour in (("TEE-R", "Red"), ("id:12", "Blue")):
        variant = shown(sku)
        assert (variant["parent"], variant["options"]) == ("TEE", {"Colour": colour})
        assert (variant["category"], variant["brand"]) == ("Clothing > Tees", "Acme")
        assert Product.objects.get(sku=sku).tax_class == "reduced"
    # "Clothing" lies on the way to "Clothing > Tees", "Sale" does not.
    assert dict(job.left_out) == {"Categories (further ones)": 1, "Stock": 1}
    assert sorted(Category.objects.values_list("path", flat=True)) == [
        "Clothing", "Clothing > Tees",
    ]  # fmt: skip
    assert counts(bring(content)) == (0, 0, 3, 0)


def test_woocommerce_rows_without_a_parent_or_a_price_are_named() -> None:
    lost = {"ID": "1", "Type": "variation", "SKU": "V", "Name": "V", "Published": "1",
            "Regular price": "2"}  # fmt: skip
    sale = {"ID": "3", "Type": "simple, virtual", "SKU": "S", "Name": "S", "Published": "-1",
            "Regular price": "8", "Sale price": "6", "Date sale price starts": "2026-01-01",
            "Tax status": "none"}  # fmt: skip
    grouped = {"ID": "4", "Type": "grouped", "SKU": "G", "Name": "G", "Published": "1"}
    job = bring(file_of(WOOCOMMERCE, lost, {**lost, "ID": "2", "SKU": "W", "Parent": "nobody"},
                        sale, grouped))  # fmt: skip
    assert [(line, message) for line, _, _, message in problems(job)] == [
        (2, "The variation names no parent. Put the parent's SKU into Parent."),
        (3, "There is no “nobody”. Correct the name, or add it first."),
    ]
    assert dict(job.left_out) == {
        "Sale price (for a time only)": 1, "Date sale price starts": 1, "Type (virtual)": 1,
        "Type (grouped: a list of other products)": 1,
    }  # fmt: skip
    apply(job, valid_rows_only=True)
    product = Product.objects.get(sku="S")
    assert (product.price, product.is_active, product.tax_class) == (8, False, "zero")


def test_vendure_variants_belong_to_the_name_above() -> None:
    content = file_of(
        VENDURE,
        {"name": "Laptop ", "slug": "laptop", "description": "Thin", "assets": "a.jpg|https://a.example/b.jpg",
         "facets": "category:Electronics|category:Computers|brand:Apple|colour:grey",
         "optionGroups": "Screen|RAM", "optionValues": " 13 inch | 8GB ", "sku": "L-13",
         "price": "1299.00", "taxCategory": "standard", "stockOnHand": "100"},
        {"optionValues": "15 inch|16GB", "sku": "L-15", "price": "1899.5", "taxCategory": "odd"},
        {"name": "Ball", "slug": "ball", "sku": "B-1", "price": "4", "assets": "ball.jpg"},
    )  # fmt: skip
    job = imported(content)
    assert (job.source_format, counts(job)) == ("vendure", (4, 0, 0, 0))
    laptop = shown("laptop")
    assert (laptop["name"], laptop["brand"], laptop["category"]) == (
        "Laptop", "Apple", "Electronics",
    )  # fmt: skip
    assert (laptop["price"], laptop["tags"]) == (1299, ["grey"])
    assert laptop["images"] == [("https://a.example/b.jpg", "")]
    assert shown("L-15")["options"] == {"Screen": "15 inch", "RAM": "16GB"}
    assert (shown("B-1")["parent"], shown("B-1")["slug"]) == ("", "ball")
    assert dict(job.left_out) == {
        "assets (a file's name, no address)": 2, "facets (a further category)": 1,
        "stockOnHand": 1, "taxCategory (no such tax class)": 1,
    }  # fmt: skip
    assert counts(bring(content)) == (0, 0, 4, 0)
