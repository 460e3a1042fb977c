"""Tampering that keeps to the rules of the seals, and verifications at a bad moment."""

import threading
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import ChangeSet, Seal, SealedEntry, SealEvent
from backoffice.audit.seals import verifying
from backoffice.audit.seals.sealing import seal_new_entries
from backoffice.audit.seals.state import note_verification, state
from backoffice.audit.seals.verifying import Verification
from inventory.models import Category, Product

from .conftest import a_product
from .tampering import as_superuser, tamper

TABLE = "inventory_historicalproduct"


def change(number: int) -> int:
    with audit_context(source=Source.SHELL, action="Work", reason=str(number)):
        Product.objects.bulk_create([a_product(f"P-{number}-{n}") for n in range(3)])
    return ChangeSet.objects.latest("pk").pk


@pytest.fixture
def two_seals(db: None) -> list[int]:
    """The change sets of products, each under a seal of its own."""
    made = []
    for number in range(2):
        made.append(change(number))
        seal_new_entries()
    assert told() == []
    return made


def told(**options: Any) -> list[tuple[str, int | None, int | None]]:
    found = Verification(**options).findings()
    return [(f.wrong.value, f.history_id, f.change_set) for f in found]


def copy_of_a_row(into: int, history_id: int = 1_000_000, date: str = "history_date") -> None:
    columns = [field.column for field in Product.history.model._meta.concrete_fields]
    others = [name for name in columns if name not in ("history_id", "change_set_id")]
    values = ", ".join(date if name == "history_date" else f'"{name}"' for name in others)
    names = ", ".join(f'"{name}"' for name in others)
    tamper(
        f"INSERT INTO {TABLE} (history_id, change_set_id, {names}) "
        f"SELECT %s, %s, {values} FROM {TABLE} ORDER BY history_id DESC LIMIT 1",
        [history_id, into],
    )


@pytest.mark.parametrize("seal", [1, 2, 77])
def test_a_row_is_not_covered_by_hashes_under_the_seal_of_others(
    seal: int, two_seals: list[int]
) -> None:
    """The hash of an entry is over the hashes under its own seal: those elsewhere are nobody's."""
    with audit_context(source=Source.SHELL, reason="no product"):
        Category.objects.create(name="Audio")
    entry = ChangeSet.objects.latest("pk").pk
    seal_new_entries()
    copy_of_a_row(into=entry)
    tamper(
        'INSERT INTO audit_sealedrows (seal_id, change_set_id, "table", history_ids, keys, hashes) '
        f"SELECT %s, %s, '{TABLE}', '{{[1000000,1000001)}}', '{{7}}', hashes[1] FROM (VALUES "
        "(ARRAY[sha256('')])) v (hashes)",
        [seal, entry],
    )
    assert ("row_inserted", 1_000_000, entry) in told()


def test_a_row_of_today_that_says_it_is_old_is_named(two_seals: list[int]) -> None:
    """In a new change set, sealed like any other: the pages of the past would believe it."""
    new = change(2)
    copy_of_a_row(into=new, date="history_date - interval '1 year'")
    seal_new_entries()
    assert ("row_misdated", 1_000_000, new) in told()


def test_a_row_of_tomorrow_is_named(two_seals: list[int]) -> None:
    new = change(2)
    copy_of_a_row(into=new, date="'infinity'")
    seal_new_entries()
    assert ("row_misdated", 1_000_000, new) in told()


def test_a_renamed_table_breaks_no_seal(two_seals: list[int], settings: Any) -> None:
    # As if the form of the first seals had been made when the table had another name.
    tamper(
        "UPDATE audit_sealform SET description = "
        f"replace(description, '\"{TABLE}\"', '\"a_{TABLE}\"')"
    )
    tamper("UPDATE audit_sealform SET hash = encode(sha256(convert_to(description,'UTF8')),'hex')")
    tamper(f"UPDATE audit_sealedrows SET \"table\" = 'a_{TABLE}' WHERE \"table\" = '{TABLE}'")
    settings.AUDIT_RENAMED = {f"a_{TABLE}": TABLE}
    change(2)
    seal_new_entries()
    assert Seal.objects.latest("pk").form == 2
    assert [what for what in told() if what[0] == "row_inserted"] == []


