"""A first load makes the indexes after its rows, and leaves them as they were, whatever happens."""

import re
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backoffice.accounts.models import User
from backoffice.exchange import first_load
from backoffice.exchange.applying import Applier
from backoffice.exchange.exceptions import PlanStale
from backoffice.exchange.first_load import indexes_made_afterwards
from backoffice.exchange.models import ImportJob, ImportProgress
from inventory.models import Product
from tests.console.pages import page
from tests.inventory.factories import make_product

from .files import apply, bring, imported
from .pages import the_page

pytestmark = pytest.mark.django_db
THREE = "sku,name,price,variant_of\nA,Cup,1,\nB,Mug,2,A\nC,Jug,3,A\n"


@pytest.fixture(autouse=True)
def _three_rows_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_load, "LEAST_ROWS", 3)


def indexes() -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'inventory_product'"
        )
        return dict(cursor.fetchall())


@pytest.fixture
def while_writing(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """The indexes that are away whenever an import inserts."""
    away: list[set[str]] = []
    insert = Applier._insert
    before = indexes().keys()

    def watched(self: Applier) -> None:
        away.append({*(before - indexes().keys())})
        insert(self)

    monkeypatch.setattr(Applier, "_insert", watched)
    return away


def test_what_only_speeds_reading_up_is_made_after_the_rows(while_writing: Any) -> None:
    before = indexes()
    imported(THREE)
    assert indexes() == before
    names = (
        "name price updated brand barcode inactive featured search created "
        "no_cost no_barcode no_text"
    )
    assert while_writing == [{f"inventory_product_{name}" for name in names.split()}]
    assert Product.objects.filter(variant_of__sku="A").count() == 2
    # The search goes by the index that was made anew.
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")
    assert "inventory_product_search" in Product.objects.search("mug").explain()
    assert [product.sku for product in Product.objects.search("mug")] == ["B"]


def test_where_there_is_a_catalogue_to_read_they_stay(while_writing: Any) -> None:
    make_product(sku="There")
    imported(THREE)
    assert while_writing == [set()]


def test_small_imports_leave_them_alone(while_writing: Any) -> None:
    imported("sku,name,price\nA,Cup,1\nB,Mug,2\n")
    assert while_writing == [set()]


def test_with_a_hundred_new_rows_for_each_that_is_there_it_is_a_first_load(
    while_writing: Any,
) -> None:
    make_product(sku="There")
    rows = "".join(f"S{number},Cup {number},1\n" for number in range(100))
    imported(f"sku,name,price\n{rows}")
    assert len(while_writing[0]) == 12


def test_the_page_of_the_work_asks_nothing_of_the_table(
    client: Client, catalogue_manager: User
) -> None:
    """It would wait, and the bar with it, until the indexes are there again."""
    job = bring(THREE, user=catalogue_manager)
    ImportJob.objects.filter(pk=job.pk).update(state=ImportJob.State.APPLYING)
    ImportProgress.objects.create(job=job)
    client.force_login(catalogue_manager)
    with CaptureQueriesContext(connection) as asked:
        assert "<progress" in the_page(client, job).content.decode()
        assert client.get(page("exchange_importjob_progress", job.pk)).json()["ended"] is False
    texts = [query["sql"] for query in asked.captured_queries]
    assert any('FROM "exchange_importprogress"' in text for text in texts)
    assert not [text for text in texts if re.search(r'(FROM|JOIN) "inventory_product"', text)]


def test_an_index_with_a_mark_of_its_own_stays(while_writing: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("COMMENT ON INDEX inventory_product_price IS 'Ours'")
    imported(THREE)
    assert "inventory_product_price" not in while_writing[0]
    assert "inventory_product_name" in while_writing[0]


def test_who_does_not_own_the_table_goes_the_usual_way() -> None:
    before = indexes()
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE only_writes; GRANT ALL ON inventory_product TO only_writes")
        cursor.execute("SET LOCAL ROLE only_writes")
        with indexes_made_afterwards(Product, 1_000):
            assert indexes() == before
        cursor.execute("RESET ROLE")


@pytest.mark.django_db(transaction=True)
def test_an_error_in_between_leaves_all_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    before = indexes()
    job = bring(THREE)

    def fail(_: Applier) -> None:
        assert indexes().keys() < before.keys()
        raise PlanStale([])

    with monkeypatch.context() as patch:
        patch.setattr(Applier, "_insert", fail)
        with pytest.raises(PlanStale):
            apply(job)
    assert indexes() == before
    assert apply(job).new == 3
    assert indexes() == before


@pytest.mark.django_db(transaction=True)
def test_while_somebody_reads_the_table_nothing_waits_and_all_goes_its_usual_way(
    while_writing: Any,
) -> None:
    job = bring(THREE)
    reader = connections.create_connection("default")
    try:
        with transaction.atomic(), reader.cursor() as cursor:
            cursor.execute("BEGIN; SELECT count(*) FROM inventory_product")
            apply(job)
            with connection.cursor() as own:
                own.execute("SHOW lock_timeout")
                assert own.fetchone() == ("0",)
    finally:
        reader.close()
    assert while_writing == [set()]
    assert Product.objects.count() == 3
