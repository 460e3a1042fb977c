"""Files that nobody means well with, and files that nobody has looked at."""

import contextlib
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from backoffice.accounts.models import User
from backoffice.exchange.exceptions import ExchangeError
from backoffice.exchange.models import ImportJob
from backoffice.exchange.reading import DELIMITERS, ENCODINGS
from backoffice.exchange.services import map_columns
from inventory.models import Category, Product, Tag
from tests.inventory.factories import make_product

from .files import apply, bring, cells, counts, imported, problems, statuses, table

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_work")]

FUZZ = settings(
    max_examples=80,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
INJECTIONS = [
    "'; DROP TABLE inventory_product; --",
    '"; DROP TABLE inventory_product; --',
    "') ; DELETE FROM inventory_product; --",
    "$$; DROP TABLE inventory_product; $$",
    "\\'; DROP TABLE inventory_product; --",
    '%s %(x)s %% {} {0} {rows} § r.c0 s."v_sku"',
    "E'\\x27'; SELECT pg_sleep(10); --",
    "\\.",
    "\\N",
    "NULL",
]  # fmt: skip


def tried(content: bytes, **said: Any) -> None:
    """Bring a file in as far as it goes; nothing but an ExchangeError may stop it.

    All of it is undone, or the locks on the staging tables of many files would add up.
    """
    with contextlib.suppress(ExchangeError), transaction.atomic():
        job = bring(content, **said)
        if job.state == ImportJob.State.UPLOADED:
            targets = ["sku", "name", "price", "category", "tags", "options", "variant_of"]
            mapping = dict(zip(targets, range(len(job.header)), strict=False))
            job = map_columns(job=job, mapping=mapping)
        assert job.rows == sum(counts(job)) == len(statuses(job))
        assert len({line for line, *_rest in problems(job)}) == job.invalid
        apply(job, valid_rows_only=True)
        transaction.set_rollback(True)


@FUZZ
@given(st.binary(max_size=400), st.sampled_from(["", *ENCODINGS]))
@example(b"\xff\xfe\x00", "")
@example(b"\xff\xfe\x00\x00", "")
@example(b"\xef\xbb\xbf", "")
@example(b"\xfe\xff\xd8\x00", "")
@example(b"sep=", "")
@example(b'"', "")
@example(b"\r\n\r\r\n\n\r", "")
@example(b"a" * 100_001, "")
def test_any_bytes_are_a_job_or_a_refusal(content: bytes, encoding: str) -> None:
    tried(content, encoding=encoding)


CELLS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.sampled_from(
        ["", "A", "a", "B", "1", "-1", "1.5", "NaN", "1e400", "0" * 200, "yes", "{}", "[]",
         '{"a":1}', "A > B", ">", "x,y", "'=A", "=A", "standard", "kg", '"', "\n", "4E12",
         "ſ", "İ", "ß", "Σς"]
    ),
)  # fmt: skip
COLUMNS = [
    "sku", "name", "slug", "description", "brand", "barcode", "price", "compare_at_price", "cost",
    "tax_class", "weight", "weight_unit", "is_active", "is_featured", "discount", "category",
    "subcategory", "tags", "variant_of", "options", "other",
]  # fmt: skip


@FUZZ
@given(st.data(), st.sampled_from(DELIMITERS), st.booleans())
def test_any_table_is_a_job_or_a_refusal(data: Any, delimiter: str, quoted: bool) -> None:
    chosen = data.draw(st.lists(st.sampled_from(COLUMNS[1:]), max_size=6, unique=True))
    header = ["sku", "name", "price", *(c for c in chosen if c not in {"name", "price"})]
    good = [f"S{data.draw(st.integers(0, 3))}", "Name", "1"]
    extra = st.lists(CELLS, min_size=len(header) - 3, max_size=len(header) - 3)
    any_row = st.lists(CELLS, min_size=len(header) - 1, max_size=len(header) + 1)
    rows = data.draw(st.lists(st.one_of(extra.map(lambda c: [*good, *c]), any_row), max_size=6))
    if quoted:
        rows = [['"' + cell.replace('"', '""') + '"' for cell in row] for row in rows]
    tried(table(header, *rows, delimiter=delimiter).encode())


