"""Objects that are gone: a page of them at a time, the last deleted first."""

import time
from dataclasses import dataclass
from typing import Any

from django.db import models

from .history import Entry, Kind, Row, read
from .models import ChangeSet
from .naming import history_of
from .timeline_contents import named_by
from .timeline_sql import Query, history_table, quoted

PER_PAGE = 50
# How many deletions are looked at in one go, and for how long a page goes on.
WINDOW = 10_000
SECONDS_PER_PAGE = 1.0


@dataclass(frozen=True, kw_only=True)
class Gone:
    """An object as it was when it was deleted, and the change set that deleted it."""

    entry: Entry
    change_set: ChangeSet


@dataclass(frozen=True, kw_only=True)
class DeletedPage:
    """`older` is where the next page begins, if there may be one; `unfinished` says that the time
    was up before this one was full."""

    objects: list[Gone]
    older: int | None
    unfinished: bool = False


def lists_deleted(model: type[models.Model]) -> bool:
    """Whether what was deleted of a model is found by itself: there is an index of it."""
    return bool(history_of(model).lists_deleted)


def deleted_objects(
    model: type[models.Model], *, before: int | None = None, word: str = "", viewer: Any = None
) -> DeletedPage:
    """What was deleted and has not come back, from the history row `before` on.

    `word` is looked for in the names and codes that objects had.
    """
    numbers, older = _found(model, before, word)
    history = history_of(model)
    by_number = history._base_manager.in_bulk(numbers)
    rows = [Row(model=model, record=by_number[number], previous=None) for number in numbers]
    change_sets = ChangeSet.objects.in_bulk({row.record.change_set_id for row in rows})
    return DeletedPage(
        objects=[
            Gone(entry=entry, change_set=change_sets[entry.change_set_id])
            for entry in read(rows, viewer=viewer)
        ],
        older=older,
        unfinished=older is not None and len(numbers) < PER_PAGE,
    )


def _found(
    model: type[models.Model], before: int | None, word: str
) -> tuple[list[int], int | None]:
    """History rows of deletions after which nothing came, and from where to look on."""
    table, key = history_table(model), quoted(model._meta.pk.column)
    asked = (
        f"NOT EXISTS (SELECT 1 FROM {table} l WHERE l.{key} = h.{key} "
        "AND l.history_date >= h.history_date AND l.history_id > h.history_id)"
    )
    parameters: list[Any] = []
    columns = [f"h.{quoted(field.column)}" for field in named_by(model)]
    if word:
        pattern = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        asked += f" AND concat_ws(' ', h.{key}, {', '.join(columns) or 'NULL'}) ILIKE %s"
        parameters.append(f"%{pattern}%")
    found: list[int] = []
    deadline = time.monotonic() + SECONDS_PER_PAGE
    while True:
        *hits, (last, is_end) = Query(
            "WITH looked AS MATERIALIZED ("
            f"SELECT * FROM {table} WHERE history_type = '{Kind.DELETED.value}' "
            "AND history_id < COALESCE(%s, 9223372036854775807) "
            "ORDER BY history_id DESC LIMIT %s) "
            f"(SELECT history_id, true FROM looked h WHERE {asked} "
            "ORDER BY history_id DESC LIMIT %s) "
            "UNION ALL (SELECT min(history_id), count(*) < %s FROM looked)",
            [before, WINDOW, *parameters, PER_PAGE + 1 - len(found), WINDOW],
        ).rows()
        found += [number for number, _ in hits]
        if len(found) > PER_PAGE:
            return found[:PER_PAGE], found[PER_PAGE - 1]
        if is_end:
            return found, None
        before = last
        if time.monotonic() > deadline:
            return found, last
