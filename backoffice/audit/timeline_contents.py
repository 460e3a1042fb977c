"""What entries of the timeline touched: counted up to a limit, and read a page at a time."""

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models.functions import Lower

from .history import Entry, Kind, Row, fields_told, read, with_predecessors
from .models import ChangeSet
from .naming import history_of
from .selectors import ROWS_PER_SECTION, Tally
from .timeline_sql import (
    Query,
    changed_since_before,
    first_rows,
    history_table,
    quoted,
    rows_of_entry,
)

# Beyond it "more than 10,000": a number that nobody reads exactly is not worth a scan.
MOST_COUNTED = 10_000
# Rows of a change set that are searched at once, and for how long a page goes on.
WINDOW = 10_000
SECONDS_PER_PAGE = 1.0
# Entries of so few rows show on the timeline what changed.
ROWS_SHOWN_AT_ONCE = 3


def counted(numbers: Sequence[int], among: Sequence[type[models.Model]]) -> dict[int, list[Tally]]:
    """What each of the entries touched, by model, in one query. Those without rows are left out."""
    if not numbers or not among:
        return {}
    branches = [
        f"SELECT n.id, {place}, h.history_type, count(*) FROM unnest(%s::bigint[]) AS n(id), "
        f"LATERAL ({first_rows(model, 'n.id', 'history_type')} LIMIT {MOST_COUNTED + 1}) h "
        "GROUP BY n.id, h.history_type"
        for place, model in enumerate(among)
    ]
    query = Query(" UNION ALL ".join(branches), [list(numbers)] * len(branches))
    kinds: dict[tuple[int, int], dict[str, int]] = defaultdict(dict)
    for number, place, kind, count in query.rows():
        kinds[number, place][Kind(kind).name.lower()] = count
    found: dict[int, list[Tally]] = defaultdict(list)
    for number, place in sorted(kinds):
        tally = Tally(model=among[place], **kinds[number, place])
        if tally.total > MOST_COUNTED:
            tally = Tally(model=among[place], more_than=MOST_COUNTED)
        found[number].append(tally)
    return dict(found)


def shown_at_once(
    tallies: dict[int, list[Tally]], *, viewer: Any
) -> dict[int, list[tuple[type[models.Model], Entry]]]:
    """The rows of those entries that have no more than a few, to stand on the timeline."""
    few = {
        number: each
        for number, each in tallies.items()
        if 0 < sum(tally.total for tally in each) <= ROWS_SHOWN_AT_ONCE
        and not any(tally.more_than for tally in each)
    }
    wanted: dict[type[models.Model], list[int]] = defaultdict(list)
    for number, each in few.items():
        for tally in each:
            wanted[tally.model].append(number)
    rows: list[Row] = []
    for model, numbers in wanted.items():
        records = history_of(model)._base_manager.filter(change_set_id__in=numbers)
        rows += with_predecessors(model, list(records.order_by("history_id")))
    found: dict[int, list[tuple[type[models.Model], Entry]]] = defaultdict(list)
    for row, entry in zip(rows, read(rows, viewer=viewer), strict=True):
        found[entry.change_set_id].append((row.model, entry))
    return dict(found)


@dataclass(frozen=True, kw_only=True)
class Search:
    """What is looked for among the rows of a change set: a word in their names, a field changed."""

    word: str = ""
    field: models.Field | None = None

    def __bool__(self) -> bool:
        return bool(self.word or self.field)


@dataclass(frozen=True, kw_only=True)
class Section:
    """A page of what a change set did to the rows of one model, in the order of the work.

    `next` is the row after which the next page begins, if there may be one; `unfinished` says
    that the time was up before the page was full.
    """

    tally: Tally
    entries: tuple[Entry, ...]
    next: int | None
    unfinished: bool = False


def change_set_sections(
    change_set: ChangeSet,
    tallies: Iterable[Tally],
    *,
    after: int = 0,
    search: Search | None = None,
    size: int = ROWS_PER_SECTION,
    viewer: Any = None,
) -> list[Section]:
    """For each tally the `size` rows that come after the history id `after`."""
    pages = []
    for tally in tallies:
        rows_of_set = rows_of_entry(tally.model, change_set.pk)
        unfinished = False
        if search:
            numbers, following = _searched(change_set, tally.model, search, after, size)
            records = list(rows_of_set.filter(history_id__in=numbers))
            unfinished = following is not None and len(numbers) < size
        else:
            records = list(rows_of_set.filter(history_id__gt=after)[: size + 1])
            following = records[size - 1].history_id if len(records) > size else None
            records = records[:size]
        pages.append((tally, with_predecessors(tally.model, records), following, unfinished))
    entries = iter(read((row for _, rows, *_ in pages for row in rows), viewer=viewer))
    return [
        Section(
            tally=tally,
            entries=tuple(next(entries) for _ in rows),
            next=following,
            unfinished=unfinished,
        )
        for tally, rows, following, unfinished in pages
    ]


def codes_of(model: type[models.Model]) -> list[str]:
    """The texts that no two objects of a model share, whatever their case: its codes, by name."""
    texts = {
        field.name
        for field in model._meta.fields
        if isinstance(field, models.CharField | models.TextField)
    }
    alone = {field.name for field in model._meta.fields if field.unique}
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint) and constraint.condition is None:
            expressions = [each for each in constraint.expressions if isinstance(each, Lower)]
            if len(expressions) == len(constraint.expressions) == 1:
                alone |= {each.name for each in expressions[0].get_source_expressions()}
    return sorted(texts & alone)


def named_by(model: type[models.Model]) -> list[models.Field]:
    """The texts by which people know objects of a model: its codes, and its name."""
    known = {"name", "title", "file_name", *codes_of(model)}
    return [field for field in fields_told(model) if field.name in known]


def _searched(
    change_set: ChangeSet, model: type[models.Model], search: Search, after: int, size: int
) -> tuple[list[int], int | None]:
    """Rows that were looked for, and the row from which to look on; None if there are no more."""
    asked, parameters = [], []
    if search.word:
        columns = ", ".join(f"h.{quoted(field.column)}" for field in named_by(model))
        pattern = search.word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        key = f"h.{quoted(model._meta.pk.column)}"
        asked.append(f"concat_ws(' ', {key}{columns and ', ' + columns}) ILIKE %s")
        parameters.append(f"%{pattern}%")
    if search.field is not None:
        asked.append(changed_since_before(model, search.field, "h"))
    found: list[int] = []
    deadline = time.monotonic() + SECONDS_PER_PAGE
    while True:
        query = Query(
            "WITH looked AS MATERIALIZED ("
            f"SELECT * FROM {history_table(model)} WHERE (change_set_id, history_id) > (%s, %s) "
            "AND change_set_id <= %s ORDER BY change_set_id, history_id LIMIT %s) "
            "(SELECT history_id, true FROM looked h WHERE "
            f"{' AND '.join(asked)} ORDER BY history_id LIMIT %s) "
            "UNION ALL (SELECT max(history_id), count(*) < %s FROM looked)",
            [
                change_set.pk,
                after,
                change_set.pk,
                WINDOW,
                *parameters,
                size + 1 - len(found),
                WINDOW,
            ],
        )
        *hits, (last, is_end) = query.rows()
        found += [number for number, _ in hits]
        if len(found) > size:
            return found[:size], found[size - 1]
        if is_end:
            return found, None
        after = last
        if time.monotonic() > deadline:
            return found, last
