"""The record as a file: one line for each field that changed, newest entry first.

The values are those of the database, not their wording: exact amounts, ISO times, keys. What a
key names stands beside it. Memory does not grow with what is exported.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import models
from django.utils import timezone

from .history import Kind, Row, fields_told, with_predecessors
from .models import ChangeSet
from .naming import Names, history_of
from .secrecy import facts_told
from .timeline import Narrowing, timeline_page
from .timeline_contents import counted
from .timeline_sql import rows_of_entry

COLUMNS = (
    "entry", "time", "kind", "who", "user", "source", "action", "reason", "request", "address",
    "database_user", "cause", "model", "key", "name", "change", "field", "old", "new", "old_name",
    "new_name", "facts",
)  # fmt: skip
ENTRIES_AT_ONCE = 500
ROWS_AT_ONCE = 2_000

# What a spreadsheet takes for the beginning of a formula, full-width forms included.
_FORMULA = re.compile(r"[=+\-@\t\r＝＋－＠]")

type Line = dict[str, Any]
type Blocks = Generator[tuple[int, bytes]]


def export_csv(lines: Iterable[list[Line]]) -> Blocks:
    """UTF-8 with a byte order mark and a header. Texts that look like formulas get a quote."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    yield 0, b"\xef\xbb\xbf" + buffer.getvalue().encode()
    for some in lines:
        buffer = io.StringIO()
        writer = csv.writer(buffer)
        writer.writerows([_cell(line.get(column)) for column in COLUMNS] for line in some)
        yield len(some), buffer.getvalue().encode()


def export_jsonl(lines: Iterable[list[Line]]) -> Blocks:
    """One JSON object a line, UTF-8."""
    for some in lines:
        texts = (json.dumps(line, ensure_ascii=False, default=_plain) + "\n" for line in some)
        yield len(some), "".join(texts).encode()


FORMS: dict[str, tuple[str, Callable[[Iterable[list[Line]]], Blocks]]] = {
    "csv": ("text/csv; charset=utf-8", export_csv),
    "jsonl": ("application/x-ndjson", export_jsonl),
}


def exported_lines(
    narrowing: Narrowing, among: Sequence[type[models.Model]], *, viewer: Any = None
) -> Iterator[list[Line]]:
    """The lines of what the timeline finds, some at a time.

    `among` are the models whose rows are told. Narrowed down to kinds of objects, to objects or
    to a field, it tells of those alone. An entry of which nothing is to be told, and an event,
    is one line without a model.
    """
    if narrowing.touched:
        touched = {one.model for one in narrowing.touched}
        among = [model for model in among if model in touched]
    before: int | None = None
    while True:
        page = timeline_page(narrowing, before=before, size=ENTRIES_AT_ONCE)
        for entries in _small_enough(page.entries, among):
            yield from _lines_of(entries, among, narrowing, viewer)
        if page.older is None:
            return
        before = page.older


def _small_enough(
    entries: Sequence[ChangeSet], among: Sequence[type[models.Model]]
) -> Iterator[list[ChangeSet]]:
    """The entries in groups whose rows can be held at once; a large one stands alone."""
    tallies = counted([entry.pk for entry in entries], among)
    group: list[ChangeSet] = []
    rows = 0
    for entry in entries:
        each = tallies.get(entry.pk, [])
        size = sum(tally.more_than or tally.total for tally in each)
        if group and rows + size > ROWS_AT_ONCE:
            yield group
            group, rows = [], 0
        group.append(entry)
        rows += size
    if group:
        yield group


def _lines_of(
    entries: Sequence[ChangeSet],
    among: Sequence[type[models.Model]],
    narrowing: Narrowing,
    viewer: Any,
) -> Iterator[list[Line]]:
    told: dict[int, list[Line]] = {entry.pk: [] for entry in entries}
    heads = {entry.pk: _head(entry, viewer) for entry in entries}
    alone = entries[0].pk if len(entries) == 1 else None
    is_silent = True
    for model in among:
        for rows in _rows(model, list(told), narrowing):
            for number, line in _changes(model, rows, narrowing, viewer):
                told[number].append({**heads[number], **line})
            if alone and told[alone]:
                # No need to hold what may be a million rows.
                yield told[alone]
                told[alone] = []
                is_silent = False
    lines = [line for pk, own in told.items() for line in own or ([heads[pk]] if is_silent else [])]
    if lines:
        yield lines


