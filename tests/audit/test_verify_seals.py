"""The seals themselves cannot be altered, removed, forged or replaced unseen."""

import pytest

from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import Seal, SealedEntry, SealedRows, SealForm
from backoffice.audit.seals import checkpoints, keys, merkle
from backoffice.audit.seals.chain import seal_hash, statement_of
from backoffice.audit.seals.checkpoints import Checkpoint, note
from backoffice.audit.seals.sealing import seal_new_entries
from backoffice.audit.seals.verifying import Verification
from inventory.models import Product

from .conftest import a_product
from .tampering import tamper


@pytest.fixture
def _three_seals(db: None) -> None:
    for number in range(3):
        with audit_context(source=Source.SHELL, action="Work", reason=str(number)):
            Product.objects.bulk_create([a_product(f"P-{number}-{n}") for n in range(4)])
        with audit_context(source=Source.SHELL, action="More", reason=str(number)):
            Product.objects.update(brand=f"Brand {number}")
        seal_new_entries()
    assert told() == []


pytestmark = pytest.mark.usefixtures("_three_seals")


def told(*kept: Checkpoint) -> list[tuple[str, int | None]]:
    findings = Verification(checkpoints=kept).findings()
    return [(f.wrong.value, f.seal) for f in findings]


def of_entries() -> list[tuple[str, int | None, int | None]]:
    return [(f.wrong.value, f.seal, f.change_set) for f in Verification().findings()]


def kept() -> list[Checkpoint]:
    """What somebody outside has of all the seals."""
    notes = "\n".join(note(seal) for seal in Seal.objects.order_by("pk"))
    return list(checkpoints.read(notes))


def an_entry(seal: int = 2) -> SealedEntry:
    return SealedEntry.objects.filter(seal_id=seal).latest("change_set_id")


@pytest.mark.parametrize(
    "change",
    [
        "at = at + interval '1 microsecond'", "form = 7", "count = count + 1",
        "change_sets = change_sets + '{[1000000,1000001)}'", "root = md5(root)",
        "previous = md5(previous)", "key_id = 'x'",
    ],
)  # fmt: skip
def test_an_altered_seal_is_named(change: str) -> None:
    tamper(f"UPDATE audit_seal SET {change} WHERE id = 2")
    assert told()[0] == ("seal_altered", 2)
    assert {seal for _wrong, seal in told()} - {None} == {2}


def test_an_altered_hash_of_a_seal_is_named() -> None:
    tamper("UPDATE audit_seal SET hash = md5(hash) WHERE id = 2")
    assert told() == [("seal_altered", 2)]
    assert [f.message for f in Verification().findings()] == ["The hash of seal 2 was altered."]


@pytest.mark.parametrize("signature", ["", "x", "AAAA", "é"])
def test_an_altered_signature_is_named(signature: str) -> None:
    tamper("UPDATE audit_seal SET signature = %s WHERE id = 2", [signature])
    assert told() == [("signature_wrong", 2)]


def test_the_signature_of_another_seal_does_not_do() -> None:
    tamper(
        "UPDATE audit_seal SET signature = (SELECT signature FROM audit_seal WHERE id = 1) "
        "WHERE id = 2"
    )
    assert told() == [("signature_wrong", 2)]


def test_a_removed_seal_is_named() -> None:
    tamper("DELETE FROM audit_seal WHERE id = 2")
    assert told() == [("seal_removed", 2)]


def test_a_removed_first_seal_is_named() -> None:
    tamper("DELETE FROM audit_seal WHERE id = 1")
    assert told() == [("seal_removed", 1)]


def cut_the_end_off() -> None:
    tamper("DELETE FROM audit_seal WHERE id = 3")
    tamper("DELETE FROM audit_sealedentry WHERE seal_id = 3")
    tamper("DELETE FROM audit_sealedrows WHERE seal_id = 3")


def test_a_forged_seal_is_named() -> None:
    """A seal over forged contents, with a right hash and place, and no key to sign it."""
    last, form = Seal.objects.latest("pk"), SealForm.objects.get()
    forged = Seal(
        pk=4, at=last.at, form=form.number, count=0, change_sets=(), root=merkle.root([]).hex(),
        previous=last.hash, key_id=last.key_id, signature=last.signature,
    )  # fmt: skip
    forged.hash = seal_hash(forged, form.hash)
    forged.save(force_insert=True)
    assert told() == [("signature_wrong", 4)]


def sign_again(seal: Seal) -> str:
    return keys.sign(keys.signing_key(), statement_of(seal, seal.hash))


def test_a_broken_link_is_named() -> None:
    """Signed by whoever has the key, and still not what follows from the seal before."""
    seal, form = Seal.objects.get(pk=2), SealForm.objects.get()
    seal.previous = "0" * 64
    seal.hash = seal_hash(seal, form.hash)
    tamper(
        "UPDATE audit_seal SET previous = %s, hash = %s, signature = %s WHERE id = 2",
        [seal.previous, seal.hash, sign_again(seal)],
    )
    assert told() == [("link_broken", 2), ("link_broken", 3)]


