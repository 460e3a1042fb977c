"""History may be copied out and dropped after its time: the seals still vouch for what is left."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import SealedEntry
from backoffice.audit.seals.sealing import seal_new_entries
from backoffice.audit.seals.verifying import Verification
from inventory.models import Product

from .conftest import a_product
from .tampering import tamper

TABLE = "inventory_historicalproduct"
# As docs/audit.md has it: all but the newest row of each object, under the seals before the third.
OLD = f"""
    SELECT history_id FROM (
        SELECT history_id,
               row_number() OVER (PARTITION BY h.id ORDER BY history_date DESC, history_id DESC)
        FROM {TABLE} h JOIN audit_sealedentry e USING (change_set_id) WHERE e.seal_id < 3
    ) old (history_id, number) WHERE number > 1
"""


@pytest.fixture
def archive(db: None, tmp_path: Path) -> Path:
    """Three seals over four products; what the first two hold is copied out, and 5 rows go."""
    for number in range(3):
        with audit_context(source=Source.SHELL, reason=str(number)):
            if number == 0:
                Product.objects.bulk_create(
                    [a_product(f"P-{n}", description='a "b",\nc' if n else "") for n in range(4)]
                )
            else:
                Product.objects.update(brand=f"Brand {number}")
                Product.objects.filter(sku="P-0").update(options={"Size": "ü, M"}, weight="1.5")
        seal_new_entries()
    path = tmp_path / "old.csv"
    with path.open("wb") as file, connection.cursor() as cursor:
        select = (
            f"SELECT h.* FROM {TABLE} h JOIN audit_sealedentry e USING (change_set_id) "
            "WHERE e.seal_id < 3"
        )
        with cursor.copy(f"COPY ({select}) TO STDOUT (FORMAT csv, HEADER)") as copy:
            for piece in copy:
                file.write(piece)
    assert tamper(f"DELETE FROM {TABLE} WHERE history_id IN ({OLD})") == 5
    return path


def told(**options: Any) -> list[tuple[str, int | None, int | None]]:
    found = Verification(**options).findings()
    return [(f.wrong.value, f.seal, f.history_id) for f in found]


def test_without_its_archive_what_is_gone_is_named(archive: Path) -> None:
    assert [(wrong, seal) for wrong, seal, _id in told()] == [
        *[("row_removed", 1)] * 4, ("row_removed", 2),
    ]  # fmt: skip


def test_what_may_be_gone_is_counted_and_the_rest_is_verified(archive: Path) -> None:
    verification = Verification(archived_before=3)
    assert list(verification.findings()) == []
    assert verification.archived == 5

    left = Product.history.filter(
        change_set_id__in=SealedEntry.objects.filter(seal_id=2).values("change_set_id")
    ).earliest("history_id")
    tamper(f"UPDATE {TABLE} SET brand = 'x' WHERE history_id = %s", [left.pk])
    tamper(f"DELETE FROM {TABLE} WHERE brand = 'Brand 2' AND sku = 'P-1'")
    assert told(archived_before=3)[0] == ("row_altered", 2, left.pk)
    assert ("row_removed", 3) in [(wrong, seal) for wrong, seal, _id in told(archived_before=3)]


@pytest.mark.parametrize("packed", [False, True])
def test_with_its_archive_nothing_is_missing(archive: Path, packed: bool) -> None:
    if packed:
        data = archive.read_bytes()
        archive = archive.with_suffix(".csv.gz")
        archive.write_bytes(gzip.compress(data))
    assert told(archives={TABLE: [archive]}) == []


def test_what_was_altered_in_the_archive_is_named(archive: Path) -> None:
    lines = archive.read_text().replace("Product P-2", "Product P-X")
    archive.write_text(lines)
    assert [(wrong, seal) for wrong, seal, _id in told(archives={TABLE: [archive]})] == [
        ("row_altered", 1)
    ]


def test_the_command_takes_both(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("audit_verify", "--archived-before", "3")
    said = capsys.readouterr().out
    assert "5 archived history rows are not here any more." in said
    call_command("audit_verify", "--json", "--archive", f"{TABLE}={archive}")
    report = json.loads(capsys.readouterr().out)
    assert (report["verified"], report["archived"]) == (True, 0)


@pytest.mark.parametrize(
    ("table", "content", "said"),
    [
        ("inventory_product", "", "is no history"),
        (TABLE, "", "does not begin with the names"),
        (TABLE, "a,b\n1,2\n", "does not begin with the names"),
    ],
)
def test_a_file_that_is_no_archive_is_refused(
    table: str, content: str, said: str, archive: Path
) -> None:
    archive.write_text(content)
    with pytest.raises(CommandError, match=said):
        call_command("audit_verify", "--archive", f"{table}={archive}")


def test_a_file_with_a_broken_line_is_refused(archive: Path) -> None:
    archive.write_text(f"{archive.read_text().splitlines()[0]}\nx,y\n")
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("audit_verify", "--archive", f"{TABLE}={archive}")
    with pytest.raises(CommandError, match="TABLE=FILE"):
        call_command("audit_verify", "--archive", "x")
