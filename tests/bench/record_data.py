"""A record of millions of rows, made by SQL past the triggers, for the benchmarks of its pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from backoffice.audit.naming import history_of
from backoffice.audit.trail import trailed_models
from inventory.models import Category, Product, ProductTag

OBJECTS = 100_000
RARE_ACTOR = 999


@contextmanager
def _past_the_triggers(cursor: Any, *tables: str) -> Iterator[None]:
    """Without triggers and without the tables' secondary indexes, which are made again at the end.

    Only ever on a database of one's own.
    """
    cursor.execute(
        "SELECT indexname, indexdef FROM pg_indexes i WHERE tablename = ANY(%s) AND NOT EXISTS "
        "(SELECT 1 FROM pg_constraint c WHERE c.conname = i.indexname)",
        [list(tables)],
    )
    indexes = cursor.fetchall()
    cursor.execute("SET session_replication_role = replica")
    for name, _definition in indexes:
        cursor.execute(f'DROP INDEX "{name}"')
    yield
    for _name, definition in indexes:
        cursor.execute(definition)
    cursor.execute("SET session_replication_role = origin")
    cursor.execute("VACUUM ANALYZE")


def fill(change_sets: int, bulk_sets: int, rows_per_bulk_set: int) -> int:
    """A record anew: change sets of one row each over two years, with bulk sets among them.

    Returns the number of history rows.
    One in fifty is an event. Of one in 100,000 the category changes, and a person does no more
    than one in 200,000.
    """
    product, tag, category = (
        history_of(model)._meta.db_table for model in (Product, ProductTag, Category)
    )
    with (
        connection.cursor() as cursor,
        _past_the_triggers(cursor, "audit_changeset", product, tag, category),
    ):
        everything = [history_of(model)._meta.db_table for model in trailed_models]
        cursor.execute(f"TRUNCATE audit_changeset, {', '.join(everything)} CASCADE")
        cursor.execute(
            """
            INSERT INTO audit_changeset (id, at, transaction_id, source, action, reason, actor_id,
                actor_name, request_id, reference, database_user, kind, facts)
            SELECT i, now() - interval '730 days' * ((%(n)s - i)::float / %(n)s), '3',
                CASE WHEN i %% 200000 = 77 THEN 'sql' WHEN i %% 20 = 0 THEN 'api'
                     WHEN i %% 33 = 0 THEN 'import' ELSE 'admin' END,
                CASE WHEN i %% 50 = 0 THEN 'Signed in' ELSE 'Product changed: Kettle ' || i END,
                CASE WHEN i %% 3 = 0 THEN 'Agreed with supplier ' || i %% 1000 ELSE '' END,
                CASE WHEN i %% 200000 = 99 THEN %(rare)s WHEN i %% 10 = 0 THEN NULL
                     ELSE i %% 20 + 1 END,
                'Person ' || i %% 20 || ' <p' || i %% 20 || '@example.com>', md5(i::text),
                CASE WHEN i %% 33 = 0 THEN 'exchange.importjob/' || i / 33 ELSE '' END,
                'stockbook', CASE WHEN i %% 50 = 0 THEN 'sign_in' ELSE 'change' END, '{}'
            FROM generate_series(1, %(n)s) i
            """,
            {"n": change_sets, "rare": RARE_ACTOR},
        )
        columns = _columns(Product)
        values = {
            "id": "{key}", "name": "'Kettle ' || {key}", "sku": "'SKU-' || {key}",
            "price": "({price})::numeric", "description": "'As good as ' || {words}",
            "weight_unit": "'kg'", "tax_class": "'standard'", "options": "'{{}}'::jsonb",
            "created_at": "now()", "updated_at": "now()", "version": "1",
            "is_active": "true", "is_featured": "false", "barcode": "{code}",
        }  # fmt: skip

        def rows_of_products(**expressions: str) -> str:
            told = [values.get(column, default) for column, default in columns.items()]
            return ", ".join(value.format(**expressions) for value in told)

        into = (
            f"INSERT INTO {product} ({', '.join(columns)}, history_type, history_date, "
            "change_set_id)"
        )
        single = rows_of_products(
            key=f"i % {OBJECTS} + 1",
            price=f"i / {OBJECTS} % 90",
            words="i % 7",
            code=f"CASE WHEN i % {OBJECTS} = 5 THEN i::text ELSE '' END",
        )
        cursor.execute(
            f"{into} SELECT {single}, '~', c.at, c.id FROM audit_changeset c, "
            "LATERAL (SELECT c.id AS i) n WHERE c.kind = 'change'"
        )
        bulk = rows_of_products(key="i", price="1", words="c.id", code="''")
        for number in range(bulk_sets):
            at = change_sets * (number + 1) // (bulk_sets + 1) // 50 * 50 + 1
            if number % 2:
                cursor.execute(
                    f"INSERT INTO {tag} (id, product_id, tag_id, history_type, history_date, "
                    f"change_set_id) SELECT i, i, i %% 40, '+', c.at, c.id "
                    f"FROM audit_changeset c, generate_series(1, %s) i WHERE c.id = %s",
                    [rows_per_bulk_set, at],
                )
            else:
                cursor.execute(
                    f"{into} SELECT {bulk}, '~', c.at, c.id FROM audit_changeset c, "
                    f"generate_series(1, {rows_per_bulk_set}) i WHERE c.id = {at}"
                )
        columns = _columns(Category)
        values = {"id": "i", "name": "'Group ' || i", "created_at": "now()", "updated_at": "now()"}
        cursor.execute(
            f"INSERT INTO {category} ({', '.join(columns)}, history_type, history_date, "
            f"change_set_id) SELECT {rows_of_products()}, '+', c.at, c.id FROM audit_changeset c, "
            "LATERAL (SELECT c.id AS i) n WHERE c.id % 100000 = 51"
        )
        cursor.execute("SELECT setval('audit_changeset_id_seq', %s)", [change_sets + 1])
    return history_rows()


def _columns(model: Any) -> dict[str, str]:
    """The columns of a model's history, each with an empty value of its type."""
    empty = {"boolean": "false", "jsonb": "'{{}}'::jsonb"}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, data_type, is_nullable FROM information_schema.columns "
            "WHERE table_name = %s AND column_name <> ALL(%s)",
            [
                history_of(model)._meta.db_table,
                ["history_id", "history_type", "history_date", "change_set_id"],
            ],
        )
        return {
            name: "NULL"
            if nullable == "YES"
            else empty.get(kind, "0" if "int" in kind or kind == "numeric" else "''")
            for name, kind, nullable in cursor.fetchall()
        }


def history_rows() -> int:
    return sum(history_of(model).objects.count() for model in trailed_models)
