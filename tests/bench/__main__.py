"""`make bench`: what the exchange and the record cost, as ratios within one run.

Works in a database of its own, which it drops at the end. ARGS=record measures the pages of the
record instead, ARGS=seals its seals; a number makes all of it smaller: 100000 rows are then so
many, a million ten times.
"""

import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")

import django

django.setup()

from django.db import connection

from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import ChangeSet
from backoffice.audit.undo.services import undo_change_set
from backoffice.exchange.models import ImportJob
from inventory.models import Product
from tests.bench.data import write_products
from tests.bench.databases import copied_database, rolled_back, vacuum
from tests.bench.exchange import bring_in, imports, large_import
from tests.bench.home import home
from tests.bench.pages import pages
from tests.bench.record_pages import measure
from tests.bench.seals import measure_seals
from tests.bench.telling import report, say, timed


def undos(folder: Path, count: int) -> None:
    """An import taken back, and brought in again: each no slower than the import."""
    say(f"\nundo of {count:,} products with tags, history included")
    imported = timed(lambda: bring_in(write_products(folder / "undo.csv", count, tags=True)))
    report("the import", imported, count)
    job = ImportJob.objects.latest("pk")
    for what in ("undo of it", "undo of the undo", "undo once more"):
        change_set = ChangeSet.objects.latest("pk") if what != "undo of it" else job.change_set
        vacuum()
        seconds = timed(lambda of=change_set: take_back(of))
        report(what, seconds, count, ratio=seconds / imported, of="the import", most=1)


def take_back(change_set: ChangeSet) -> None:
    with audit_context(source=Source.COMMAND, action="bench"):
        undo_change_set(change_set=change_set, actor=None, reason="bench")


def history_of_one_save(times: int = 2_000) -> None:
    keys = list(Product.objects.order_by("pk").values_list("pk", flat=True)[:times])

    def save_often() -> None:
        # Each row once: the versions of a row that one transaction changes often stand in its way.
        for key in keys:
            Product.objects.filter(pk=key).update(is_featured=True)

    with rolled_back():
        save_often()  # warm
    with rolled_back():
        with_history = timed(save_often)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE inventory_product DISABLE TRIGGER USER")
        try:
            with rolled_back():
                without = timed(save_often)
        finally:
            cursor.execute("ALTER TABLE inventory_product ENABLE TRIGGER USER")
    say("\none save, history included")
    report(
        "update of one row", with_history, len(keys), ratio=with_history / without,
        of="without history", most=1.5,
    )  # fmt: skip


def record() -> None:
    """The pages of the record. Takes some minutes and gigabytes; a number makes it smaller."""
    change_sets = int(sys.argv[2]) if len(sys.argv) > 2 else 2_000_000
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        measure(say, change_sets, bulk_sets=8, rows=change_sets // 2)
    finally:
        connection.creation.destroy_test_db("stockbook", verbosity=0)


def seals() -> None:
    """Sealing and verifying a million rows, and finding the one that was altered."""
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        measure_seals(say, rows)
    finally:
        connection.creation.destroy_test_db("stockbook", verbosity=0)


def main() -> None:
    for part in (record, seals, pages, home):
        if sys.argv[1:2] == [part.__name__]:
            part()
            return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            vacuum()
            with copied_database():
                large_import(folder, 10 * count)
            with copied_database():
                imports(folder, count)
                history_of_one_save()
            with copied_database():
                undos(folder, count)
    finally:
        connection.creation.destroy_test_db("stockbook", verbosity=0)


if __name__ == "__main__":
    main()
