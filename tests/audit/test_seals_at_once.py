"""Every entry is sealed once, whatever runs at the same time."""

import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction
from django.db.backends.utils import CursorWrapper

from backoffice.audit.models import ChangeSet, Seal, SealedEntry, SealedRows
from backoffice.audit.seals import canonical, keys, sealing
from backoffice.audit.seals.sealing import Outcome, seal_new_entries
from backoffice.audit.seals.verifying import Verification

from .conftest import a_product
from .tampering import tamper


def wrong() -> list[str]:
    """What a verification finds, without what tests on committed data leave of the roles."""
    return [
        finding.message
        for finding in Verification().findings()
        if finding.table not in ("auth_group", "auth_group_permissions")
    ]


def sealed() -> list[int]:
    return list(
        SealedEntry.objects.order_by("seal_id", "change_set_id").values_list(
            "change_set_id", flat=True
        )
    )


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
