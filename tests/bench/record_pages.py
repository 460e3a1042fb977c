"""`make bench ARGS=record`: the timeline over millions of rows, its first page and a deep one."""

import time
from collections.abc import Callable

from django.db import connection

from backoffice.audit.exporting import export_csv, exported_lines
from backoffice.audit.models import ChangeSet
from backoffice.audit.timeline import Narrowing, Touched, timeline_page
from backoffice.audit.timeline_contents import (
    Search,
    change_set_sections,
    counted,
    shown_at_once,
)
from backoffice.audit.trail import trailed_models
from inventory.models import Category, Product
from tests.bench.record_data import RARE_ACTOR, fill, history_rows

BARCODE = Product._meta.get_field("barcode")
PRICE = Product._meta.get_field("price")
NARROWINGS = {
    "everything": Narrowing(),
    "a person": Narrowing(actor_id=7),
    "a person who did little": Narrowing(actor_id=RARE_ACTOR),
    "a rare source": Narrowing(source="sql"),
    "a person and a rare source": Narrowing(actor_id=18, source="sql"),
    "events of one kind": Narrowing(kind="sign_in"),
    "an import": Narrowing(references=("exchange.importjob/77",)),
    "a common kind of object": Narrowing(touched=(Touched(model=Product),)),
    "a rare kind of object": Narrowing(touched=(Touched(model=Category),)),
    "a rare kind and a person": Narrowing(touched=(Touched(model=Category),), actor_id=12),
    "one object": Narrowing(touched=(Touched(model=Product),), keys=(6,)),
    "a field of one object": Narrowing(touched=(Touched(model=Product, field=BARCODE),), keys=(6,)),
    "a field": Narrowing(touched=(Touched(model=Product, field=PRICE),)),
    "a common text": Narrowing(text="supplier"),
    "a text that is nowhere": Narrowing(text="nowhere"),
}


def _milliseconds(work: Callable[[], object]) -> float:
    work()
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def measure(say: Callable[[str], None], change_sets: int, bulk_sets: int, rows: int) -> None:
    """Fill the record, unless it is filled already, and read it as its pages do."""
    if ChangeSet.objects.count() < change_sets:
        fill(change_sets, bulk_sets, rows)
    say(f"\nthe timeline over {history_rows():,} history rows, in ms: first page, a deep one")
    for name, narrowing in NARROWINGS.items():
        times = [
            _milliseconds(lambda n=narrowing, b=before: timeline_page(n, before=b))
            for before in (None, 50_000)
        ]
        say(f"  {name:<42}{times[0]:10.1f}{times[1]:10.1f}")
    page = timeline_page(Narrowing()).entries
    numbers = [entry.pk for entry in page]
    tallies = counted(numbers, trailed_models)
    say(
        f"  {'counts per model':<42}{_milliseconds(lambda: counted(numbers, trailed_models)):10.1f}"
    )
    shown = _milliseconds(lambda: shown_at_once(tallies, viewer=None))
    say(f"  {'what changed in entries of few rows':<42}{shown:10.1f}")

    say("\na change set, in ms: of one row, the largest")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT change_set_id FROM inventory_historicalproduct GROUP BY 1 "
            "ORDER BY count(*) DESC LIMIT 1"
        )
        (largest,) = cursor.fetchone()
    for name, search in (("opened", None), ("a name looked for", Search(word="SKU-99999"))):
        times = []
        for number in (numbers[-1], largest):
            entry = ChangeSet.objects.get(pk=number)

            def read(entry: ChangeSet = entry, search: Search | None = search) -> None:
                found = counted([entry.pk], trailed_models)[entry.pk]
                change_set_sections(entry, found, search=search)

            times.append(_milliseconds(read))
        say(f"  {name:<42}{times[0]:10.1f}{times[1]:10.1f}")

    started, lines = time.perf_counter(), 0
    for count, _block in export_csv(exported_lines(Narrowing(), trailed_models)):
        lines += count
        if lines > 50_000:
            break
    say(f"\nexport of the record: {lines / (time.perf_counter() - started):,.0f} lines/s")
