"""Who is at work reaches the database for exactly the writes of that work."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.transaction import TransactionManagementError

from backoffice.accounts.models import User
from backoffice.audit.context import (
    Source,
    announce_context,
    audit_context,
    current_context,
    refine_context,
)
from inventory.models import Product

from .conftest import Record, a_product

HOSTILE = [
    "100 % of %s and %(name)s %%",
    "it's \"quoted\" and ''twice''",
    "back\\slash \\' \\n \\",
    "a backslash before u0000: \\u0000",
    "$$ $1 {0} ; DROP TABLE inventory_product; --",
    "line\nbreak\ttab\r",
    "emoji 🦜 and café, שלום",
    "/* no remark */ -- at all",
]


@pytest.fixture(params=[False, True], ids=["client binding", "server binding"])
def binding(
    request: pytest.FixtureRequest, transactional_db: None
) -> Iterator[BaseDatabaseWrapper]:
    """The default connection, anew, with parameters bound here or by the server."""
    options = connection.settings_dict["OPTIONS"]
    connection.close()
    connection.settings_dict["OPTIONS"] = {**options, "server_side_binding": request.param}
    yield connection
    connection.close()
    connection.settings_dict["OPTIONS"] = options


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_is_recorded_as_it_is(binding: BaseDatabaseWrapper, text: str) -> None:
    record = Record.from_now()
    with (
        audit_context(
            source=Source.SHELL, action=text, reason=text, actor_name=text, request_id=text
        ),
        connection.cursor() as cursor,
    ):
        cursor.execute("INSERT INTO inventory_product (sku, name, price) VALUES ('a', '%', 1)")
        cursor.execute("UPDATE inventory_product SET name = %s", [text])

    inserted, updated = record.change_sets()
    for change_set in (inserted, updated):
        assert change_set.action == change_set.reason == text
        assert change_set.actor_name == change_set.request_id == text
    assert record.told(Product, "name", "history_change_reason") == [
        ("+", "%", text),
        ("~", text, text),
    ]


@pytest.mark.parametrize(
    ("text", "kept"),
    [("nul\0nul", "nulnul"), ("lone \ud800 surrogate", "lone ? surrogate")],
)
def test_what_postgresql_cannot_store_does_not_stop_the_write(
    product: Product, record: Record, text: str, kept: str
) -> None:
    with audit_context(source=Source.SHELL, reason=text):
        Product.objects.update(price=1)

    assert record.told(Product, "history_change_reason") == [("~", kept)]


def test_each_kind_of_statement_carries_the_context(binding: BaseDatabaseWrapper) -> None:
    record = Record.from_now()
    insert = "INSERT INTO inventory_product (sku, name, price) VALUES (%s, 'x', 1)"
    with audit_context(source=Source.TASK, actor_name="worker", reason="orders"):
        with connection.cursor() as cursor:
            cursor.execute(insert + " RETURNING sku", ["a"])
            assert cursor.fetchall() == [("a",)]
            cursor.executemany(insert, [["b"], ["c"]])
            assert cursor.rowcount == 2
            cursor.execute("EXPLAIN ANALYZE UPDATE inventory_product SET price = 2")
            cursor.execute(
                "MERGE INTO inventory_product p USING (VALUES ('a')) v(s) ON p.sku = v.s "
                "WHEN MATCHED THEN UPDATE SET price = 3"
            )
            cursor.execute("WITH x AS (SELECT 1) DELETE FROM inventory_product WHERE sku = 'c'")
            assert cursor.rowcount == 1
        assert Product.objects.filter(sku="b").update(price=4) == 1
        product = a_product("d")
        product.save()
        assert product.pk
        assert [p.sku for p in Product.objects.bulk_create([a_product("e")])] == ["e"]

    assert {change_set.who for change_set in record.change_sets()} == {"worker"}
    assert {change_set.source for change_set in record.change_sets()} == {"task"}
    assert len(record.rows(Product)) == 3 + 3 + 1 + 1 + 1 + 2


@pytest.mark.django_db(transaction=True)
def test_a_read_through_a_server_side_cursor_is_left_alone(product: Product) -> None:
    with (
        audit_context(source=Source.SHELL),
        transaction.atomic(),
        connection.chunked_cursor() as cursor,
    ):
        cursor.execute("WITH found AS (SELECT sku FROM inventory_product) TABLE found")
        assert cursor.fetchall() == [("S-1",)]


@pytest.mark.parametrize("fails", [False, True])
def test_the_context_is_gone_after_its_block(fails: bool, product: Product, record: Record) -> None:
    """In the same transaction, where PostgreSQL still knows what it was told."""
    try:
        with audit_context(source=Source.TASK, actor_name="worker", reason="theirs"):
            Product.objects.update(price=1)
            if fails:
                raise RuntimeError
    except RuntimeError:
        pass
    assert current_context() is None
    Product.objects.update(price=2)

    assert [(s.source, s.actor_name, s.reason) for s in record.change_sets()] == [
        ("task", "worker", "theirs"),
        ("sql", "", ""),
    ]
    assert record.told(Product, "price", "history_change_reason") == [
        ("~", Decimal(1), "theirs"),
        ("~", Decimal(2), None),
    ]


def test_nor_does_a_savepoint_bring_it_back(product: Product, record: Record) -> None:
    with audit_context(source=Source.TASK, actor_name="worker", reason="orders"):
        Product.objects.update(price=1)
    with transaction.atomic():
        Product.objects.update(price=2)
        transaction.set_rollback(True)
    Product.objects.update(price=3)

    assert [(s.source, s.actor_name) for s in record.change_sets()] == [
        ("task", "worker"),
        ("sql", ""),
    ]


@pytest.mark.django_db(transaction=True)
def test_the_next_user_of_a_connection_inherits_nothing(
    product: Product, catalogue_manager: User, warehouse: User
) -> None:
    record = Record.from_now()
    backend = connection.connection
    for user in (catalogue_manager, None, warehouse):
        if user is None:
            Product.objects.update(price=1)
        else:
            with audit_context(source=Source.ADMIN, actor=user), transaction.atomic():
                Product.objects.update(brand=user.email)
    assert connection.connection is backend  # one session served them all

    assert [s.actor_id for s in record.change_sets()] == [catalogue_manager.pk, None, warehouse.pk]


def test_an_inner_block_refines_and_hands_back(product: Product, record: Record) -> None:
    with audit_context(source=Source.ADMIN, actor_name="Ana", request_id="r-1"):
        Product.objects.update(brand="1")
        with audit_context(reason="inner"):
            Product.objects.update(brand="2")
        Product.objects.update(brand="3")
        refine_context(action="Said later")
        Product.objects.update(brand="4")

    assert [(s.actor_name, s.request_id, s.reason, s.action) for s in record.change_sets()] == [
        ("Ana", "r-1", "", ""),
        ("Ana", "r-1", "inner", ""),
        ("Ana", "r-1", "", ""),
        ("Ana", "r-1", "", "Said later"),
    ]


def test_a_reason_that_nobody_is_told_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="No audit context"):
        refine_context(reason="lost")


@pytest.mark.django_db(transaction=True)
def test_announcing_outside_a_transaction_is_an_error() -> None:
    with audit_context(source=Source.SHELL), pytest.raises(TransactionManagementError):
        announce_context(connection)


def test_a_visitor_who_did_not_sign_in_is_nobody(product: Product, record: Record) -> None:
    with audit_context(source=Source.ADMIN, actor=AnonymousUser()):
        Product.objects.update(brand="1")

    (change_set,) = record.change_sets()
    assert (change_set.actor_id, change_set.actor_name) == (None, "")


def test_the_name_of_a_deleted_user_stays(catalogue_manager: User, product: Product) -> None:
    record = Record.from_now()
    key = catalogue_manager.pk
    with audit_context(source=Source.ADMIN, actor=catalogue_manager):
        Product.objects.update(brand="1")
    catalogue_manager.delete()

    change_set = record.change_sets()[0]
    assert (change_set.actor_id, change_set.who) == (
        key,
        "Carla Catalogue <carla@stockbook.test>",
    )
    assert record.told(Product, "history_user_id") == [("~", key)]
