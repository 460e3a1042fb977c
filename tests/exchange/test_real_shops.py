"""Exports of other shops as published: each goes in, with what it has a home for."""

from decimal import Decimal
from typing import Any

import pytest

from inventory.models import Product, ProductImage

from .real import DATA, brought, images, started, tags, variants

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("at_work"),
    pytest.mark.skipif(not DATA.is_dir(), reason="the files of others are not there"),
]


def test_clothes_from_shopify() -> None:
    job = brought("shopify-apparel.csv")
    assert (job.source_format, job.rows, job.invalid) == ("shopify", 23, 0)
    assert (Product.objects.filter(variant_of=None).count(), variants()) == (
        20, {"classic-varsity-top": 3},
    )  # fmt: skip
    large = Product.objects.get(sku="classic-varsity-top-large")
    assert (large.name, large.options, large.price) == (
        "Classic Varsity Top - Large", {"Size": "Large"}, 60,
    )  # fmt: skip
    top = Product.objects.get(sku="classic-varsity-top")
    assert (top.slug, top.price, top.brand, top.is_active) == (
        "classic-varsity-top", 60, "partners-demo", True,
    )  # fmt: skip
    assert (tags("classic-varsity-top"), images("classic-varsity-top")) == (
        ["women"], ["casual-fashion-woman_925x.jpg"],
    )  # fmt: skip
    assert dict(job.left_out) == {
        "Variant Fulfillment Service": 22, "Variant Inventory Policy": 22,
        "Variant Inventory Qty": 22, "Variant Requires Shipping": 22, "Gift Card": 20,
    }  # fmt: skip


def test_jewellery_from_shopify_with_images_in_rows_of_their_own() -> None:
    job = brought("shopify-jewelery.csv")
    assert (job.rows, job.invalid, Product.objects.filter(variant_of=None).count()) == (26, 0, 20)
    assert variants() == {"chain-bracelet": 2, "leather-anchor": 2, "gemstone": 2}
    assert images("leather-anchor") == [
        "anchor-bracelet-mens_925x.jpg", "anchor-bracelet-for-men_925x.jpg",
        "leather-anchor-bracelet-for-men_925x.jpg",
    ]  # fmt: skip
    assert ProductImage.objects.filter(product__variant_of=None).count() == 41
    anchor = Product.objects.get(sku="leather-anchor")
    assert (anchor.price, anchor.compare_at_price, str(anchor.category)) == (55, 85, "Bracelet")
    gold = Product.objects.get(sku="leather-anchor-gold")
    assert (gold.price, gold.options, str(gold.variant_of)) == (
        Decimal("69.99"), {"Color": "Gold"}, str(anchor),
    )  # fmt: skip
    earrings = Product.objects.get(sku="boho-earrings")
    # 28 grams are no exact number of ounces.
    assert (earrings.weight, earrings.weight_unit) == (28, "g")
    assert tags("gemstone") == ["Blue", "Gem", "Purple", "Silver", "Turquoise"]


def test_furniture_from_shopify_with_status_and_cost() -> None:
    job = brought("shopify-status-column.csv")
    assert (job.rows, job.invalid, variants()) == (22, 0, {"gardening-gloves": 2})
    lamp = Product.objects.get(sku="floor-lamp")
    assert (lamp.price, lamp.compare_at_price, lamp.description, str(lamp.category)) == (
        Decimal("69.99"), 85, "<p>Black floor lamp</p>", "Indoor",
    )  # fmt: skip
    prices = Product.objects.filter(sku__startswith="gardening").order_by("sku")
    assert [str(p.price) for p in prices] == ["9.9900", "9.9900", "15.9900"]


def test_prices_in_dollars_are_not_taken_for_euros() -> None:
    job = started("spree-products.csv")
    assert (job.source_format, job.rows, job.new) == ("spree", 124, 0)
    assert job.summary["problems"]["price:other_currency"] == 124


def test_appliances_from_spree_with_prices_in_two_currencies(settings: Any) -> None:
    settings.CURRENCY = "USD"
    job = brought("spree-products.csv")
    assert (job.source_format, job.rows, job.new, job.invalid) == ("spree", 124, 118, 6)
    # Two products of the file have the same SKU; they and their variants are named.
    assert job.summary["problems"] == {"sku:duplicate": 2, "variant_of:invalid_parent": 4}
    machine = Product.objects.get(sku="AUTOMATIC-ESPRESSO-MACHINE")
    assert (machine.price, str(machine.category), machine.variants.count()) == (
        Decimal("879.99"), "Kitchen > Coffee Machines", 3,
    )  # fmt: skip
    black = Product.objects.get(sku="AUTOMATIC-ESPRESSO-MACHINE-MATTE-BLACK")
    assert (black.price, black.compare_at_price, black.options) == (
        Decimal("879.99"), None, {"Color": "Matte Black"},
    )  # fmt: skip
    assert (black.weight, black.weight_unit) == (Decimal("19.8"), "lb")
    assert tags("DRIP-COFFEE-MAKER") == [
        "12-cup", "coffee", "coffee machines", "drip coffee", "kitchen", "programmable",
    ]  # fmt: skip
    left_out = dict(job.left_out)
    assert (left_out["price (EUR)"], left_out["inventory_count"], left_out["meta_title"]) == (
        87, 87, 37,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["medusa-v2-comma.csv", "medusa-v2-semicolon.csv"])
def test_the_same_medusa_export_with_two_delimiters_reads_the_same(name: str) -> None:
    job = brought(name)
    assert (job.source_format, job.rows, job.invalid) == ("medusa", 5, 0)
    assert variants() == {"base-product": 2, "proposed-product": 1}
    base = Product.objects.get(sku="base-product")
    assert (base.description, base.is_active, base.price) == (
        "test-product-description\ntest line 2", False, 45,
    )  # fmt: skip
    small = Product.objects.get(sku="base-product-small-green")
    assert (small.price, small.options) == (65, {"size": "small", "color": "green"})
    assert tags("base-product") == ["123", "456"]
    left_out = dict(job.left_out)
    assert (left_out["Variant Price USD"], left_out["Variant Price DKK"]) == (3, 3)
    assert left_out["Product Image (a file's name, no address)"] == 4


def test_a_shop_plugins_sample_goes_in() -> None:
    job = brought("woocommerce-sample.csv")
    assert (job.source_format, job.rows, job.invalid) == ("woocommerce", 23, 0)
    assert variants() == {"cc-tee": 3, "cc-hoodie": 6}
    hoodie = Product.objects.get(sku="cc-hoodie")
    assert (hoodie.price, hoodie.compare_at_price, str(hoodie.category)) == (
        42, 45, "Clothing > Hoodies",
    )  # fmt: skip
    red = Product.objects.get(sku="cc-hoodie-red")
    assert (red.price, red.compare_at_price, red.options, str(red.category)) == (
        42, 45, {"Color": "Red", "Logo": "No"}, "Clothing > Hoodies",
    )  # fmt: skip
    assert Product.objects.get(sku="cc-t-shirt-blue").options == {"Color": "Blue"}
    assert images("cc-tee") == ["t-shirt-green.png", "t-shirt-blue.png", "t-shirt-red.png"]
    left_out = dict(job.left_out)
    assert left_out["Type (grouped: a list of other products)"] == 1
    assert (left_out["Short description"], left_out["External URL"]) == (14, 1)
