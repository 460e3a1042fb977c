"""What a verification looks at besides the seals, how far it goes, and what the command says."""

import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from backoffice.accounts.models import User
from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import ChangeSet, SealEvent
from backoffice.audit.seals import verifying
from backoffice.audit.seals.findings import Wrong
from backoffice.audit.seals.verifying import Verification
from inventory.models import Product, ProductImage, Tag

from .tampering import tamper
from .verified import NOT_SEALED, as_told, live, some_row, told


@pytest.fixture
def life(catalogue_manager: User) -> None:
    live(catalogue_manager)


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
