"""What is new on the record comes under a seal: all of it, once, whatever runs at the same time."""

import hashlib
import itertools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError, connection, transaction
from django.db.backends.utils import CursorWrapper

from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import ChangeSet, Seal, SealedEntry, SealedRows, SealForm
from backoffice.audit.seals import canonical, keys, merkle, sealing
from backoffice.audit.seals.chain import statement_of
from backoffice.audit.seals.exceptions import KeyMissing, SealError
from backoffice.audit.seals.sealing import Outcome, seal_new_entries
from backoffice.audit.seals.verifying import Verification
from inventory.models import Product

from .conftest import a_product
from .tampering import tamper


def wrong() -> list[str]:
    """What a verification finds, without what tests on committed data leave of the roles."""
    return [
        finding.message
        for finding in Verification().findings()
        if finding.table not in ("auth_group", "auth_group_permissions")
    ]


def alter(change: str) -> None:
    """A migration of the history of products."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE inventory_historicalproduct {change}")


def sealed() -> list[int]:
    return list(
        SealedEntry.objects.order_by("seal_id", "change_set_id").values_list(
            "change_set_id", flat=True
        )
    )


def test_everything_comes_under_a_seal_once(product: Product, change_set: ChangeSet) -> None:
    everything = list(ChangeSet.objects.order_by("pk").values_list("pk", flat=True))

    first = seal_new_entries()
    assert (first.seals, first.entries, first.busy) == (1, len(everything), False)
    assert sealed() == everything
    again = seal_new_entries()
    assert (again.seals, again.entries, again.last) == (0, 0, None)
    assert sealed() == everything
    assert wrong() == []


def test_a_seal_is_chained_to_the_one_before(product: Product) -> None:
    seal_new_entries()
    with audit_context(source=Source.SHELL, reason="later"):
        Product.objects.update(brand="Acme")
    seal_new_entries()

    first, second = Seal.objects.order_by("pk")
    assert (first.pk, first.previous, second.pk, second.previous) == (1, "", 2, first.hash)
    assert second.count == 1
    assert second.change_sets == ((ChangeSet.objects.latest("pk").pk,) * 2,)
    key = keys.signing_key().public_key()
    assert keys.is_signed(key, statement_of(second, second.hash), second.signature)
    assert not keys.is_signed(key, statement_of(first, first.hash), second.signature)
    assert wrong() == []


def test_the_hashes_are_those_that_anyone_can_compute(product: Product) -> None:
    """The form of a row in words: 0x00 and the text of ROW(...) over its columns by name."""
    seal_new_entries()
    rows = SealedRows.objects.get(table="inventory_historicalproduct")
    form = SealForm.objects.get()
    columns = dict(canonical.load_form(form).tables["inventory_historicalproduct"])
    assert list(columns) == sorted(columns)
    assert columns["price"] == "numeric"
    with connection.cursor() as cursor:
        canonical.fix_output(cursor)
        names = ", ".join(
            f"trim_scale({name})" if kind else f'"{name}"' for name, kind in columns.items()
        )
        cursor.execute(f"SELECT ROW({names})::text FROM inventory_historicalproduct")
        (text,) = cursor.fetchone()
    assert text.count("Product S-1") == 1
    assert bytes(rows.hashes) == hashlib.sha256(b"\0" + text.encode()).digest()
    assert rows.keys == [str(product.pk)]

    seal = Seal.objects.get()
    hashes = SealedEntry.objects.order_by("change_set_id").values_list("hash", flat=True)
    assert seal.root == merkle.root([bytes.fromhex(hash_) for hash_ in hashes]).hex()
    assert form.hash == hashlib.sha256(form.description.encode()).hexdigest()


@pytest.mark.parametrize("leaves", [1, 2, 3, 4, 5, 7, 8, 13])
def test_the_root_is_that_of_rfc_6962(leaves: int) -> None:
    def by_the_book(data: list[bytes]) -> bytes:
        if len(data) == 1:
            return hashlib.sha256(b"\0" + data[0]).digest()
        half = 1
        while half * 2 < len(data):
            half *= 2
        pair = by_the_book(data[:half]) + by_the_book(data[half:])
        return hashlib.sha256(b"\1" + pair).digest()

    data = [str(number).encode() for number in range(leaves)]
    assert merkle.root(data) == by_the_book(data)


def test_the_root_of_nothing_is_that_of_rfc_6962() -> None:
    assert merkle.root([]) == hashlib.sha256(b"").digest()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["", "x", None], ["x", "", None]),
        (["a,b", "", None], ["a", "b,", None]),
        (['"', "", None], ["", '"', None]),
        (["a\\", "b", None], ["a\\\\", "b", None]),
        (["a ", "b", None], ["a", " b", None]),
        (["a", "b", None], ["a", "b", ""]),
        (["a", "b", None], ["a", "b", "NULL"]),
        (["a", "b", ")"], ["a", "b)", ""]),
    ],
)
def test_rows_that_differ_have_different_hashes(
    one: list[str | None], other: list[str | None], product: Product
) -> None:
    """Whatever stands where: no two ways to read the same text."""
    found = []
    with connection.cursor() as cursor:
        canonical.fix_output(cursor)
        there = canonical.Catalogue.read(cursor)
        form = canonical.form_of_today(there)
        hashed = form.row_hash("inventory_historicalproduct", there)
        for values in (one, other, one):
            tamper(
                "UPDATE inventory_historicalproduct "
                "SET brand = %s, description = %s, history_change_reason = %s",
                values,
            )
            cursor.execute(f"SELECT {hashed} FROM inventory_historicalproduct r")
            found.append(bytes(cursor.fetchone()[0]))
    assert found[0] != found[1]
    assert found[0] == found[2]


def test_what_a_session_is_set_to_changes_no_hash(product: Product) -> None:
    seal_new_entries()
    with connection.cursor() as cursor:
        for setting in (
            "TimeZone = 'Asia/Tokyo'", "DateStyle = 'German'", "extra_float_digits = -15",
            "bytea_output = 'escape'", "IntervalStyle = 'sql_standard'",
        ):  # fmt: skip
            cursor.execute(f"SET LOCAL {setting}")
    assert wrong() == []


def test_a_column_that_comes_later_begins_a_new_form_and_breaks_no_seal(product: Product) -> None:
    seal_new_entries()
    alter("ADD colour text DEFAULT 'red'")
    assert wrong() == []
    with audit_context(source=Source.SHELL):
        Product.objects.update(brand="Acme")
    seal_new_entries()

    assert list(Seal.objects.order_by("pk").values_list("form", flat=True)) == [1, 2]
    assert [form.number for form in SealForm.objects.order_by("number")] == [1, 2]
    assert wrong() == []
    tamper("UPDATE inventory_historicalproduct SET colour = 'blue'")
    # Under the second form alone the column is among what was sealed.
    found = [f for f in Verification().findings() if f.table == "inventory_historicalproduct"]
    assert {finding.wrong.value for finding in found} == {"row_altered"}
    assert {finding.seal for finding in found} == {2}


def test_a_column_with_more_places_breaks_no_seal(product: Product) -> None:
    seal_new_entries()
    alter("ALTER price TYPE numeric(20, 6)")
    assert wrong() == []


def test_a_column_that_is_gone_is_named_and_a_renamed_one_can_be_declared(
    product: Product, settings: Any
) -> None:
    alter("ADD colour text DEFAULT 'red'")
    seal_new_entries()
    alter("RENAME colour TO color")
    found = [f for f in Verification().findings() if f.wrong.value == "columns_gone"]
    assert [f.table for f in found] == ["inventory_historicalproduct"]
    assert "inventory_historicalproduct.colour is gone" in found[0].message

    settings.AUDIT_RENAMED = {
        "inventory_historicalproduct.colour": "inventory_historicalproduct.color"
    }
    assert wrong() == []
    tamper("UPDATE inventory_historicalproduct SET color = 'blue'")
    assert [f.wrong.value for f in Verification().findings()] == ["row_altered"]


def test_a_seal_holds_no_more_than_it_may(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    seal_new_entries()
    Seal.objects.latest("pk")
    for number in range(5):
        with audit_context(source=Source.SHELL, reason=str(number)):
            Product.objects.bulk_create([a_product(f"{number}-{n}") for n in range(4)])
    monkeypatch.setattr(sealing, "ENTRIES_PER_SEAL", 3)
    monkeypatch.setattr(sealing, "ROWS_PER_SEAL", 8)
    monkeypatch.setattr(sealing, "ROWS_PER_RUN", 3)
    before = Seal.objects.count()
    outcome = seal_new_entries()

    counts = Seal.objects.filter(pk__gt=before).order_by("pk").values_list("count", flat=True)
    assert (outcome.seals, outcome.entries, list(counts)) == (3, 5, [2, 2, 1])
    newest = SealedRows.objects.filter(seal_id__gt=before)
    assert sorted(len(rows.keys) for rows in newest) == [1] * 5 + [3] * 5
    assert wrong() == []


def test_a_change_set_that_is_too_big_has_a_seal_of_its_own(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal_new_entries()
    for number in range(2):
        with audit_context(source=Source.SHELL, reason=str(number)):
            Product.objects.bulk_create([a_product(f"{number}-{n}") for n in range(4)])
    monkeypatch.setattr(sealing, "ROWS_PER_SEAL", 2)
    assert seal_new_entries().seals == 2
    assert wrong() == []


def test_without_a_key_nothing_is_sealed(product: Product, settings: Any) -> None:
    settings.AUDIT_SIGNING_KEY = ""
    with pytest.raises(KeyMissing, match="audit_make_key"):
        seal_new_entries()
    with pytest.raises(CommandError, match="audit_make_key"):
        call_command("audit_seal")
    assert not Seal.objects.exists()


@pytest.mark.parametrize(
    "content", ["", "no key", "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n"]
)
def test_a_file_that_holds_no_key_is_refused(
    content: str, product: Product, settings: Any, tmp_path: Path
) -> None:
    path = tmp_path / "seals.pem"
    path.write_text(content)
    settings.AUDIT_SIGNING_KEY = str(path)
    with pytest.raises(SealError, match="no private key"):
        seal_new_entries()
    assert not Seal.objects.exists()


def test_a_key_is_made_for_its_owner_alone_and_never_overwritten(
    tmp_path: Path, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "keys" / "seals.pem"
    call_command("audit_make_key", str(path))
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert f"AUDIT_SIGNING_KEY={path}" in capsys.readouterr().out
    written = path.read_bytes()
    with pytest.raises(CommandError, match="is there already"):
        call_command("audit_make_key", str(path))
    assert path.read_bytes() == written

    settings.AUDIT_SIGNING_KEY = str(path)
    own = keys.key_id(keys.signing_key().public_key())
    settings.AUDIT_SIGNING_KEY = ""
    settings.AUDIT_PUBLIC_KEYS = [f"{path}.pub"]
    assert list(keys.public_keys()) == [own]


def test_the_text_of_a_key_does_as_well_as_its_file(settings: Any) -> None:
    file = settings.AUDIT_SIGNING_KEY
    by_file = keys.key_id(keys.signing_key().public_key())
    settings.AUDIT_SIGNING_KEY = Path(file).read_text()
    assert keys.key_id(keys.signing_key().public_key()) == by_file


type Connect = Callable[[], psycopg.Connection[Any]]


@pytest.fixture
def another(transactional_db: None) -> Iterator[Connect]:
    """Connections of other programs to the same database."""
    # What the migrations left on the record, if this is the first test on committed data.
    tamper(f"TRUNCATE {', '.join([canonical.CHANGE_SETS, *canonical.history_tables()])}")
    parameters = connection.get_connection_params()
    opened: list[psycopg.Connection[Any]] = []

    def connect() -> psycopg.Connection[Any]:
        names = {
            key: parameters[key]
            for key in ("dbname", "host", "port", "user", "password")
            if key in parameters
        }
        opened.append(psycopg.connect(**names))
        return opened[-1]

    yield connect
    for one in opened:
        one.close()


def test_a_long_transaction_holds_nobody_up_and_is_sealed_when_it_ends(another: Connect) -> None:
    """Its number is the lower one. A sealer that went on from its last number would miss it."""
    slow = another()
    slow.execute("INSERT INTO inventory_product (sku, name, price) VALUES ('slow', 'x', 1)")
    a_product("quick").save()
    quick = ChangeSet.objects.latest("pk").pk

    assert seal_new_entries(thorough=False).entries == 1
    assert sealed() == [quick]
    slow.commit()
    late = ChangeSet.objects.exclude(pk=quick).get().pk
    assert late < quick
    assert seal_new_entries(thorough=False).entries == 1
    assert sealed() == [quick, late]
    assert wrong() == []


def test_what_is_rolled_back_is_never_sealed(another: Connect) -> None:
    slow = another()
    slow.execute("INSERT INTO inventory_product (sku, name, price) VALUES ('slow', 'x', 1)")
    a_product("quick").save()
    seal_new_entries()
    slow.rollback()
    assert seal_new_entries().seals == 0
    assert len(sealed()) == 1
    assert wrong() == []


def two_sealers(monkeypatch: pytest.MonkeyPatch) -> Outcome:
    """What the second one says, that comes while the first one signs."""
    signing, go_on = threading.Event(), threading.Event()
    first: list[Outcome] = []

    def sign(key: Any, statement: str) -> str:
        if threading.current_thread() is thread:
            signing.set()
            assert go_on.wait(20)
        return really_sign(key, statement)

    def run() -> None:
        try:
            first.append(seal_new_entries())
        finally:
            connection.close()

    really_sign = keys.sign
    monkeypatch.setattr(keys, "sign", sign)
    thread = threading.Thread(target=run)
    thread.start()
    assert signing.wait(20)
    later = threading.Timer(0.5, go_on.set)
    later.start()
    try:
        return seal_new_entries()
    finally:
        go_on.set()
        thread.join()
        later.join()
        assert [outcome.seals for outcome in first] == [1]


def test_a_second_sealer_does_nothing(another: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    a_product().save()
    second = two_sealers(monkeypatch)
    assert (second.busy, second.seals, second.entries) == (True, 0, 0)
    assert (Seal.objects.count(), SealedEntry.objects.count()) == (1, 1)
    assert wrong() == []


def test_without_the_lock_a_second_sealer_would_get_in_the_way(
    another: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: each takes a lock of its own, and one of them fails."""
    a_product().save()
    numbers = itertools.count(100)
    taken = "SELECT pg_try_advisory_xact_lock(%s)"
    execute = CursorWrapper.execute

    def without(self: CursorWrapper, sql: Any, params: Any = None) -> Any:
        return execute(self, sql, [next(numbers)] if sql == taken else params)

    monkeypatch.setattr(CursorWrapper, "execute", without)
    with pytest.raises(IntegrityError, match="already exists"):
        two_sealers(monkeypatch)
    assert wrong() == []


def test_a_crash_loses_no_seal_and_the_next_run_goes_on(
    another: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        a_product(f"S-{number}").save()
    monkeypatch.setattr(sealing, "ENTRIES_PER_SEAL", 1)
    made: list[Seal] = []

    def sign(key: Any, seal_hash: str) -> str:
        made.append(Seal())
        if len(made) == 2:
            raise KeyboardInterrupt
        return real(key, seal_hash)

    real = keys.sign
    monkeypatch.setattr(keys, "sign", sign)
    with pytest.raises(KeyboardInterrupt):
        seal_new_entries()
    assert (Seal.objects.count(), SealedEntry.objects.count(), SealedRows.objects.count()) == (
        1,
    ) * 3

    assert seal_new_entries().seals == 2
    assert list(Seal.objects.order_by("pk").values_list("pk", flat=True)) == [1, 2, 3]
    assert wrong() == []


def test_nothing_is_sealed_inside_a_transaction(another: Connect) -> None:
    """Its own entries may grow after they were sealed."""
    with transaction.atomic():
        a_product().save()
        with pytest.raises(RuntimeError, match="durable"):
            seal_new_entries()
    assert not Seal.objects.exists()
