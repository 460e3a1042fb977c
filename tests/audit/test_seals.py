"""What is new on the record comes under a seal: all of it, once, whatever runs at the same time."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import ChangeSet, Seal, SealedEntry, SealedRows, SealForm
from backoffice.audit.seals import canonical, keys, merkle, sealing
from backoffice.audit.seals.chain import statement_of
from backoffice.audit.seals.exceptions import KeyMissing, SealError
from backoffice.audit.seals.sealing import seal_new_entries
from backoffice.audit.seals.verifying import Verification
from inventory.models import Product

from .conftest import a_product


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
