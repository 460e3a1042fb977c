"""History goes when its time is over: to a file, verified, on the record, and nothing but that."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection, transaction

from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import Archive, ChangeSet
from backoffice.audit.seals import archiving
from backoffice.audit.seals.sealing import seal_new_entries
from backoffice.audit.seals.verifying import Verification
from inventory.models import Product

from .conftest import a_product
from .tampering import tamper

TABLE = "inventory_historicalproduct"


@pytest.fixture
def old(db: None, settings: Any) -> None:
    """Three seals over four products: 4 + 5 + 4 rows; the first two are three years old."""
    settings.AUDIT_RETENTION = {"inventory.Product": 365}
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
    assert told() == []


@pytest.fixture
def three_years_on(old: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first two seals are old enough. Their times are sealed, so it is the search that lies."""
    monkeypatch.setattr(archiving, "_first_seal_within", lambda _period: 3)


def told(**options: Any) -> list[tuple[str, int | None]]:
    return [(f.wrong.value, f.seal) for f in Verification(**options).findings()]


def archive(folder: Path) -> None:
    call_command("audit_archive", str(folder), "--reason", "ten years are over")


@pytest.mark.usefixtures("three_years_on")
def test_old_rows_go_to_a_file_and_the_record_is_as_sealed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive(tmp_path)
    (file,) = tmp_path.iterdir()
    assert file.name == f"{TABLE}.before-seal-3.csv.gz"
    said = capsys.readouterr().out
    event = ChangeSet.objects.get(kind="archive")
    assert said.startswith("5 rows of inventory.Product: in ")
    assert f"5 of them gone from here; change set {event.pk}." in said
    assert Product.history.count() == 8
    # The newest of each, under those seals, is what the object was at the end of the time.
    assert Product.history.filter(brand="Brand 1").count() == 4

    assert (event.reason, event.facts["rows"]) == ("ten years are over", 5)
    assert event.facts["sha256"] in said
    verification = Verification()
    assert list(verification.findings()) == []
    assert verification.archived == 5
    seal_new_entries()
    assert told() == []
    call_command("audit_verify")
    said = capsys.readouterr().out
    assert "5 archived history rows are not here any more." in said
    assert "Archived 5 rows of the history of products (change set" in said

    call_command("audit_verify", "--json", "--archive", f"{TABLE}={file}")
    report = json.loads(capsys.readouterr().out)
    assert (report["verified"], report["archived"]) == (True, 0)
    assert report["archives"][0]["file"] == file.name

    with gzip.open(file, "rt") as opened:
        lines = opened.read().replace("Product P-2", "Product P-X")
    with gzip.open(file, "wt") as opened:
        opened.write(lines)
    assert told(archives={TABLE: [file]}) == [("row_altered", 1)]


@pytest.mark.usefixtures("three_years_on")
def test_nothing_can_go_afterwards_but_what_is_archived(tmp_path: Path) -> None:
    archive(tmp_path)
    for statement in (f"DELETE FROM {TABLE}", "DELETE FROM audit_archive"):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            connection.cursor().execute(statement)
    kept = Product.history.filter(brand="Brand 1").earliest("history_id")
    tamper(f"DELETE FROM {TABLE} WHERE history_id = %s", [kept.history_id])
    assert told() == [("row_removed", 2)]


@pytest.mark.usefixtures("three_years_on")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_archive SET history_ids = history_ids + '{[1,1000000)}'",
        "UPDATE audit_archive SET change_set_id = 0",
        "UPDATE audit_archive SET \"table\" = 'inventory_historicaltag'",
    ],
)
def test_what_was_archived_cannot_be_altered_unseen(statement: str, tmp_path: Path) -> None:
    archive(tmp_path)
    assert tamper(statement) == 1
    assert [wrong for wrong, _seal in told()] == ["archive_altered"] + ["row_removed"] * 5


@pytest.mark.usefixtures("three_years_on")
def test_without_its_archive_on_the_record_what_is_gone_was_removed(tmp_path: Path) -> None:
    archive(tmp_path)
    tamper("DELETE FROM audit_archive")
    assert [wrong for wrong, _seal in told()] == ["row_removed"] * 5


