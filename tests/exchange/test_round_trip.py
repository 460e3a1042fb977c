"""What goes out comes back as it was: every resource, in every format that comes back in."""

import io
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backoffice.exchange.exporting import export_rows, exportable_columns
from backoffice.exchange.models import ImportJob
from backoffice.exchange.resources import get_resource, resource_names
from backoffice.exchange.services import start_import
from inventory.models import Category, Discount, Product, ProductImage, Tag
from tests.inventory.factories import make_category, make_product, make_tag

from .files import apply, counts

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_work")]

COMES_BACK = ["csv", "xlsx"]


def taken_out(resource: str, file_format: str) -> bytes:
    declared = get_resource(resource)
    rows = declared.model()._default_manager.all()
    return b"".join(export_rows(declared, rows, user=None, file_format=file_format))


def brought(resource: str, content: bytes, file_format: str) -> ImportJob:
    return start_import(
        resource=resource,
        file=io.BytesIO(content),
        file_name=f"{resource}.{file_format}",
        user=None,
    )


def shop() -> None:
    """Something of everything, with what is hard to write down."""
    make_category("Home > Kitchen > Mugs")
    Category.objects.filter(name="Kitchen").update(description="two\nlines, and a 'quote'")
    make_category("=1+1 > -x")
    for name in ("red", "Blue", "+new", "007", "a 'b'"):
        make_tag(name)
    Discount.objects.create(name="-10 %", value=10)
    summer = Discount.objects.create(
        name="Summer", kind="amount", value=Decimal("12.50"), is_active=False,
        starts_at=datetime(2026, 6, 1, 8, 30, tzinfo=UTC),
        ends_at=datetime(2026, 9, 1, 23, 59, 59, 999999, tzinfo=UTC),
    )  # fmt: skip
    parent = Product.objects.create_with_tags(
        sku="007", name=" spaced ", price=Decimal("0.0001"), cost=Decimal("9999999999.9999"),
        description="\tone\r\ntwo\n", brand="=brand", barcode="0012345678905",
        category=Category.objects.get(name="-x"), discount=summer, tags=["red", "+new", "007"],
    )  # fmt: skip
    ProductImage.objects.create(product=parent, url="https://shop.test/a,b.png", alt_text="=a")
    ProductImage.objects.create(product=parent, url="/b.png", position=1)
    make_product(sku="007-M", variant_of=parent, options={"Size": "M", "Größe": " =1 "})
    make_product(
        sku="'quoted'", name="'", compare_at_price=11, weight=Decimal("1.250"), weight_unit="lb"
    )
    make_product(sku="1E5", name="🙂 \u202eשלום", tax_class="zero", is_active=False)


@pytest.mark.parametrize("file_format", COMES_BACK)
@pytest.mark.parametrize("resource", resource_names())
def test_an_export_that_comes_back_changes_nothing(resource: str, file_format: str) -> None:
    shop()
    rows = get_resource(resource).model()._default_manager.count()
    assert rows >= 2, f"the shop of this test has no {resource}"
    content = taken_out(resource, file_format)
    job = brought(resource, content, file_format)
    assert (counts(job), job.conflicts) == ((0, 0, rows, 0), 0)


@pytest.mark.parametrize("resource", resource_names())
def test_the_shop_of_these_tests_fills_every_column(resource: str) -> None:
    """Or the test above would say nothing of a column that nothing stands in."""
    shop()
    lines = taken_out(resource, "jsonl").decode().splitlines()
    filled = {name for line in lines for name, value in json.loads(line).items() if value}
    filled |= {n for n, v in json.loads(lines[0]).items() if isinstance(v, bool)}
    assert filled == set(exportable_columns(get_resource(resource), None))


# Arbitrary tables

