"""Imports and exports against the bare limit, each in a copy of one and the same database."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from backoffice.audit.context import Source, audit_context
from backoffice.exchange.exporting import export_rows
from backoffice.exchange.models import FileFormat
from backoffice.exchange.resources import get_resource
from backoffice.exchange.services import import_file
from inventory.models import Product
from tests.bench.data import write_products
from tests.bench.databases import copied_database, vacuum
from tests.bench.limits import bare_change, bare_insert, library_loop
from tests.bench.telling import forget_peak, grown_since, report, say, timed

type Work = Callable[[], object]

# Rows for the library's loop, which runs twice: for the preview, and for the import.
SAMPLE = 200
MOST_MEMORY = 100  # MiB above idle


def bring_in(path: Path) -> None:
    with audit_context(source=Source.COMMAND, action="bench"):
        import_file(resource="products", path=path, reason="bench")


def imports(folder: Path, count: int) -> None:
    """With tags: all new, one in ten changed, nothing changed."""
    say(f"\n{count:,} products with tags, history included")
    new = write_products(folder / "new.csv", count, tags=True)
    changed = write_products(folder / "changed.csv", count, tags=True, change_every=10)
    limit, seconds = _best_of_both(partial(bare_insert, new), partial(bring_in, new))
    report("the limit: COPY and INSERT ... SELECT", limit, count)
    report("import, all new (a first load)", seconds, count, ratio=seconds / limit, most=1.5)
    bring_in(new)
    vacuum()
    limit, seconds = _best_of_both(partial(bare_change, changed), partial(bring_in, changed))
    report("the limit: COPY, UPDATE of one in ten", limit, count)
    report("import, one in ten changed", seconds, count, ratio=seconds / limit, most=2)
    limit, seconds = _best_of_both(partial(bare_change, new), partial(bring_in, new))
    report("the limit: COPY and a comparison", limit, count)
    report("import, nothing changed", seconds, count, ratio=seconds / limit)
    _export(FileFormat.CSV, count)
    _export(FileFormat.XLSX, count)
    sample = write_products(folder / "sample.csv", SAMPLE, tags=True, first=count)
    with copied_database():
        seconds = timed(lambda: library_loop(sample))
    report(f"django-import-export's own loop, {SAMPLE} new", seconds, SAMPLE)


def _best_of_both(limit: Work, ours: Work, times: int = 3) -> tuple[float, float]:
    """The shortest time of each, in turns: other work on the machine only ever adds to it."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(times):
        for work, found in zip((limit, ours), seconds, strict=True):
            with copied_database():
                found.append(timed(work))
    return min(seconds[0]), min(seconds[1])


def large_import(folder: Path, count: int) -> None:
    """Twelve columns without tags: all new, nothing changed, and out again."""
    say(f"\n{count:,} products of 12 columns, history included")
    new = write_products(folder / "large.csv", count)
    with copied_database():
        limit = timed(lambda: bare_insert(new))
    report("the limit: COPY and INSERT ... SELECT", limit, count)
    idle = forget_peak()
    seconds = timed(lambda: bring_in(new))
    report("import, all new (a first load)", seconds, count, ratio=seconds / limit, least=25_000)
    vacuum()
    with copied_database():
        limit = timed(lambda: bare_change(new))
    report("the limit: COPY and a comparison", limit, count)
    seconds = timed(lambda: bring_in(new))
    report("import, nothing changed", seconds, count, ratio=seconds / limit, least=50_000)
    grown_since(idle, "memory of both imports", MOST_MEMORY)
    _export(FileFormat.CSV, count, least=50_000)
    _export(FileFormat.JSON_LINES, count, least=50_000)


def _export(file_format: str, count: int, *, least: int | None = None) -> None:
    idle = forget_peak()
    seconds = timed(partial(_drained, file_format))
    report(f"export, {file_format}", seconds, count, least=least)
    grown_since(idle, "memory of it", MOST_MEMORY)


def _drained(file_format: str) -> int:
    rows = Product.objects.all()
    blocks = export_rows(get_resource("products"), rows, user=None, file_format=file_format)
    return sum(len(block) for block in blocks)
