"""Rows out as CSV, safe in a spreadsheet, and back in as they were."""

import csv
import io
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from backoffice.exchange.exporting import export_rows
from backoffice.exchange.resources import get_resource
from inventory.models import Discount, Product
from tests.inventory.factories import make_category, make_product

from .files import bring, counts, imported

pytestmark = pytest.mark.django_db

HEADER = (
    "sku,name,slug,description,brand,barcode,price,compare_at_price,cost,tax_class,weight,"
    "weight_unit,is_active,is_featured,discount,category,tags,variant_of,options,images,"
    "image_alt_texts,version"
)
BOM = b"\xef\xbb\xbf"


def exported(rows: Any = None) -> bytes:
    rows = Product.objects.all() if rows is None else rows
    return b"".join(export_rows(get_resource("products"), rows, user=None))


def read(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def full_product() -> Product:
    product: Product = Product.objects.create_with_tags(
        sku="A-1",
        name='Cup, "large"',
        description="two\nlines",
        brand="Äcme",
        barcode="0012345678905",
        price=Decimal("12.5000"),
        compare_at_price=Decimal(15),
        cost=Decimal("6.6250"),
        tax_class="reduced",
        weight=Decimal("0.350"),
        weight_unit="lb",
        is_active=False,
        is_featured=True,
        discount=Discount.objects.create(name="Summer", value=10),
        category=make_category("Home > Kitchen"),
        variant_of=make_product(sku="P", name="Parent", price=0),
        options={"Size": "L"},
        tags=["red", "Blue"],
    )
    return product


def test_the_file_is_exact() -> None:
    full_product()
    assert (
        exported()
        == BOM
        + (
            HEADER + "\n"
            'P,Parent,parent,"","","",0,,,standard,,kg,yes,no,,,,,,,,1-dsjtdp\n'
            'A-1,"Cup, ""large""",cup-large,"two\nlines",Äcme,0012345678905,12.5,15,6.6250,reduced,'
            '0.35,lb,no,yes,Summer,Home > Kitchen,"Blue, red",P,"{""Size"": ""L""}",,,1-lghsmt\n'
        ).encode()
    )


def test_no_rows_leave_the_header_alone() -> None:
    make_product()
    nothing = BOM + HEADER.encode() + b"\n"
    assert exported(Product.objects.none()) == nothing
    assert exported(Product.objects.filter(pk__in=[])) == nothing


def test_an_export_changes_nothing_when_it_comes_back() -> None:
    full_product()
    assert counts(bring(exported())) == (0, 0, 2, 0)


def test_an_export_makes_the_same_catalogue_elsewhere() -> None:
    full_product()
    content = exported()
    Product.objects.filter(variant_of__isnull=False).delete()
    Product.objects.all().delete()
    assert counts(imported(content)) == (2, 0, 0, 0)
    assert exported() == content


DANGEROUS = [
    *(f"{sign}1+1" for sign in "=+-@\t\r＝＋－＠"),
    *(f"{quotes}{sign}x" for quotes in ("'", "''", "'''") for sign in "=-@"),
    '=HYPERLINK("http://x","y")', "-2+3+cmd|' /C calc'!A0",
]  # fmt: skip
HARMLESS = ["'", "''", "'tis", "a=b", "1-2", "x'=y", '"=x"', "=".join("ab"), "«=»"]


@pytest.mark.parametrize("text", DANGEROUS)
def test_what_a_spreadsheet_would_run_gets_a_quote_and_loses_it_on_the_way_back(text: str) -> None:
    make_product(sku="A", name=text, brand=text)
    [row] = read(exported())
    assert (row["name"], row["brand"]) == (f"'{text}", f"'{text}")
    assert counts(bring(exported())) == (0, 0, 1, 0)
    Product.objects.all().delete()
    imported(exported_before := BOM + f"sku,name,price\nA,{_quoted(f"'{text}")},1\n".encode())
    assert Product.objects.get().name == text, exported_before


@pytest.mark.parametrize("text", HARMLESS)
def test_other_texts_are_left_alone(text: str) -> None:
    make_product(sku="A", name=text)
    assert read(exported())[0]["name"] == text
    assert counts(bring(exported())) == (0, 0, 1, 0)


def test_relations_and_lists_are_escaped_and_come_back_too() -> None:
    Product.objects.create_with_tags(
        sku="=A",
        name="a",
        price=1,
        slug="-a",
        category=make_category("@home > =x"),
        discount=Discount.objects.create(name="-10 %", value=10),
        tags=["+new", "=old"],
    )
    make_product(sku="B", variant_of=Product.objects.get())
    first, second = read(exported())
    assert {first[n][0] for n in ("sku", "slug", "category", "discount", "tags")} == {"'"}
    assert second["variant_of"] == "'=A"
    job = bring(exported())
    assert counts(job) == (0, 0, 2, 0)
    assert job.summary["creates"] == {}


def test_numbers_stay_numbers() -> None:
    make_product(price=Decimal("0.0001"), cost=Decimal("1234567890.1234"), weight=Decimal("1.5"))
    [row] = read(exported())
    assert (row["price"], row["cost"], row["weight"]) == ("0.0001", "1234567890.1234", "1.5")


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


TEXTS = (
    st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40
    )
    .filter(lambda text: text == text.strip())
    .filter(lambda text: text.strip() != "")
)


@settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(TEXTS, TEXTS)
@example("\\.", "\\N")
@example('",\r\n"', "'\u2028=")
@example("🙂\u202e", "\ufeff=x\ufeff")
def test_any_text_goes_out_and_comes_back(name: str, description: str) -> None:
    with transaction.atomic():  # undone, or the locks on many staging tables would add up
        product = make_product(name=name, description=description, brand=name[:20].strip())
        rows = Product.objects.filter(pk=product.pk)
        content = exported(rows)
        assert counts(bring(content)) == (0, 0, 1, 0)
        rows.delete()
        assert counts(imported(content)) == (1, 0, 0, 0)
        back = Product.objects.get(sku=product.sku)
        assert (back.name, back.description) == (name, description)
        transaction.set_rollback(True)
