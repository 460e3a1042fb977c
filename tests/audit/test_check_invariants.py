"""`check_invariants` is silent about what holds, and names each case of what does not."""

import json
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from backoffice.audit import invariants
from backoffice.audit.invariants import invariant
from backoffice.audit.models import ChangeSet
from backoffice.audit.seals.sealing import seal_new_entries
from inventory.models import Product

from .tampering import tamper


def run(capsys: pytest.CaptureFixture[str]) -> dict[str, list[str]]:
    code = 0
    try:
        call_command("check_invariants", "--json")
    except SystemExit as end:
        code = int(str(end))
    found: dict[str, list[str]] = json.loads(capsys.readouterr().out)
    assert code == (1 if any(found.values()) else 0)
    return {name: cases for name, cases in found.items() if name in ("I7", "I8", "I10")}


def test_all_of_them_hold(product: Product, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys) == {"I7": [], "I8": [], "I10": []}
    call_command("check_invariants")
    said = capsys.readouterr().out.splitlines()
    assert "I7: append-only tables refuse UPDATE, DELETE and TRUNCATE: holds" in said


def test_a_table_that_lets_go_is_named(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_seal DISABLE TRIGGER USER")
    found = run(capsys)["I7"]
    assert found[0].startswith("The trigger append_only of audit.Seal is disabled")
    assert found[1:] == ["audit_seal takes UPDATE.", "audit_seal takes DELETE."]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE inventory_product SET price = 3", "is not what its newest history row says."),
        ("DELETE FROM inventory_product", "is gone, and its history does not say so."),
        ("DELETE FROM inventory_historicalproduct", "has no history."),
        (
            "UPDATE inventory_historicalproduct SET history_type = '-'",
            "is there, and its history says that it was deleted.",
        ),
    ],
)
def test_a_live_row_off_the_record_is_named(
    statement: str, said: str, product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    tamper(statement)
    with pytest.raises(SystemExit):
        call_command("check_invariants")
    lines = capsys.readouterr().out.splitlines()
    assert f"  Product {product.pk} {said}" in lines
    assert any(line.startswith("I8: ") and "broken by 1 case" in line for line in lines)


def test_a_row_without_a_change_set_is_named(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    number = ChangeSet.objects.latest("pk").pk
    tamper("DELETE FROM audit_changeset WHERE id = %s", [number])
    assert run(capsys)["I10"] == [
        f"1 row of inventory_historicalproduct names change set {number}, which is not there."
    ]


def test_what_does_not_verify_is_named(
    product: Product, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    seal_new_entries()
    assert run(capsys)["I10"] == []
    tamper("UPDATE inventory_historicalproduct SET history_user_id = 7")
    (line,) = run(capsys)["I10"]
    assert line.startswith(f"Product {product.pk}: history row ")
    assert "was altered" in line
    settings.AUDIT_SIGNING_KEY = ""
    assert "AUDIT_PUBLIC_KEYS" in run(capsys)["I10"][0]


def test_apps_register_their_own(
    db: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(invariants, "_registered", dict(invariants._registered))

    @invariant("I1", "on hand is the sum of the ledger")
    def levels_off_the_ledger() -> list[str]:
        return ["S-1 in Berlin: 3, and the ledger says 2."]

    with pytest.raises(ValueError, match="I1 already"):
        invariant("I1", "again")(levels_off_the_ledger)
    with pytest.raises(SystemExit, match="1"):
        call_command("check_invariants")
    said = capsys.readouterr().out.splitlines()
    assert said[:2] == [
        "I1: on hand is the sum of the ledger: broken by 1 case",
        "  S-1 in Berlin: 3, and the ledger says 2.",
    ]
