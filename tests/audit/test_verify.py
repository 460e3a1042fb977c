"""Whatever a superuser alters, removes or slips in with the triggers off is named exactly."""

import pytest
from django.db import connection, models

from backoffice.accounts.models import User
from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import ChangeSet, SealedEntry
from backoffice.audit.naming import history_of
from backoffice.audit.seals import sealing
from backoffice.audit.seals.findings import Wrong
from backoffice.audit.seals.sealing import seal_new_entries
from backoffice.audit.seals.verifying import Verification
from backoffice.audit.trail import trailed_models
from inventory.models import Product

from .conftest import a_product
from .tampering import tamper
from .verified import as_told, findings, live, some_row, told


@pytest.fixture
def life(catalogue_manager: User) -> None:
    live(catalogue_manager)


EVERY_TABLE = pytest.mark.parametrize("model", trailed_models, ids=lambda model: model.__name__)


@EVERY_TABLE
def test_an_altered_history_row_is_named(model: type[models.Model], life: None) -> None:
    row = some_row(model)
    table = history_of(model)._meta.db_table
    assert tamper(
        f"UPDATE {table} SET history_user_id = COALESCE(history_user_id, 0) + 1 "
        "WHERE history_id = %s",
        [row.history_id],
    ) == 1  # fmt: skip
    assert told() == [as_told(Wrong.ROW_ALTERED, row, model)]


@EVERY_TABLE
def test_a_removed_history_row_is_named(model: type[models.Model], life: None) -> None:
    row = some_row(model)
    table = history_of(model)._meta.db_table
    assert tamper(f"DELETE FROM {table} WHERE history_id = %s", [row.history_id]) == 1
    assert told() == [as_told(Wrong.ROW_REMOVED, row, model)]


@EVERY_TABLE
def test_an_inserted_history_row_is_named(model: type[models.Model], life: None) -> None:
    row = some_row(model)
    table = history_of(model)._meta.db_table
    columns = [field.column for field in history_of(model)._meta.concrete_fields]
    others = ", ".join(f'"{column}"' for column in columns if column != "history_id")
    tamper(
        f"INSERT INTO {table} (history_id, {others}) "
        f"SELECT 1000000, {others} FROM {table} WHERE history_id = %s",
        [row.history_id],
    )
    row.history_id = 1_000_000
    assert told() == [as_told(Wrong.ROW_INSERTED, row, model)]


@pytest.mark.parametrize(
    "column",
    [f.column for f in history_of(Product)._meta.concrete_fields if f.column != "history_id"],
)
def test_no_column_of_a_row_can_be_altered_unseen(column: str, life: None) -> None:
    row = some_row(Product)
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT format_type(atttypid, NULL), "{column}" IS NULL '
            "FROM pg_attribute, inventory_historicalproduct "
            "WHERE attrelid = 'inventory_historicalproduct'::regclass AND attname = %s "
            "AND history_id = %s",
            [column, row.history_id],
        )
        kind, is_null = cursor.fetchone()
    another = {
        "boolean": f'NOT "{column}"', "character varying": "'?'", "text": "'?'", "jsonb": "'[7]'",
        "timestamp with time zone": "'2001-01-01'", "numeric": "77", "bigint": "77",
        "integer": "77",
    }[kind]  # fmt: skip
    if is_null and kind == "boolean":
        another = "true"
    tamper(
        f'UPDATE inventory_historicalproduct SET "{column}" = {another} WHERE history_id = %s',
        [row.history_id],
    )
    assert told() == [as_told(Wrong.ROW_ALTERED, row, Product)] or (
        # It turns up where it does not belong, and is missing where it does.
        column == "change_set_id" and told()[0] == as_told(Wrong.ROW_ALTERED, row, Product)
    )


def test_a_row_that_was_given_to_another_change_set_is_named(life: None) -> None:
    row = some_row(Product)
    other = SealedEntry.objects.filter(seal_id=3).latest("change_set_id").change_set_id
    tamper(
        "UPDATE inventory_historicalproduct SET change_set_id = %s WHERE history_id = %s",
        [other, row.history_id],
    )
    first, second = findings()
    assert first.message == (
        f"Product {row.id}: history row {row.history_id} of change set {row.change_set_id} was "
        f"moved to change set {other} (inventory_historicalproduct, seal 2)."
    )
    assert (second.wrong, second.history_id, second.change_set) == (
        Wrong.ROW_INSERTED, row.history_id, other,
    )  # fmt: skip