def _rows(
    model: type[models.Model], numbers: list[int], narrowing: Narrowing
) -> Iterator[list[Row]]:
    """History rows of some entries, each with the one before it."""
    objects = {f"{model._meta.pk.attname}__in": narrowing.keys} if narrowing.keys else {}
    if len(numbers) > 1:  # few rows, as they were counted
        found = history_of(model)._base_manager.filter(change_set_id__in=numbers, **objects)
        if records := sorted(found.order_by(), key=lambda record: record.history_id):
            yield with_predecessors(model, records)
        return
    after = 0
    while True:
        rows = rows_of_entry(model, numbers[0]).filter(history_id__gt=after, **objects)
        records = list(rows[:ROWS_AT_ONCE])
        if records:
            yield with_predecessors(model, records)
        if len(records) < ROWS_AT_ONCE:
            return
        after = records[-1].history_id


def _changes(
    model: type[models.Model], rows: Sequence[Row], narrowing: Narrowing, viewer: Any
) -> Iterator[tuple[int, Line]]:
    wanted = {one.field.attname for one in narrowing.fields if one.field and one.model is model}
    fields = [
        field for field in fields_told(model, viewer) if not wanted or field.attname in wanted
    ]
    names = Names()
    for row in rows:
        names.want_row(model, row.record)
        if row.previous is not None:
            names.want_row(model, row.previous)
    names.load()
    key = model._meta.pk.attname
    for row in rows:
        kind = Kind(row.record.history_type)
        if wanted and kind != Kind.CHANGED:
            continue
        about = {
            "time": row.record.history_date,
            "model": model._meta.label_lower,
            "key": getattr(row.record, key),
            "name": names.row(model, row.record),
            "change": kind.name.lower(),
        }
        for field in fields:
            now = getattr(row.record, field.attname)
            was = getattr(row.previous, field.attname) if row.previous is not None else None
            if kind == Kind.DELETED:
                was, now = now, None
            if was == now or (kind != Kind.CHANGED and _is_blank(was) and _is_blank(now)):
                continue
            line = {**about, "field": field.name, "old": was, "new": now}
            if isinstance(field, models.ForeignKey):
                line["old_name"] = None if was is None else names.target(field, was)
                line["new_name"] = None if now is None else names.target(field, now)
            yield row.record.change_set_id, line


def _is_blank(value: Any) -> bool:
    return value is None or value == "" or value == {} or value == []


def _head(entry: ChangeSet, viewer: Any) -> Line:
    """What every line of an entry says."""
    return {
        "entry": entry.pk,
        "time": entry.at,
        "kind": entry.kind,
        "who": entry.who,
        "user": entry.actor_id,
        "source": entry.source,
        "action": entry.action,
        "reason": entry.reason,
        "request": entry.request_id,
        "address": entry.client_address or "",
        "database_user": entry.database_user,
        "cause": entry.reference,
        **({"facts": facts_told(entry.facts, viewer)} if entry.facts else {}),
    }


def _cell(value: Any) -> Any:
    """A value in a CSV. Numbers stay numbers; no text is taken for a formula."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float() | Decimal():
            return _plain(value) if isinstance(value, Decimal) else value
        case dict() | list():
            return json.dumps(value, ensure_ascii=False, sort_keys=True, default=_plain)
    text = value if isinstance(value, str) else str(_plain(value))
    return f"'{text}" if _FORMULA.match(text) else text


def _plain(value: Any) -> Any:
    """What JSON has no form of its own for."""
    match value:
        case datetime():
            return timezone.localtime(value).isoformat() if timezone.is_aware(value) else str(value)
        case date():
            return value.isoformat()
        case Decimal():
            whole, point, places = f"{value:f}".partition(".")
            # Columns keep more places than amounts have; zeros beyond the second say nothing.
            return f"{whole}{point}{places[:2]}{places[2:].rstrip('0')}"
        case bytes() | memoryview():
            return bytes(value).hex()
    return str(value)