def test_an_entry_that_was_taken_out_of_a_seal_is_named() -> None:
    entry = an_entry()
    tamper("DELETE FROM audit_sealedentry WHERE id = %s", [entry.pk])
    assert of_entries() == [("entry_removed", 2, entry.change_set_id)]


def test_an_entry_that_was_put_under_a_seal_is_named() -> None:
    with audit_context(source=Source.SHELL, reason="new"):
        a_product("new").save()
    new = Product.history.get(sku="new").change_set_id
    tamper(
        "INSERT INTO audit_sealedentry (seal_id, change_set_id, hash, row_hash) "
        "SELECT 2, %s, hash, row_hash FROM audit_sealedentry WHERE id = %s",
        [new, an_entry().pk],
    )
    assert ("entry_inserted", 2, new) in of_entries()


@pytest.mark.parametrize("hash_", ["0" * 64, "no hash"])
def test_an_altered_hash_of_an_entry_is_named(hash_: str) -> None:
    entry = an_entry()
    tamper("UPDATE audit_sealedentry SET hash = %s WHERE id = %s", [hash_, entry.pk])
    assert of_entries() == [("entry_altered", 2, entry.change_set_id)]


def test_an_altered_hash_of_the_row_of_an_entry_is_named() -> None:
    entry = an_entry()
    tamper("UPDATE audit_sealedentry SET row_hash = '' WHERE id = %s", [entry.pk])
    assert of_entries() == [("entry_altered", 2, entry.change_set_id)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_sealedrows SET hashes = decode(repeat('00', length(hashes)), 'hex')",
        "UPDATE audit_sealedrows SET hashes = ''",
        "UPDATE audit_sealedrows SET keys[1] = '7'",
        "UPDATE audit_sealedrows SET history_ids = '{[1,3)}'",
        "UPDATE audit_sealedrows SET \"table\" = 'inventory_historicaltag'",
        "DELETE FROM audit_sealedrows",
    ],
)
def test_altered_hashes_of_rows_are_named(statement: str) -> None:
    rows = SealedRows.objects.filter(change_set_id=an_entry().change_set_id).latest("pk")
    tamper(f"{statement} WHERE id = %s", [rows.pk])
    assert ("row_hashes_altered", 2, rows.change_set_id) in of_entries()


def test_hashes_of_rows_that_were_put_there_are_named() -> None:
    entry = an_entry()
    tamper(
        'INSERT INTO audit_sealedrows (seal_id, change_set_id, "table", history_ids, keys, hashes) '
        "VALUES (2, %s, 'inventory_historicaltag', '{[7,8)}', '{7}', sha256(''))",
        [entry.change_set_id],
    )
    assert ("row_hashes_altered", 2, entry.change_set_id) in of_entries()


def test_a_row_that_was_altered_with_its_hash_is_told_by_its_entry() -> None:
    row = Product.history.filter(change_set_id=an_entry().change_set_id).latest("history_id")
    tamper(
        "UPDATE inventory_historicalproduct SET brand = 'x' WHERE history_id = %s",
        [row.history_id],
    )
    tamper("DELETE FROM audit_sealedrows WHERE change_set_id = %s", [row.change_set_id])
    assert ("row_hashes_altered", 2, row.change_set_id) in of_entries()


def test_an_entry_that_was_altered_with_all_its_hashes_is_told_by_its_seal() -> None:
    entry = an_entry()
    tamper("DELETE FROM audit_sealedrows WHERE change_set_id = %s", [entry.change_set_id])
    tamper(
        "DELETE FROM inventory_historicalproduct WHERE change_set_id = %s", [entry.change_set_id]
    )
    tamper(
        "UPDATE audit_sealedentry SET hash = encode(sha256('\\x03'::bytea || row_hash), 'hex') "
        "WHERE id = %s",
        [entry.pk],
    )
    found = [f for f in Verification().findings() if f.seal is not None]
    assert [(f.wrong.value, f.seal) for f in found] == [("entry_altered", 2)]
    assert f"to {entry.change_set_id}" in found[0].message


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_sealform SET description = replace(description, '[\"brand\",\"\"],', '')",
        "DELETE FROM audit_sealform",
    ],
)
def test_an_altered_form_is_named(statement: str) -> None:
    assert tamper(statement) == 1
    assert "form_altered" in {f.wrong.value for f in Verification().findings()}


def test_a_form_that_was_altered_with_its_hash_makes_the_seals_wrong() -> None:
    tamper(
        "UPDATE audit_sealform SET description = d, hash = encode(sha256(convert_to(d, 'UTF8')), "
        "'hex') FROM (SELECT replace(description, '[\"brand\",\"\"],', '') AS d "
        "FROM audit_sealform) altered"
    )
    assert {("seal_altered", 1), ("seal_altered", 2), ("seal_altered", 3)} <= set(told())