@pytest.mark.parametrize("nasty", INJECTIONS)
def test_statements_in_cells_are_texts(nasty: str) -> None:
    quoted = '"' + nasty.replace('"', '""') + '"'
    job = imported(
        f"sku,name,price,category,tags,description\n{quoted},{quoted},1,{quoted},{quoted},{quoted}\n"
    )
    assert counts(job) == (1, 0, 0, 0)
    product = Product.objects.get()
    assert (product.sku, product.name, product.description) == (nasty, nasty, nasty)
    assert product.category is not None
    assert product.category.name == " ".join(nasty.split())
    assert [tag.name for tag in product.tags.all()] == [nasty]


@pytest.mark.parametrize("nasty", INJECTIONS)
def test_statements_in_wrong_cells_are_shown_as_they_are(nasty: str) -> None:
    make_product(sku="LIVE")
    quoted = '"' + nasty.replace('"', '""') + '"'
    columns = ["price", "is_active", "tax_class", "options", "weight_unit", "discount"]
    header = ["sku", "name", *columns]
    job = bring(table(header, ["A", "a", *[quoted] * len(columns)]))
    found = problems(job)
    assert {value for _line, _column, value, _message in found} == {nasty}
    assert len(found) == len(columns)
    assert all(nasty[:50] in message for *_rest, message in found)
    assert Product.objects.count() == 1


@pytest.mark.parametrize("nasty", INJECTIONS)
def test_statements_in_headers_and_file_names_are_texts(
    nasty: str, catalogue_manager: User
) -> None:
    quoted = '"' + nasty.replace('"', '""') + '"'
    job = bring(
        f"sku,name,price,{quoted},{quoted}\nA,a,1,x,y\n", name=nasty, user=catalogue_manager
    )
    assert job.header == ["sku", "name", "price", f"{nasty} (4)", f"{nasty} (5)"]
    job = apply(job, reason=nasty)
    assert job.change_set is not None
    assert job.change_set.reason == nasty
    assert Product.objects.count() == 1


def test_a_target_named_by_a_statement_is_no_target() -> None:
    job = bring("sku,name,price\nA,a,1\n")
    for nasty in INJECTIONS:
        with pytest.raises(ExchangeError):
            map_columns(job=job, mapping={"sku": 0, nasty: 1})
    assert Product.objects.count() == 0


def test_fields_that_the_resource_does_not_have_cannot_be_reached() -> None:
    """Mass assignment: a header may name any column of the table, and it is left out."""
    product = make_product(sku="A", name="a", price=1)
    before = Product.objects.values().get()
    hidden = [
        "id",
        "version",
        "created_by",
        "created_by_id",
        "created_at",
        "updated_at",
        "category_id",
    ]
    job = imported(table(["sku", "name", "price", *hidden], ["A", "a", "1", *["7"] * len(hidden)]))
    assert counts(job) == (0, 0, 1, 0)
    assert Product.objects.values().get(pk=product.pk) == before
    # The version is compared, and never written.
    assert set(job.mapping) == {"sku", "name", "price", "version"}


def test_three_hundred_columns_and_one_more() -> None:
    header = ["sku", "name", "price", *(f"x{i}" for i in range(297))]
    assert counts(bring(table(header, ["A", "a", "1", *["y"] * 297]))) == (1, 0, 0, 0)
    with pytest.raises(ExchangeError, match="301 columns"):
        bring(table([*header, "z"], []))


def test_names_that_nothing_tells_apart_but_their_case_are_one() -> None:
    imported('sku,name,price,tags,category\nA,a,1,"ÉTÉ,été",Été\nB,b,1,Été,ÉTÉ\n')
    assert (Tag.objects.count(), Category.objects.count()) == (1, 1)


def test_a_cell_of_a_hundred_thousand_signs_goes_in_whole() -> None:
    text = "ä" * 100_000
    imported(f"sku,name,price,description\nA,a,1,{text}\n")
    assert Product.objects.get().description == text
    [row] = cells(bring("sku,name,price\nA,a,2\n"))
    assert row["Price"] == "2.00"