@pytest.mark.usefixtures("three_years_on")
def test_what_is_not_as_it_was_sealed_does_not_go(tmp_path: Path) -> None:
    row = Product.history.earliest("history_id")
    tamper(f"UPDATE {TABLE} SET brand = 'x' WHERE history_id = %s", [row.history_id])
    with pytest.raises(CommandError, match="Nothing was taken away: 1 thing is wrong"):
        archive(tmp_path)
    assert Product.history.count() == 13
    assert not list(tmp_path.iterdir())
    assert not Archive.objects.exists()
    assert not ChangeSet.objects.filter(kind="archive").exists()


@pytest.mark.usefixtures("three_years_on")
def test_a_file_that_is_not_what_was_written_takes_nothing_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that keeps something else."""
    copied = archiving._copy_out

    def worse(model: Any, before: int, path: Path) -> Any:
        done = copied(model, before, path)
        content = gzip.decompress(path.read_bytes()).replace(b"Product P-1", b"Product P-X")
        path.write_bytes(gzip.compress(content))
        return done

    monkeypatch.setattr(archiving, "_copy_out", worse)
    with pytest.raises(CommandError, match="does not hold what was to go"):
        archive(tmp_path)
    assert Product.history.count() == 13
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("three_years_on")
def test_a_crash_between_the_record_and_the_removal_leaves_the_record_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archiving, "ROWS_AT_ONCE", 2)
    whole = archiving._batches

    def cut_short(ids: Any) -> Iterator[Any]:
        yield next(iter(whole(ids)))
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(archiving, "_batches", cut_short)
        with pytest.raises(KeyboardInterrupt):
            archive(tmp_path)
    assert Product.history.count() == 11
    verification = Verification()
    assert list(verification.findings()) == []
    assert verification.archived == 2

    (tmp_path / "again").mkdir()
    archive(tmp_path / "again")
    assert Product.history.count() == 8
    files = [*tmp_path.glob("*.gz"), *(tmp_path / "again").iterdir()]
    assert len(files) == 2
    assert told() == []
    verification = Verification(archives={TABLE: files})
    assert list(verification.findings()) == []
    assert verification.archived == 0


@pytest.mark.usefixtures("three_years_on")
def test_an_archive_outlives_new_columns(tmp_path: Path) -> None:
    archive(tmp_path)
    (file,) = tmp_path.iterdir()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {TABLE} ADD colour text NOT NULL DEFAULT 'red'")
    assert told(archives={TABLE: [file]}) == []


@pytest.mark.usefixtures("three_years_on")
def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / f"{TABLE}.before-seal-3.csv.gz").write_text("kept")
    with pytest.raises(CommandError, match="is there already"):
        archive(tmp_path)
    assert Product.history.count() == 13


@pytest.mark.usefixtures("three_years_on")
def test_who_does_not_own_the_tables_is_refused(tmp_path: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("CREATE ROLE stockbook_rev_reader")
        cursor.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO stockbook_rev_reader")
        cursor.execute("SET LOCAL ROLE stockbook_rev_reader")
    with pytest.raises(CommandError, match="Only the owner of inventory_historicalproduct"):
        archive(tmp_path)


def test_what_is_young_stays(old: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive(tmp_path)
    assert capsys.readouterr().out == "Nothing that is sealed is old enough to go.\n"
    assert Product.history.count() == 13


def test_by_default_everything_is_kept(db: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="kept for ever"):
        archive(tmp_path)
    with pytest.raises(CommandError, match="is no folder"):
        archive(tmp_path / "none")
    with pytest.raises(CommandError, match="says why"):
        call_command("audit_archive", str(tmp_path), "--reason", " ")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"inventory.Nothing": 1}, "has no history"),
        ({"auth.Group": 1}, "has no history"),
        ({"inventory.Product": 0}, "above 0"),
    ],
)
def test_a_setting_that_means_nothing_is_refused(
    value: dict[str, int], said: str, settings: Any, db: None, tmp_path: Path
) -> None:
    settings.AUDIT_RETENTION = value
    assert [m.id for m in run_checks() if said in m.msg] == ["audit.E006"]
    with pytest.raises(CommandError, match=said):
        archive(tmp_path)
