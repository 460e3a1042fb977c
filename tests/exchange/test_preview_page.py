"""The preview on the page of a job: paged, filtered, and as cheap for many rows as for few."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backoffice.accounts.models import User
from inventory.models import Product
from tests.console.pages import page, signed_in
from tests.inventory.factories import make_product

from .files import bring, table
from .pages import the_page

pytestmark = pytest.mark.django_db

ROWS = "sku,name,price,note\nA,Cup,2,x\nB,Mug,2,y\nC,Jug,x,z\n"


@pytest.fixture
def client(catalogue_manager: User) -> Client:
    return signed_in(catalogue_manager)


def lines_of(response: Any) -> list[int]:
    return [row.line for row in response.context["rows"]]


def test_the_preview_is_paged_by_row_and_filtered_by_status(
    client: Client, catalogue_manager: User
) -> None:
    for number in range(3):
        make_product(sku=f"S{number}", name="n", price=1)
    rows = [[f"S{i}", "n", "x" if i % 10 == 9 else "1"] for i in range(120)]
    job = bring(table(["sku", "name", "price"], *rows), user=catalogue_manager)
    assert (job.new, job.unchanged, job.invalid) == (105, 3, 12)
    first = the_page(client, job)
    assert lines_of(first) == list(range(2, 52))
    assert first.context["next_row"] == 50
    second = the_page(client, job, after=50)
    assert (lines_of(second), second.context["next_row"]) == (list(range(52, 102)), 100)
    third = the_page(client, job, after=100)
    assert (lines_of(third), third.context["next_row"]) == (list(range(102, 122)), None)
    assert lines_of(the_page(client, job, after=120)) == []
    assert lines_of(the_page(client, job, status="invalid")) == [i + 2 for i in range(9, 120, 10)]
    assert lines_of(the_page(client, job, status="unchanged")) == [2, 3, 4]
    assert lines_of(the_page(client, job, status="changed")) == []
    new = the_page(client, job, status="new", after=50)
    assert new.context["next_row"] is not None
    assert {row.status for row in new.context["rows"]} == {"new"}


@pytest.mark.parametrize(
    "query",
    [
        {"status": "'; DROP TABLE inventory_product; --"},
        {"status": "new' OR '1'='1"},
        {"after": "1; DROP TABLE inventory_product"},
        {"after": "-1"},
        {"after": "99999999999999999999"},
        {"after": "²"},
        {"after": "1e3"},
        {"status": "\0", "after": "\0"},
    ],
)
def test_nonsense_in_the_address_shows_the_first_page(
    client: Client, catalogue_manager: User, query: dict[str, str]
) -> None:
    job = bring(ROWS, user=catalogue_manager)
    assert lines_of(the_page(client, job, **query)) == [2, 3, 4]
    assert Product.objects.count() == 0


@pytest.mark.parametrize("key", ["99999999999999999999999", "0", "abc", "1%00", "-1"])
def test_jobs_that_cannot_be_are_not_there(client: Client, key: str) -> None:
    base = page("exchange_importjob_changelist")
    assert client.get(f"{base}{key}/change/").status_code == 404
    assert client.post(f"{base}{key}/apply/", {"reason": "x"}).status_code in {404, 302}


def test_the_page_takes_as_many_queries_for_5_rows_as_for_500(
    client: Client, catalogue_manager: User
) -> None:
    def queries(count: int) -> int:
        for number in range(0, count, 2):
            make_product(sku=f"{count}-{number}", name="n", price=1)
        rows = [
            [f"{count}-{i}", "n", "x" if i % 3 == 1 else "2", f"C{i}", f"t{i}"]
            for i in range(count)
        ]
        job = bring(
            table(["sku", "name", "price", "category", "tags"], *rows), user=catalogue_manager
        )
        the_page(client, job)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            the_page(client, job)
        return len(captured)

    few = queries(5)
    assert queries(500) == few
    assert few < 40
