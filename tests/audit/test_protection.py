"""The record cannot be rewritten, switched off, forged into or read for secrets."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, models, transaction
from psycopg import sql

from backoffice.accounts.models import User
from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import ChangeSet
from backoffice.audit.naming import history_of
from backoffice.audit.trail import trailed_models
from inventory.models import Product
from tests.personas import PASSWORD

from .conftest import Record


def refused(statement: str, params: Any = None) -> str:
    """The database's refusal of a statement, in its words."""
    with (
        pytest.raises(DatabaseError) as refusal,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, params)
    return str(refusal.value)


KEPT_FOR_GOOD = [ChangeSet, *(history_of(model) for model in trailed_models)]


@pytest.mark.parametrize("model", KEPT_FOR_GOOD, ids=lambda model: model.__name__)
def test_the_record_refuses_to_change(model: type[models.Model], db: None) -> None:
    """Whether there are rows or not: the statement is refused."""
    table = model._meta.db_table
    key = model._meta.pk.column
    for statement in (
        f'UPDATE "{table}" SET "{key}" = "{key}"',
        f'DELETE FROM "{table}"',
        f'TRUNCATE "{table}" CASCADE',
    ):
        verb = statement.split()[0]
        assert f"{table} is append-only: {verb} refused." in refused(statement)


@pytest.mark.parametrize("model", trailed_models, ids=lambda model: model.__name__)
def test_audited_tables_refuse_truncate(model: type[models.Model], db: None) -> None:
    table = model._meta.db_table
    assert "would leave no history. Use DELETE." in refused(f'TRUNCATE "{table}" CASCADE')


def test_a_history_row_cannot_be_changed_through_the_orm(product: Product) -> None:
    row = Product.history.get()
    row.price = 1
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        row.save()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        ChangeSet.objects.all().delete()
    assert Product.history.get().price == 10


def test_the_key_of_a_row_cannot_change(product: Product, record: Record) -> None:
    assert "cannot change" in refused("UPDATE inventory_product SET id = id + 1000")
    assert record.is_empty()
    assert Product.objects.get().pk == product.pk


@pytest.mark.parametrize(
    "value", ["{inventory.Product:history_update}", "{%}", "on"], ids=["by name", "%", "on"]
)
def test_the_trigger_librarys_switch_does_nothing(
    product: Product, record: Record, value: str
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('pgtrigger.ignore', %s, true)", [value])
        cursor.execute(
            "SELECT set_config('pgtrigger.ignore', array_agg(tgname)::text, true) FROM pg_trigger"
        )
    Product.objects.update(price=1)

    assert len(record.rows(Product)) == 1
    assert "append-only" in refused("DELETE FROM audit_changeset")


@pytest.mark.django_db(transaction=True)
def test_a_forged_change_set_is_not_believed(product: Product, catalogue_manager: User) -> None:
    """Who names another's change set in the setting gets one of their own all the same."""
    with audit_context(source=Source.ADMIN, actor=catalogue_manager, reason="theirs"):
        Product.objects.update(price=1)
    theirs = ChangeSet.objects.latest("pk")
    record = Record.from_now()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('audit.change_set', "
            "%s || ':' || hashtextextended(COALESCE(current_setting('audit.context', true), ''), 0)"
            ", true)",
            [str(theirs.pk)],
        )
        cursor.execute("UPDATE inventory_product SET price = 2")

    (own,) = record.change_sets()
    assert (own.source, own.actor_id) == ("sql", None)
    assert [row.change_set_id for row in record.rows(Product)] == [own.pk]


def update_as(announced: str) -> None:
    """Past Django, in whose transactions the application announces who is at work."""
    with transaction.atomic():
        raw = connection.connection
        raw.execute("SELECT set_config('audit.context', %s, true)", [announced])
        raw.execute("UPDATE inventory_product SET price = 2")


@pytest.mark.parametrize("announced", ["not json", '{"source": "nonsense"}', '{"actor_id": "x"}'])
def test_a_context_that_makes_no_sense_stops_the_write(
    product: Product, record: Record, announced: str
) -> None:
    with pytest.raises(psycopg.DatabaseError):
        update_as(announced)
    assert record.is_empty()


@pytest.mark.parametrize("announced", ["{}", "[1]", "null"])
def test_a_context_that_says_nothing_is_direct_sql(
    product: Product, record: Record, announced: str
) -> None:
    update_as(announced)
    assert [(s.source, s.actor_id) for s in record.change_sets()] == [("sql", None)]


def test_no_secret_is_in_the_history_of_users(warehouse: User) -> None:
    warehouse.set_password("another-secret-99")
    warehouse.save()
    warehouse.refresh_from_db()
    history = history_of(User)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT row_to_json(h)::text FROM {history._meta.db_table} h")
        everything = "".join(row for (row,) in cursor.fetchall())
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s",
            [history._meta.db_table],
        )
        columns = {name for (name,) in cursor.fetchall()}

    assert "walt@stockbook.test" in everything
    for secret in (warehouse.password, PASSWORD, "another-secret-99", "md5$"):
        assert secret not in everything
    assert not columns & {"password", "last_login"}


