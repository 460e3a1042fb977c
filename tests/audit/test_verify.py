"""Whatever a superuser alters, removes or slips in with the triggers off is named exactly."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import connection, models
from django.utils import timezone

from backoffice.accounts.models import Role, User
from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import ChangeSet, Seal, SealedEntry, SealEvent
from backoffice.audit.naming import history_of
from backoffice.audit.seals import sealing, verifying
from backoffice.audit.seals.findings import Finding, Wrong
from backoffice.audit.seals.sealing import seal_new_entries
from backoffice.audit.seals.verifying import Verification
from backoffice.audit.trail import trailed_models
from backoffice.exchange.models import ImportJob
from inventory.models import Category, Discount, Product, ProductImage, Tag

from .conftest import a_product
from .tampering import tamper

# The live rows and the triggers are compared as well; here it is about what was sealed.
NOT_SEALED = {Wrong.LIVE_ROW_DIFFERS, Wrong.TRIGGER, Wrong.ROW_WITHOUT_CHANGE_SET}


def findings() -> list[Finding]:
    return [finding for finding in Verification().findings() if finding.wrong not in NOT_SEALED]


def told() -> list[tuple[Any, ...]]:
    return [(f.wrong.value, f.table, f.history_id, f.key, f.change_set) for f in findings()]


@pytest.fixture
def life(catalogue_manager: User) -> None:
    """Rows in every history table: three change sets, each under a seal of its own."""
    for number in range(3):
        with audit_context(
            source=Source.ADMIN, actor=catalogue_manager, action="Work", reason=str(number)
        ):
            category = Category.objects.create(name=f"Category {number}")
            discount = Discount.objects.create(name=f"Sale {number}", value=10)
            Product.objects.bulk_create(
                [a_product(f"P-{number}-{n}", category=category, discount=discount)
                 for n in range(4)]
            )  # fmt: skip
            for product in Product.objects.filter(sku__startswith=f"P-{number}"):
                product.tags.set(Tag.objects.named([f"tag {number}", "new"]))
                ProductImage.objects.create(product=product, url="/pictures/1.jpg")
            role = Role.objects.create(name=f"Role {number}")
            role.permissions.set(Permission.objects.all()[:3])
            person = User.objects.create_user(f"person{number}@stockbook.test", "x")
            person.groups.add(role)
            person.user_permissions.add(Permission.objects.all()[number])
            ImportJob.objects.create(
                resource="products", file_name=f"{number}.csv", size=1, user=catalogue_manager
            )
        seal_new_entries()
    assert Seal.objects.count() == 3
    assert told() == []


def some_row(model: type[models.Model]) -> Any:
    """A history row under the second seal."""
    sealed = SealedEntry.objects.filter(seal_id=2).values("change_set_id")
    return history_of(model).objects.filter(change_set_id__in=sealed).order_by("history_id")[0]


def as_told(wrong: Wrong, row: Any, model: type[models.Model]) -> tuple[Any, ...]:
    key = str(getattr(row, model._meta.pk.attname))
    table = history_of(model)._meta.db_table
    return (wrong.value, table, row.history_id, key, row.change_set_id)


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


def test_what_is_new_is_no_finding_but_counted(life: None) -> None:
    with audit_context(source=Source.SHELL):
        Tag.objects.create(name="later")
    verification = Verification()
    assert [f for f in verification.findings() if f.wrong not in NOT_SEALED] == []
    assert verification.unsealed.count == 1
    assert verification.unsealed.oldest == ChangeSet.objects.latest("pk").at
    assert timezone.now() - verification.unsealed.oldest < timedelta(minutes=5)


def test_a_live_row_that_was_written_past_the_triggers_is_named(life: None) -> None:
    product = Product.objects.earliest("pk")
    tamper("UPDATE inventory_product SET price = 3 WHERE id = %s", [product.pk])
    gone = ProductImage.objects.earliest("pk")
    tamper("DELETE FROM inventory_productimage WHERE id = %s", [gone.pk])
    found = {(f.wrong, f.table, f.key, f.message) for f in Verification().findings()}
    assert found == {
        (
            Wrong.LIVE_ROW_DIFFERS,
            "inventory_product",
            str(product.pk),
            f"Product {product.pk} is not what its newest history row says.",
        ),
        (
            Wrong.LIVE_ROW_DIFFERS,
            "inventory_productimage",
            str(gone.pk),
            f"Image {gone.pk} is gone, and its history does not say so.",
        ),
    }


def test_a_trigger_that_is_off_is_named(life: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE inventory_historicaltag DISABLE TRIGGER USER")
    found = [f.message for f in Verification().findings() if f.wrong == Wrong.TRIGGER]
    assert found == [
        "The trigger append_only of inventory.HistoricalTag is disabled: changes may go unrecorded."
    ]


def test_a_verification_from_a_seal_on_leaves_out_what_was_before(life: None) -> None:
    row = some_row(Product)
    tamper(
        "UPDATE inventory_historicalproduct SET brand = 'x' WHERE history_id = %s",
        [row.history_id],
    )
    for since, expected in ((1, 1), (2, 1), (3, 0)):
        verification = Verification(since=since)
        found = [f for f in verification.findings() if f.wrong not in NOT_SEALED]
        assert (verification.seals, len(found)) == (4 - since, expected)


@pytest.mark.parametrize("at_once", [1, 2, 500])
def test_seals_are_looked_at_in_windows(
    at_once: int, life: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "_SEALS_AT_ONCE", at_once)
    assert told() == []
    row = some_row(Tag)
    tamper("DELETE FROM inventory_historicaltag WHERE history_id = %s", [row.history_id])
    assert told() == [as_told(Wrong.ROW_REMOVED, row, Tag)]


def test_the_command_says_that_all_is_well(life: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("audit_verify")
    said = capsys.readouterr().out
    assert said.startswith("3 seals, ")
    assert "All is as it was sealed." in said
    event = SealEvent.objects.get()
    assert (event.kind, event.seal_id, event.facts["found"]) == ("verified", 3, 0)


def test_the_command_names_what_is_wrong_and_fails(
    life: None, capsys: pytest.CaptureFixture[str]
) -> None:
    row = some_row(Product)
    tamper(
        "UPDATE inventory_historicalproduct SET brand = 'x' WHERE history_id = %s",
        [row.history_id],
    )
    with pytest.raises(SystemExit, match="1"):
        call_command("audit_verify")
    line = (
        f"Product {row.id}: history row {row.history_id} of change set {row.change_set_id} was "
        "altered (inventory_historicalproduct, seal 2)."
    )
    said = capsys.readouterr().out
    assert said.splitlines()[0] == line
    assert "things are wrong." in said

    with pytest.raises(SystemExit, match="1"):
        call_command("audit_verify", "--json")
    report = json.loads(capsys.readouterr().out)
    assert (report["verified"], report["seals"], report["last_seal"]) == (False, 3, 3)
    assert report["findings"][0] == {
        "wrong": "row_altered",
        "message": line,
        "table": "inventory_historicalproduct",
        "history_id": row.history_id,
        "key": str(row.id),
        "change_set": row.change_set_id,
        "seal": 2,
    }
    event = SealEvent.objects.latest("pk")
    assert event.kind == "tampered"
    assert event.facts["findings"][0]["message"] == line
