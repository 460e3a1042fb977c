"""Every way to write leaves exactly the rows that it should, and nothing else does."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F

from backoffice.accounts.models import User
from backoffice.audit.context import Source, announce_context, audit_context
from inventory.models import Category, Product, ProductImage, ProductTag, Tag

from .conftest import Record, a_product

INSERT = "INSERT INTO inventory_product (sku, name, price) VALUES (%s, %s, %s)"


@pytest.fixture
def work(catalogue_manager: User) -> Any:
    """What the tests write in: the catalogue manager, with a reason."""
    return audit_context(
        source=Source.ADMIN, actor=catalogue_manager, action="Testing", reason="to see it"
    )


def one_change_set_by(record: Record, user: User) -> None:
    """All that was written is in one change set, and says who and why in both places."""
    (change_set,) = record.change_sets()
    assert change_set.actor_id == user.pk
    assert change_set.actor_name == f"{user.get_full_name()} <{user.email}>"
    assert (change_set.source, change_set.action) == ("admin", "Testing")
    assert change_set.reason == "to see it"
    for model in record.last:
        for row in record.rows(model):
            assert row.change_set_id == change_set.pk
            assert row.history_user_id == user.pk
            assert row.history_change_reason == "to see it"


def test_save_adds_and_changes(work: Any, record: Record, catalogue_manager: User) -> None:
    with work:
        product = a_product()
        product.save()
        product.price = Decimal("12.50")
        product.save()

    assert record.told(Product, "id", "price") == [
        ("+", product.pk, Decimal("10.00")),
        ("~", product.pk, Decimal("12.50")),
    ]
    one_change_set_by(record, catalogue_manager)


def test_update_records_each_row_that_changed(
    work: Any, product: Product, record: Record, catalogue_manager: User
) -> None:
    with work:
        Product.objects.bulk_create([a_product("S-2", price=Decimal(5)), a_product("S-3")])
        assert Product.objects.filter(price__gt=5).update(price=F("price") + 1) == 2
        # Two match, and only one is not so already.
        assert Product.objects.filter(sku__in=["S-1", "S-2"]).update(price=Decimal(5)) == 2

    assert record.told(Product, "sku", "price") == [
        ("+", "S-2", Decimal(5)),
        ("+", "S-3", Decimal(10)),
        ("~", "S-1", Decimal(5)),
        ("~", "S-1", Decimal(11)),
        ("~", "S-3", Decimal(11)),
    ]
    one_change_set_by(record, catalogue_manager)


def test_bulk_update(work: Any, product: Product, record: Record, catalogue_manager: User) -> None:
    with work:
        others = Product.objects.bulk_create([a_product(f"B-{n}") for n in range(3)])
        for number, other in enumerate(others):
            other.price = Decimal(10 + number)
            other.brand = "not among the fields"
        Product.objects.bulk_update(others, ["price"])

    assert record.told(Product, "sku", "price", "brand") == [
        ("+", "B-0", Decimal(10), ""),
        ("+", "B-1", Decimal(10), ""),
        ("+", "B-2", Decimal(10), ""),
        ("~", "B-1", Decimal(11), ""),
        ("~", "B-2", Decimal(12), ""),
    ]
    one_change_set_by(record, catalogue_manager)


def test_upsert_splits_into_added_and_changed(
    work: Any, product: Product, record: Record, catalogue_manager: User
) -> None:
    same = a_product("S-2")
    same.save()
    record = Record.from_now()
    with work, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO inventory_product (sku, name, price) "
            "VALUES ('S-1', 'x', 7), ('S-2', 'x', 10), ('S-3', 'x', 7) "
            "ON CONFLICT (lower(sku)) DO UPDATE SET price = EXCLUDED.price"
        )

    assert record.told(Product, "sku", "price") == [
        ("+", "S-3", Decimal(7)),
        ("~", "S-1", Decimal(7)),
    ]
    one_change_set_by(record, catalogue_manager)


def test_delete_with_its_cascade(work: Any, product: Product, catalogue_manager: User) -> None:
    tag = Tag.objects.create(name="new")
    product.tags.add(tag)
    image = ProductImage.objects.create(product=product, url="https://shop.test/1.jpg")
    record = Record.from_now()
    key, image_key = product.pk, image.pk
    with work:
        product.delete()

    assert record.told(Product, "id", "sku", "price") == [("-", key, "S-1", Decimal(10))]
    assert record.told(ProductTag, "product_id", "tag_id") == [("-", key, tag.pk)]
    assert record.told(ProductImage, "id", "url") == [("-", image_key, image.url)]
    assert record.told(Tag) == []
    one_change_set_by(record, catalogue_manager)


def test_deleting_a_queryset(work: Any, product: Product, catalogue_manager: User) -> None:
    Product.objects.bulk_create([a_product("D-1"), a_product("D-2")])
    record = Record.from_now()
    with work:
        Product.objects.filter(sku__startswith="D-").delete()
        Product.objects.filter(sku="S-1")._raw_delete("default")

    assert record.told(Product, "sku") == [("-", "D-1"), ("-", "D-2"), ("-", "S-1")]
    one_change_set_by(record, catalogue_manager)


def test_raw_sql_with_and_without_parameters(
    work: Any, product: Product, record: Record, catalogue_manager: User
) -> None:
    with work, connection.cursor() as cursor:
        cursor.execute(INSERT, ["R-1", "100 % cotton", 1])
        cursor.execute("UPDATE inventory_product SET name = '5 % off' WHERE sku = 'S-1'")
        cursor.execute(
            """/* a remark */ -- and another
            WITH gone AS (DELETE FROM inventory_product WHERE sku = %s RETURNING id)
            SELECT count(*) FROM gone""",
            ["R-1"],
        )
        assert cursor.fetchall() == [(1,)]

    assert record.told(Product, "sku", "name") == [
        ("+", "R-1", "100 % cotton"),
        ("-", "R-1", "100 % cotton"),
        ("~", "S-1", "5 % off"),
    ]
    one_change_set_by(record, catalogue_manager)


def test_executemany(work: Any, record: Record, catalogue_manager: User) -> None:
    with work, connection.cursor() as cursor:
        cursor.executemany(INSERT, [[f"M-{n}", "x", n] for n in range(3)])

    assert record.told(Product, "sku") == [("+", "M-0"), ("+", "M-1"), ("+", "M-2")]
    one_change_set_by(record, catalogue_manager)


def copy_two() -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY inventory_product (sku, name, price) FROM STDIN") as copy,
    ):
        copy.write_row(("C-1", "x", 1))
        copy.write_row(("C-2", "x", 2))


def test_copy_in_an_announced_context(work: Any, record: Record, catalogue_manager: User) -> None:
    with work:
        announce_context(connection)  # COPY passes no execute wrapper
        copy_two()

    assert record.told(Product, "sku") == [("+", "C-1"), ("+", "C-2")]
    one_change_set_by(record, catalogue_manager)


def test_copy_that_nobody_announced_is_the_database_users(record: Record) -> None:
    copy_two()

    assert record.told(Product, "sku", "history_user_id") == [
        ("+", "C-1", None),
        ("+", "C-2", None),
    ]
    (change_set,) = record.change_sets()
    assert (change_set.source, change_set.actor_id, change_set.actor_name) == ("sql", None, "")
    assert change_set.who == change_set.database_user == connection.settings_dict["USER"]


def test_adding_setting_removing_and_clearing_tags(
    work: Any, product: Product, catalogue_manager: User
) -> None:
    a, b, c = (Tag.objects.create(name=name) for name in "abc")
    record = Record.from_now()
    with work:
        product.tags.add(a, b)
        product.tags.add(b)  # is there already
        product.tags.set([b, c])
        product.tags.remove(b, a)
        product.tags.clear()

    rows = [(row.history_type, row.tag_id) for row in record.rows(ProductTag)]
    assert sorted(rows[:2]) == [("+", a.pk), ("+", b.pk)]
    assert rows[2:] == [("-", a.pk), ("+", c.pk), ("-", b.pk), ("-", c.pk)]
    assert record.told(Product) == []
    one_change_set_by(record, catalogue_manager)


def test_the_paths_below_a_renamed_category_are_on_the_record(
    work: Any, catalogue_manager: User
) -> None:
    leaf = Category.objects.get_or_create_path("A > B > C")
    record = Record.from_now()
    with work:
        Category.objects.filter(path="A").update(name="Z")

    assert record.told(Category, "path") == [("~", "Z"), ("~", "Z > B"), ("~", "Z > B > C")]
    leaf.refresh_from_db()
    assert leaf.path == "Z > B > C"


def test_what_changes_nothing_leaves_nothing(work: Any, product: Product, record: Record) -> None:
    tag = Tag.objects.create(name="new")
    record = Record.from_now()
    with work:
        product.refresh_from_db()
        product.save()
        Product.objects.update(price=F("price"))
        Product.objects.bulk_update([product], ["name", "price"])
        product.tags.remove(tag)
        product.tags.clear()
        Product.objects.filter(sku="none").delete()

    assert record.is_empty()


def test_version_and_time_of_change_alone_are_no_change(
    work: Any, product: Product, record: Record
) -> None:
    with work, connection.cursor() as cursor:
        cursor.execute("UPDATE inventory_product SET version = version + 5")
        cursor.execute("UPDATE inventory_product SET updated_at = now() - interval '1 day'")

    assert record.is_empty()


def test_a_real_change_raises_the_version_once(product: Product, record: Record) -> None:
    product.refresh_from_db()
    before = product.version
    Product.objects.update(price=3)
    Product.objects.update(price=3)

    product.refresh_from_db()
    assert product.version == before + 1
    assert record.told(Product, "version") == [("~", before + 1)]


def test_a_savepoint_rolled_back_leaves_nothing(
    work: Any, product: Product, record: Record, catalogue_manager: User
) -> None:
    with work:
        with transaction.atomic():
            product.price = Decimal(1)
            product.save()
            transaction.set_rollback(True)
        assert record.is_empty()

        # And what follows in the same transaction begins a change set of its own.
        Product.objects.update(price=2)

    assert record.told(Product, "price") == [("~", Decimal(2))]
    one_change_set_by(record, catalogue_manager)


@pytest.mark.django_db(transaction=True)
def test_a_transaction_rolled_back_leaves_nothing(product: Product, record: Record) -> None:
    with audit_context(source=Source.SHELL), transaction.atomic():
        product.delete()
        a_product("S-9").save()
        transaction.set_rollback(True)

    assert record.is_empty()
    assert Product.objects.get().sku == "S-1"


@pytest.mark.django_db(transaction=True)
def test_a_transaction_is_one_change_set_and_autocommit_one_each(
    product: Product, record: Record
) -> None:
    with audit_context(source=Source.COMMAND, actor_name="nightly", action="Nightly"):
        with transaction.atomic():
            a_product("T-1").save()
            a_product("T-2").save()
        Product.objects.filter(sku="T-1").update(brand="1")
        Product.objects.filter(sku="T-2").update(brand="2")

    sets = record.change_sets()
    assert [change_set.who for change_set in sets] == ["nightly"] * 3
    assert [row.change_set_id for row in record.rows(Product)] == [
        sets[0].pk,
        sets[0].pk,
        sets[1].pk,
        sets[2].pk,
    ]
    assert len({change_set.transaction_id for change_set in sets}) == 3


def test_the_newest_of_two_changes_in_one_transaction_can_be_told(product: Product) -> None:
    Product.objects.update(price=1)
    Product.objects.update(price=2)

    newest, middle, first = Product.history.order_by("-history_date")
    assert (newest.price, middle.price, first.price) == (2, 1, 10)
    assert newest.history_date > middle.history_date > first.history_date