def test_a_row_slipped_into_a_table_that_the_change_set_never_touched_is_named(
    product: Product,
) -> None:
    seal_new_entries()
    change_set = Product.history.get().change_set_id
    tamper(
        "INSERT INTO inventory_historicaltag (history_id, id, name, slug, created_at, updated_at, "
        "version, history_date, history_type, change_set_id) "
        "VALUES (5, 7, 'x', 'x', now(), now(), 1, now(), '+', %s)",
        [change_set],
    )
    assert told() == [("row_inserted", "inventory_historicaltag", 5, "7", change_set)]


def test_rows_at_the_edges_of_the_runs_are_named(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of three rows; each answers for all numbers since the one before it."""
    monkeypatch.setattr(sealing, "ROWS_PER_RUN", 3)
    with audit_context(source=Source.SHELL, reason="many"):
        Product.objects.bulk_create([a_product(f"P-{n}") for n in range(10)])
    seal_new_entries()
    rows = list(Product.history.order_by("history_id"))
    change_set = rows[0].change_set_id
    by_number = {row.history_id: str(row.id) for row in rows}
    removed = [rows[n].history_id for n in (0, 2, 3, 5, 9)]
    for number in removed:
        tamper("DELETE FROM inventory_historicalproduct WHERE history_id = %s", [number])
    tamper(
        "INSERT INTO inventory_historicalproduct SELECT (p).* FROM (SELECT jsonb_populate_record("
        "h, jsonb_build_object('history_id', n)) p FROM inventory_historicalproduct h, "
        "unnest(ARRAY[-5, 1000000]) n WHERE h.history_id = %s) x",
        [rows[1].history_id],
    )
    inserted = dict.fromkeys((-5, 1000000), by_number[rows[1].history_id])
    assert sorted(told(), key=lambda one: one[2]) == sorted(
        [
            *(("row_removed", "inventory_historicalproduct", n, by_number[n], change_set)
              for n in removed),
            *(("row_inserted", "inventory_historicalproduct", n, key, change_set)
              for n, key in inserted.items()),
        ],
        key=lambda one: one[2],
    )  # fmt: skip


def second() -> ChangeSet:
    """The newest change set under the second seal."""
    return SealedEntry.objects.filter(seal_id=2).latest("change_set_id").change_set


@pytest.mark.parametrize(
    "change",
    [
        "at = at + interval '1 microsecond'", "transaction_id = '1'", "source = 'sql'",
        "action = action || ' '", "reason = ''", "actor_id = NULL", "actor_name = 'Eve'",
        "request_id = 'x'", "client_address = ''", "reference = 'x'", "database_user = 'x'",
        "kind = 'export'", "facts = '{\"rows\": 1}'",
    ],
)  # fmt: skip
def test_an_altered_change_set_is_named(change: str, life: None) -> None:
    number = second().pk
    assert tamper(f"UPDATE audit_changeset SET {change} WHERE id = %s", [number]) == 1
    assert told() == [("change_set_altered", "audit_changeset", None, None, number)]


def test_a_removed_change_set_is_named(life: None) -> None:
    number = second().pk
    tamper("DELETE FROM audit_changeset WHERE id = %s", [number])
    assert told() == [("change_set_removed", "audit_changeset", None, None, number)]
    orphans = {f.table for f in Verification().findings() if f.change_set == number}
    assert {"inventory_historicalproduct", "inventory_historicaltag"} <= orphans


@pytest.mark.parametrize("sealed_since", [False, True], ids=["not sealed yet", "sealed since"])
def test_a_change_set_slipped_in_with_an_old_date_is_named(sealed_since: bool, life: None) -> None:
    """Sealing it makes it no better."""
    tamper(
        "INSERT INTO audit_changeset SELECT (c).* FROM (SELECT jsonb_populate_record(s, "
        "jsonb_build_object('id', 1000000, 'at', now() - interval '3 days')) c "
        "FROM audit_changeset s WHERE id = %s) x",
        [second().pk],
    )
    if sealed_since:
        seal_new_entries()
        seal_new_entries()
    assert told() == [("change_set_inserted", "audit_changeset", None, None, 1_000_000)]