# XML has no place for these two, and so neither have workbooks; nothing has one for NUL.
SIGNS = st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufffe\uffff")
NASTY = [
    "", " ", "=1+1", "+1", "-1", "@x", "\t=1", "\r", "\n", "\r\n x", "'", "''", "'=", "' x'",
    "'x '", "007", "1e5", "12,5", '"', '""', ",", ";", "\\.", "\\N", "NULL", "yes",
    "<clear>", "<CLEAR>", "'<clear>", "\x01", "\x0b", "\x1f", "\x7f", "\x85", "\u2028", "\ufeff",
    "\u202eאב", "🙂", "ﬁ", "İ", "ẞ", "_x0041_", "2026-02-03", "1/2/2026", "{}", "[]",
    "4.00638E+12", "'4,00638e+12", "#REF!", "#N/A", "＝1", "\u3000x\u3000",
]  # fmt: skip
# What a spreadsheet made of a long number, and its errors, are no barcode.
RUINED = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?[eE]\+?[0-9]+|#[A-Z/_]+[!?]?")
TEXTS = st.one_of(
    st.sampled_from(NASTY),
    st.text(SIGNS, max_size=40),
    st.lists(st.sampled_from(NASTY), max_size=3).map("".join),
)
NAMES = TEXTS.filter(lambda text: text != "")
# What is recognised by its name is one line without spaces around it, and no list.
WORDS = (
    TEXTS.map(lambda text: " ".join(text.replace(",", "").split()))
    .filter(lambda text: text != "" and text.isprintable() and ">" not in text)
    .map(lambda text: text[:40].strip())
)
AMOUNTS = st.decimals(0, Decimal("9999999999.9999"), places=4)
BARCODES = TEXTS.map(lambda text: text[:32]).filter(lambda text: not RUINED.fullmatch(text))
OPTIONS = st.dictionaries(NAMES, st.one_of(TEXTS, st.integers(), st.booleans()), max_size=2)
ROWS = st.fixed_dictionaries(
    {
        "sku": st.one_of(WORDS, st.just("")),
        "name": NAMES,
        "description": TEXTS,
        "brand": TEXTS,
        "barcode": BARCODES,
        "price": AMOUNTS,
        "raise": st.one_of(st.none(), st.decimals("0.0001", 1000, places=4)),
        "cost": st.one_of(st.none(), AMOUNTS),
        "tax_class": st.sampled_from(Product.TaxClass.values),
        "weight": st.one_of(st.none(), st.decimals(0, 9_999_999, places=3)),
        "weight_unit": st.sampled_from(Product.WeightUnit.values),
        "is_active": st.booleans(),
        "is_featured": st.booleans(),
        "options": OPTIONS,
        "category": st.one_of(
            st.none(), st.lists(WORDS, min_size=1, max_size=2, unique_by=str.lower)
        ),
        "tags": st.lists(WORDS, max_size=2),
        "is_variant": st.booleans(),
    }
)
FIELDS = [
    "sku", "name", "slug", "description", "brand", "barcode", "price", "compare_at_price", "cost",
    "tax_class", "weight", "weight_unit", "is_active", "is_featured", "options", "category__path",
    "variant_of__sku",
]  # fmt: skip


def stand(rows: Sequence[dict[str, Any]]) -> None:
    """Make the products of a table; the first is the parent of its variants."""
    for number, drawn in enumerate(rows):
        row = dict(drawn)
        row["sku"] += f"-{number}"
        more, is_variant = row.pop("raise"), row.pop("is_variant") and number > 0
        if more is not None and row["price"] + more <= Decimal("9999999999.9999"):
            row["compare_at_price"] = row["price"] + more
        row["category"] = make_category(" > ".join(row["category"])) if row["category"] else None
        parent = Product.objects.get(sku=rows[0]["sku"] + "-0") if is_variant else None
        Product.objects.create_with_tags(**row, variant_of=parent)


def standing() -> list[Any]:
    """Every value of every product, as the database has it."""
    products = Product.objects.order_by("sku")
    tags = Tag.objects.values_list("product_tags__product__sku", "name").order_by("pk")
    carried = sorted((sku, name) for sku, name in tags if sku)
    return [*products.values_list(*FIELDS), carried]


def goes_out_and_comes_back(rows: Sequence[dict[str, Any]], file_format: str) -> None:
    with transaction.atomic():  # undone, or the locks on many staging tables would add up
        stand(rows)
        before, content = standing(), taken_out("products", file_format)
        assert counts(brought("products", content, file_format)) == (0, 0, len(rows), 0)
        Product.objects.filter(variant_of__isnull=False).delete()
        Product.objects.all().delete()
        for category in Category.objects.order_by("-path"):
            category.delete()
        Tag.objects.all().delete()
        job = apply(brought("products", content, file_format))
        assert counts(job) == (len(rows), 0, 0, 0)
        assert standing() == before
        transaction.set_rollback(True)


MANY = {
    "derandomize": True,
    "deadline": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}


@settings(max_examples=40, **MANY)  # type: ignore[arg-type]
@given(st.lists(ROWS, min_size=1, max_size=4))
def test_arbitrary_tables_survive_as_text(rows: list[dict[str, Any]]) -> None:
    goes_out_and_comes_back(rows, "csv")


@settings(max_examples=12, **MANY)  # type: ignore[arg-type]
@given(st.lists(ROWS, min_size=1, max_size=4))
def test_arbitrary_tables_survive_as_workbooks(rows: list[dict[str, Any]]) -> None:
    goes_out_and_comes_back(rows, "xlsx")


@pytest.mark.parametrize("file_format", COMES_BACK)
def test_every_nasty_text_survives(file_format: str) -> None:
    for text in NASTY:
        make_product(name=text or "x", description=text, brand=text)
    before, content = standing(), taken_out("products", file_format)
    assert counts(brought("products", content, file_format)) == (0, 0, len(NASTY), 0)
    Product.objects.all().delete()
    apply(brought("products", content, file_format))
    assert standing() == before
