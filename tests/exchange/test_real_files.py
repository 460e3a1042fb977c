"""Files as published by others: each goes in, or is refused in words that help."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import Count

from backoffice.audit.context import Source, audit_context
from backoffice.exchange.exceptions import FileRefused, MappingRefused
from backoffice.exchange.models import ImportJob
from backoffice.exchange.read_as import ReadAs, known_names
from backoffice.exchange.reading import detect, read_rows, unpacked
from backoffice.exchange.resources import get_resource
from backoffice.exchange.services import apply_import, import_file, map_columns, start_import
from inventory.models import Category, Product, ProductImage

from .files import counts, problems

DATA = Path(__file__).parent.parent.parent.parent / "shared" / "data"

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("at_work"),
    pytest.mark.skipif(not DATA.is_dir(), reason="the files of others are not there"),
]


def started(name: str, **said: Any) -> ImportJob:
    with (DATA / name).open("rb") as file:
        return start_import(
            resource="products", file=file, file_name=name, user=None, read_as=ReadAs(**said)
        )


def reported(capsys: pytest.CaptureFixture[str], name: str) -> dict[str, Any]:
    arguments = ["--apply", "--reason", "x", "--json"]
    call_command("import_file", "products", str(DATA / name), *arguments)
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_suppliers_catalogue_goes_in_whole_and_then_changes_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = reported(capsys, "contoso-products.csv")
    assert [first[name] for name in ("rows", "new", "changed", "unchanged", "invalid")] == [
        2517, 2517, 0, 0, 0,
    ]  # fmt: skip
    assert (Product.objects.count(), Category.objects.filter(parent=None).count()) == (2517, 8)
    assert Category.objects.exclude(parent=None).count() == 32
    history = Product.history.count()
    second = reported(capsys, "contoso-products.csv")
    assert [second[name] for name in ("rows", "new", "changed", "unchanged", "invalid")] == [
        2517, 0, 0, 2517, 0,
    ]  # fmt: skip
    assert Product.history.count() == history == 2517
    product = Product.objects.get(sku="0101001")
    assert (product.name, product.brand, product.price, product.cost) == (
        "Contoso 512MB MP3 Player E51 Silver", "Contoso", Decimal("12.99"), Decimal("6.62"),
    )  # fmt: skip
    assert (product.weight, product.weight_unit, str(product.category)) == (
        Decimal("4.8"), "oz", "Audio > MP4&MP3",
    )  # fmt: skip
    assert Product.objects.filter(price=Decimal("22.788")).exists()


def test_what_of_that_catalogue_has_no_home_is_said() -> None:
    job = started("contoso-products.csv")
    left_out = [h for i, h in enumerate(job.header) if i not in job.mapping.values()]
    assert left_out == [
        "ProductKey", "Manufacturer", "Color", "Subcategory Code", "Category Code",
    ]  # fmt: skip


def brought(name: str, **said: Any) -> ImportJob:
    """A file brought in and written as far as it is valid; the same file then changes nothing."""
    with audit_context(source=Source.COMMAND, action="test"):
        job = apply_import(job=started(name, **said), reason="x", valid_rows_only=True)
        again = started(name, **said)
    assert counts(again) == (0, 0, job.new, job.invalid)
    return job


def variants() -> dict[str, int]:
    """How many variants each product has, of those that have any."""
    return dict(
        Product.objects.filter(variants__isnull=False)
        .annotate(number=Count("variants"))
        .values_list("sku", "number")
    )


def images(sku: str) -> list[str]:
    found = Product.objects.get(sku=sku).images.order_by("position")
    return [address.rpartition("/")[2] for address in found.values_list("url", flat=True)]


def tags(sku: str) -> list[str]:
    return sorted(Product.objects.get(sku=sku).tags.values_list("name", flat=True))


def test_a_file_whose_rows_lack_cells_names_each_of_them(settings: Any) -> None:
    settings.CURRENCY = "USD"
    job = started("spree-ragged.csv")
    assert counts(job) == (2, 0, 0, 15)
    ragged = [line for line, column, *_rest in problems(job) if column == ""]
    assert ragged == [*range(3, 13), *range(14, 19)]
    assert job.summary["problems"] == {"row:too_few_cells": 15}


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


def test_a_list_of_products_by_number_goes_in_by_hand() -> None:
    job = started("northwind-products.csv")
    assert job.state == ImportJob.State.UPLOADED
    at = job.header.index
    mapping = {"sku": at("productID"), "name": at("productName"), "price": at("unitPrice")}
    job = map_columns(job=job, mapping=mapping)
    assert counts(job) == (77, 0, 0, 0)
    apply_import(job=job, reason="x")
    assert Product.objects.get(sku="1").name == "Chai"
    assert Product.objects.get(sku="25").name == "NuNuCa Nuß-Nougat-Creme"


def test_books_without_a_header_go_in_by_hand() -> None:
    job = started("oscar-books-headerless.csv")
    assert (job.has_header, job.rows, len(job.header)) == (False, 82, 9)
    fields = ["", "category", "barcode", "name", "description", "brand", "sku", "price", ""]
    mapping = {field: place for place, field in enumerate(fields) if field}
    job = map_columns(job=job, mapping=mapping)
    assert job.new + job.invalid == 82
    apply_import(job=job, reason="x", valid_rows_only=True)
    book = Product.objects.get(sku="9780131103627")
    assert (book.name, book.price, str(book.category)) == (
        "The C Programming Language", Decimal("9.99"),
        "Books > Non-Fiction > Essential programming",
    )  # fmt: skip


def test_a_table_without_a_header_goes_in_by_hand() -> None:
    job = started("adventureworks-Product.tsv")
    assert (job.has_header, job.rows, job.delimiter) == (False, 504, "\t")
    job = map_columns(job=job, mapping={"name": 1, "sku": 2, "cost": 8, "price": 9})
    assert counts(job) == (504, 0, 0, 0)
    apply_import(job=job, reason="x")
    frame = Product.objects.get(sku="FR-R92B-58")
    assert (frame.name, frame.price, frame.cost) == (
        "HL Road Frame - Black, 58", Decimal("1431.5"), Decimal("1059.31"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("northwind-customers.csv", "customers or suppliers (customerID, companyName"),
        ("northwind-suppliers.csv", "customers or suppliers (supplierID, companyName"),
        ("spree-customers.csv", "customers or suppliers (email, first_name"),
        ("northwind-orders.csv", "orders (orderID, orderDate"),
        ("northwind-order-details.csv", "orders (orderID)"),
    ],
)
def test_people_and_orders_are_no_products_and_told_so(name: str, why: str) -> None:
    with pytest.raises(FileRefused) as refused:
        import_file(resource="products", path=DATA / name, reason="x")
    assert str(refused.value).startswith(f"This looks like a list of {why}")
    assert not ImportJob.objects.exists()


@pytest.mark.parametrize(
    "name",
    [
        "adventureworks-Location.tsv", "adventureworks-Product.tsv",
        "adventureworks-ProductInventory.tsv", "adventureworks-ProductSubcategory.tsv",
        "adventureworks-Vendor.tsv", "northwind-products.csv", "oscar-books-headerless.csv",
    ],
)  # fmt: skip
def test_what_has_no_column_of_skus_waits_for_its_columns(name: str) -> None:
    job = started(name)
    assert (job.state, job.rows > 0) == (ImportJob.State.UPLOADED, True)
    with pytest.raises(MappingRefused, match="No column is mapped to “SKU”"):
        import_file(resource="products", path=DATA / name, reason="x")
    assert Product.objects.count() == 0


@pytest.mark.parametrize("path", sorted(DATA.glob("*.[ct]sv")), ids=lambda path: str(path.name))
def test_no_file_is_read_with_fewer_rows_than_it_has(path: Path) -> None:
    """Every row that the file's own README counts is a row here, or the header."""
    rows = {
        "contoso-products.csv": 2517, "shopify-status-column.csv": 21, "shopify-apparel.csv": 22,
        "shopify-jewelery.csv": 41, "woocommerce-sample.csv": 24, "spree-products.csv": 211,
        "spree-customers.csv": 20, "spree-ragged.csv": 17, "medusa-v2-comma.csv": 3,
        "medusa-v2-semicolon.csv": 3, "oscar-books-headerless.csv": 82,
        "adventureworks-Product.tsv": 504, "adventureworks-ProductInventory.tsv": 1069,
        "adventureworks-ProductSubcategory.tsv": 37, "adventureworks-Location.tsv": 14,
        "adventureworks-Vendor.tsv": 104, "northwind-products.csv": 77,
        "northwind-suppliers.csv": 29, "northwind-customers.csv": 91, "northwind-orders.csv": 830,
        "northwind-order-details.csv": 2155,
    }  # fmt: skip
    with path.open("rb") as file, unpacked(file) as source:
        dialect = detect(source, known=known_names(get_resource("products")))
        assert dialect.has_header == (
            "adventureworks" not in path.name and "oscar" not in path.name
        )
        assert sum(1 for _row in read_rows(source, dialect)) == rows[path.name]
