"""Files as published by others: each goes in, or is refused in words that help."""

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from backoffice.exchange.exceptions import MappingRefused
from backoffice.exchange.models import ImportJob
from backoffice.exchange.resources import get_resource
from backoffice.exchange.services import import_file, start_import
from inventory.models import Category, Product

from .files import counts, problems

DATA = Path(__file__).parent.parent.parent.parent / "shared" / "data"

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("at_work"),
    pytest.mark.skipif(not DATA.is_dir(), reason="the files of others are not there"),
]


def started(name: str) -> ImportJob:
    with (DATA / name).open("rb") as file:
        return start_import(resource="products", file=file, file_name=name, user=None)


def mapped(job: ImportJob) -> dict[str, str]:
    return {job.header[index]: target for target, index in job.mapping.items()}


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


def test_a_file_whose_rows_lack_cells_names_each_of_them() -> None:
    job = started("spree-ragged.csv")
    assert counts(job) == (0, 0, 0, 17)
    ragged = [line for line, column, *_rest in problems(job) if column == ""]
    assert ragged == [*range(3, 13), *range(14, 19)]
    assert job.summary["problems"]["row:too_few_cells"] == 15


@pytest.mark.parametrize(
    ("name", "rows", "without_sku"),
    [
        ("shopify-apparel.csv", 22, 22),
        ("shopify-jewelery.csv", 41, 41),
        ("shopify-status-column.csv", 21, 21),
        ("medusa-v2-comma.csv", 3, 3),
        ("medusa-v2-semicolon.csv", 3, 3),
    ],
)
def test_a_shop_without_skus_is_told_so_for_every_row(
    name: str, rows: int, without_sku: int
) -> None:
    job = started(name)
    assert (job.rows, counts(job)) == (rows, (0, 0, 0, rows))
    said = Counter(message for _line, column, _value, message in problems(job) if column == "SKU")
    assert said == {"SKU is missing; a new row needs it. Fill it in.": without_sku}


def test_the_same_export_with_two_delimiters_reads_the_same() -> None:
    comma, semicolon = started("medusa-v2-comma.csv"), started("medusa-v2-semicolon.csv")
    assert (comma.delimiter, semicolon.delimiter) == (",", ";")
    assert (comma.header, problems(comma)) == (semicolon.header, problems(semicolon))
    assert len(comma.header) == 56


def test_products_whose_variants_repeat_their_keys_are_refused_row_by_row() -> None:
    job = started("spree-products.csv")
    assert (job.rows, counts(job)) == (211, (0, 0, 0, 211))
    assert {"slug:duplicate", "sku:duplicate"} <= job.summary["problems"].keys()


def test_a_shop_plugins_sample_goes_in_but_for_what_has_no_price() -> None:
    job = started("woocommerce-sample.csv")
    assert mapped(job) == {
        "SKU": "sku",
        "Name": "name",
        "Published": "is_active",
        "Is featured?": "is_featured",
        "Description": "description",
        "Tax class": "tax_class",
        "Regular price": "price",
        "Categories": "category",
        "Tags": "tags",
        "Parent": "variant_of",
    }
    assert counts(job) == (12, 0, 0, 12)
    said = {(column, m.partition("”")[2] or m) for _line, column, _value, m in problems(job)}
    assert said == {
        ("Price", "Price is missing; a new row needs it. Fill it in."),
        ("Tax class", " is not one of: standard, reduced, zero."),
        ("Variant of", " is invalid, so this one cannot be. Correct that row."),
    }  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        "adventureworks-Location.tsv", "adventureworks-Product.tsv",
        "adventureworks-ProductInventory.tsv", "adventureworks-ProductSubcategory.tsv",
        "adventureworks-Vendor.tsv", "northwind-customers.csv", "northwind-order-details.csv",
        "northwind-orders.csv", "northwind-products.csv", "northwind-suppliers.csv",
        "oscar-books-headerless.csv", "spree-customers.csv",
    ],
)  # fmt: skip
def test_what_is_no_list_of_products_by_sku_waits_for_its_columns(name: str) -> None:
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
    headerless = "adventureworks" in path.name or "headerless" in path.name
    job = started(path.name)
    assert job.rows == rows[path.name] - headerless
    assert get_resource(job.resource).key() == "sku"