@pytest.mark.django_db(transaction=True)
def test_a_seal_that_comes_while_the_record_is_verified_is_not_missed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A sealer keeps running, and a long record takes its time."""
    looked = verifying.Verification._in_line

    def seal() -> None:
        try:
            change(2)
            newest = seal_new_entries().last
            SealEvent.objects.create(kind="published", seal=newest, where="x")
        finally:
            connection.close()

    def look(self: Verification) -> Any:
        yield from looked(self)
        sealer = threading.Thread(target=seal)
        sealer.start()
        sealer.join()

    change(1)
    seal_new_entries()
    monkeypatch.setattr(verifying.Verification, "_in_line", look)
    assert "seal_removed" not in [wrong for wrong, _row, _set in told()]
    assert SealEvent.objects.get().seal_id == Seal.objects.latest("pk").pk


def test_what_cannot_be_there_is_not_called_verified(two_seals: list[int]) -> None:
    with pytest.raises(CommandError, match="There is no seal 4"):
        call_command("audit_verify", "--since", "4")
    call_command("audit_verify", "--since", "3")


def test_a_record_under_no_seal_is_not_called_verified(db: None) -> None:
    a_product().save()
    with pytest.raises(CommandError, match="no seal"):
        call_command("audit_verify")
    assert not SealEvent.objects.exists()


def test_tables_of_another_schema_do_not_stand_in_for_the_record(two_seals: list[int]) -> None:
    row = Product.history.latest("history_id")
    with as_superuser() as cursor:
        cursor.execute(f"CREATE SCHEMA shadow; CREATE TABLE shadow.{TABLE} AS TABLE {TABLE}")
        cursor.execute(f"UPDATE {TABLE} SET brand = 'x' WHERE history_id = %s", [row.history_id])
        cursor.execute("SET LOCAL search_path = shadow, public")
    assert told()[0] == ("row_altered", row.history_id, row.change_set_id)


@pytest.mark.parametrize(
    "statement",
    [
        f"CREATE TRIGGER theirs BEFORE INSERT ON {TABLE} FOR EACH ROW EXECUTE FUNCTION theirs()",
        f"CREATE RULE theirs AS ON INSERT TO {TABLE} DO INSTEAD NOTHING",
        "CREATE TRIGGER theirs BEFORE DELETE ON audit_seal EXECUTE FUNCTION theirs()",
        "CREATE RULE theirs AS ON UPDATE TO inventory_product DO INSTEAD NOTHING",
    ],
)
def test_a_trigger_or_rule_of_somebody_else_on_the_record_is_named(
    statement: str, two_seals: list[int]
) -> None:
    """It would not have to alter history: it could write another."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(
            "CREATE FUNCTION theirs() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
        )
        cursor.execute(statement)
    (finding,) = Verification().findings()
    assert finding.wrong == "trigger"
    assert "theirs" in finding.message


@pytest.mark.parametrize(
    ("statement", "wrong"),
    [
        ("UPDATE audit_seal SET change_sets = '{(,)}' WHERE id = 2", "seal_altered"),
        ("UPDATE audit_seal SET change_sets = '{[1,9000000000000)}' WHERE id = 2", "seal_altered"),
        ("UPDATE audit_seal SET at = 'infinity' WHERE id = 2", "seal_altered"),
        ("UPDATE audit_sealedrows SET history_ids = '{(,)}' WHERE seal_id = 2",
         "row_hashes_altered"),
        ("UPDATE audit_sealedrows SET history_ids = '{}' WHERE seal_id = 2", "row_hashes_altered"),
    ],
)  # fmt: skip
def test_values_that_nothing_can_work_with_are_named(
    statement: str, wrong: str, two_seals: list[int]
) -> None:
    tamper(statement)
    assert wrong in [name for name, _row, _set in told()]


@pytest.mark.parametrize("at", ["infinity", "-infinity", "20000-01-01"])
def test_an_entry_of_a_time_that_is_none_is_named(at: str, two_seals: list[int]) -> None:
    tamper("UPDATE audit_changeset SET at = %s WHERE id = %s", [at, two_seals[1]])
    assert ("change_set_altered", None, two_seals[1]) in told()


def test_the_log_of_the_seals_tells_what_was_there(two_seals: list[int]) -> None:
    verification = Verification()
    assert list(verification.findings()) == []
    note_verification(verification, 0, [], 0.1)
    SealEvent.objects.create(
        kind="published", seal_id=1, where="x", facts={"hash": Seal.objects.get(pk=1).hash}
    )
    for table in ("audit_seal WHERE id", "audit_sealedentry WHERE seal_id"):
        tamper(f"DELETE FROM {table} = 2")
    tamper("DELETE FROM audit_sealedrows WHERE seal_id = 2")
    (finding,) = Verification().findings()
    assert (finding.wrong, finding.seal) == ("seal_removed", 2)
    assert "verified" in finding.message


def test_a_seal_that_is_not_the_one_that_was_published_is_told_by_the_log(
    two_seals: list[int],
) -> None:
    SealEvent.objects.create(kind="published", seal_id=2, where="x", facts={"hash": "0" * 64})
    (finding,) = Verification().findings()
    assert (finding.wrong, finding.seal) == ("checkpoint_differs", 2)


def test_an_entry_with_a_number_far_ahead_blinds_no_sealer(two_seals: list[int]) -> None:
    """A quick sealer looks above what was sealed a day ago: a forged number must not set that."""
    tamper(
        "INSERT INTO audit_changeset (id, at, transaction_id, source, action, reason, actor_name, "
        "request_id, reference, database_user, kind, facts) "
        "VALUES (1000000000, now(), '3', 'sql', '', '', '', '', '', 'x', 'change', '{}')"
    )
    seal_new_entries()
    tamper("UPDATE audit_seal SET at = at - interval '2 days'")
    new = change(2)
    assert state().unsealed == 1
    assert seal_new_entries(thorough=False).entries == 1
    assert SealedEntry.objects.filter(change_set_id=new).exists()
