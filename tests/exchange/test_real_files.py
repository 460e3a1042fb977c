"""Files as published by others: each goes in, or is refused in words that help."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from backoffice.exchange.exceptions import FileRefused, MappingRefused
from backoffice.exchange.models import ImportJob
from backoffice.exchange.read_as import known_names
from backoffice.exchange.reading import detect, read_rows, unpacked
from backoffice.exchange.resources import get_resource
from backoffice.exchange.services import apply_import, import_file, map_columns
from inventory.models import Category, Product

from .files import counts, problems
from .real import DATA, started

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("at_work"),
    pytest.mark.skipif(not DATA.is_dir(), reason="the files of others are not there"),
]


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


def test_a_file_whose_rows_lack_cells_names_each_of_them(settings: Any) -> None:
    settings.CURRENCY = "USD"
    job = started("spree-ragged.csv")
    assert counts(job) == (2, 0, 0, 15)
    ragged = [line for line, column, *_rest in problems(job) if column == ""]
    assert ragged == [*range(3, 13), *range(14, 19)]
    assert job.summary["problems"] == {"row:too_few_cells": 15}


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
