"""`make bench`: what the exchange and the record cost, as ratios within one run.

Works in a database of its own, which it drops at the end. The limit is what PostgreSQL needs for
the same rows with the same triggers and indexes and without any checking: COPY and set-based SQL.
"""

import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")

import django

django.setup()

from django.db import connection, transaction

from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import ChangeSet
from backoffice.audit.undo.services import undo_change_set
from backoffice.exchange.exporting import export_rows
from backoffice.exchange.models import FileFormat, ImportJob
from backoffice.exchange.resources import get_resource
from backoffice.exchange.services import import_file
from inventory.models import Product
from tests.bench.data import write_products
from tests.bench.home import home
from tests.bench.limits import bare_change, bare_insert, library_loop
from tests.bench.pages import pages
from tests.bench.record_pages import measure
from tests.bench.seals import measure_seals


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


@contextmanager
def rolled_back() -> Iterator[None]:
    """Work whose traces would spoil what is measured next."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def bring_in(path: Path) -> float:
    with audit_context(source=Source.COMMAND, action="bench"):
        return timed(lambda: import_file(resource="products", path=path, reason="bench"))


def report(what: str, seconds: float, rows: int, against: float | None = None) -> None:
    ratio = f"  {seconds / against:5.2f} x the limit" if against else ""
    say(f"{what:<44}{seconds:8.1f} s {rows / seconds:12,.0f} rows/s{ratio}")


def imports(folder: Path, count: int) -> None:
    say(f"\n{count:,} products with tags, history included")
    new = write_products(folder / "new.csv", count, tags=True)
    changed = write_products(folder / "changed.csv", count, tags=True, change_every=10)

    with rolled_back():
        limit = timed(lambda: bare_insert(new))
    report("  the limit: COPY and INSERT ... SELECT", limit, count)
    report("  import, all new", bring_in(new), count, limit)
    connection.cursor().execute("VACUUM ANALYZE")
    with rolled_back():
        limit = timed(lambda: bare_change(changed))
    report("  the limit: COPY and UPDATE of one in ten", limit, count)
    report("  import, one in ten changed", bring_in(changed), count, limit)
    report("  import, nothing changed", bring_in(changed), count)

    sample = min(count, 200)
    with rolled_back():
        seconds = timed(lambda: library_loop(write_products(folder / "x.csv", sample, tags=True)))
    report(f"  django-import-export's row loop ({sample} rows)", seconds, sample)


def undos(folder: Path, count: int) -> None:
    """An import taken back, and brought in again: each no slower than the import."""
    say(f"\nundo of {count:,} products with tags, history included")
    imported = bring_in(write_products(folder / "undo.csv", count, tags=True))
    report("  the import", imported, count)
    job = ImportJob.objects.latest("pk")
    for what in ("undo of it", "undo of the undo", "undo once more"):
        change_set = ChangeSet.objects.latest("pk") if what != "undo of it" else job.change_set
        connection.cursor().execute("VACUUM ANALYZE")
        seconds = timed(lambda of=change_set: take_back(of))
        say(f"{'  ' + what:<44}{seconds:8.1f} s {seconds / imported:16.2f} x the import")
    connection.cursor().execute("VACUUM ANALYZE")


def take_back(change_set: ChangeSet) -> None:
    with audit_context(source=Source.COMMAND, action="bench"):
        undo_change_set(change_set=change_set, actor=None, reason="bench")


def exports() -> None:
    """Every format, with the memory that each adds to what was taken before."""
    count = Product.objects.count()
    say(f"\nexport of {count:,} products")
    for file_format in FileFormat.values:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        seconds = timed(partial(drained, file_format))
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        report(f"  {file_format} ({max(grown, 0) / 1024:.0f} MiB more)", seconds, count)


def drained(file_format: str) -> int:
    rows = Product.objects.all()
    blocks = export_rows(get_resource("products"), rows, user=None, file_format=file_format)
    return sum(len(block) for block in blocks)


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
    say(
        f"\none update: {without / len(keys) * 1e6:.0f} us without history, "
        f"{with_history / len(keys) * 1e6:.0f} us with: {with_history / without:.2f} x"
    )


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
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        with tempfile.TemporaryDirectory() as folder:
            undos(Path(folder), count)
            imports(Path(folder), count)
        exports()
        history_of_one_save()
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        say(f"\nmemory above idle at its peak: {grown / 1024:.0f} MiB")
    finally:
        connection.creation.destroy_test_db("stockbook", verbosity=0)


if __name__ == "__main__":
    main()