def test_a_new_password_alone_leaves_no_row(warehouse: User, record: Record) -> None:
    warehouse.set_password("another-secret-99")
    warehouse.save()

    assert record.rows(User) == []


type Connect = Callable[[str], psycopg.Connection[Any]]


@pytest.fixture
def outside(transactional_db: None) -> Iterator[Connect]:
    """Connections of another program; one of a role that may only write products."""
    role = sql.Identifier("stockbook_test_clerk")
    with connection.cursor() as cursor:
        cursor.cursor.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(role))
        cursor.cursor.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'x'").format(role))
        for grant in (
            "SELECT, INSERT, UPDATE, DELETE ON inventory_product",
            "USAGE ON SEQUENCE inventory_product_id_seq",
        ):
            cursor.cursor.execute(sql.SQL("GRANT {} TO {}").format(sql.SQL(grant), role))
    parameters = connection.get_connection_params()
    opened: list[psycopg.Connection[Any]] = []

    def connect(user: str) -> psycopg.Connection[Any]:
        names = {key: parameters[key] for key in ("dbname", "host", "port") if key in parameters}
        secret = (
            {"password": "x"}
            if user == "stockbook_test_clerk"
            else {key: parameters[key] for key in ("password",) if key in parameters}
        )
        opened.append(psycopg.connect(**names, **secret, user=user))
        return opened[-1]

    yield connect
    for one in opened:
        one.close()
    with connection.cursor() as cursor:
        cursor.cursor.execute(sql.SQL("DROP OWNED BY {}").format(role))
        cursor.cursor.execute(sql.SQL("DROP ROLE {}").format(role))


def test_sql_from_outside_is_the_database_users(outside: Connect, product: Product) -> None:
    record = Record.from_now()
    user = connection.settings_dict["USER"]
    with outside(user) as psql:
        psql.execute("UPDATE inventory_product SET price = 1")

    (change_set,) = record.change_sets()
    assert (change_set.source, change_set.actor_id, change_set.reason) == ("sql", None, "")
    assert change_set.database_user == change_set.who == user
    assert record.told(Product, "history_user_id") == [("~", None)]


def test_whoever_may_write_products_need_not_write_history(
    outside: Connect, product: Product
) -> None:
    """A role with rights on one table leaves history, and can touch neither it nor the rest."""
    record = Record.from_now()
    clerk = outside("stockbook_test_clerk")
    clerk.execute("UPDATE inventory_product SET price = 1")
    clerk.execute("INSERT INTO inventory_product (sku, name, price) VALUES ('x', 'x', 1)")
    clerk.execute("DELETE FROM inventory_product WHERE sku = 'x'")
    clerk.commit()

    (change_set,) = record.change_sets()
    assert (change_set.source, change_set.who) == ("sql", "stockbook_test_clerk")
    assert record.told(Product, "sku") == [("+", "x"), ("-", "x"), ("~", "S-1")]
    for forbidden in (
        "SELECT * FROM audit_changeset",
        "INSERT INTO audit_changeset (source) VALUES ('sql')",
        "SELECT * FROM inventory_historicalproduct",
        "ALTER TABLE inventory_product DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "DROP FUNCTION audit_change_set()",
        "TRUNCATE inventory_product",
    ):
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.RaiseException)):
            clerk.execute(forbidden)
        clerk.rollback()


def test_a_function_of_ones_own_does_not_get_in_between(outside: Connect, product: Product) -> None:
    """The triggers look for tables and functions in their own schema only."""
    record = Record.from_now()
    clerk = outside("stockbook_test_clerk")
    clerk.execute("CREATE TEMP TABLE inventory_historicalproduct (id bigint)")
    clerk.execute("CREATE TEMP TABLE audit_changeset (id bigint)")
    clerk.execute(
        "CREATE FUNCTION pg_temp.audit_change_set() RETURNS bigint "
        "LANGUAGE sql AS 'SELECT 1::bigint'"
    )
    clerk.execute("SET search_path = pg_temp, public")
    clerk.execute("UPDATE inventory_product SET price = 1")
    clerk.commit()

    assert len(record.change_sets()) == 1
    assert len(record.rows(Product)) == 1
