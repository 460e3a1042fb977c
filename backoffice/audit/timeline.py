"""The timeline: the entries of the whole record, newest first, narrowed down, a page at a time.

Nothing here counts or skips rows: what a page costs depends neither on the size of the record nor
on how far back it lies. Where a filter finds little, a page ends when its time is up and says how
far it has looked.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, models

from .models import ChangeSet
from .timeline_fields import changed_further, changed_in_first_rows
from .timeline_sql import (
    Query,
    conditions,
    newest,
    of_object,
    sources_of_ids,
    walk,
)

ENTRIES_PER_PAGE = 50
# How long a page looks for what a rare text or field may not have.
SECONDS_PER_PAGE = 1.0
# Of how many entries a text is read at once.
WINDOW = 20_000
# In how many rows of one change set a field is looked for, together with that of others; those
# with more are looked through one after the other.
FIRST_ROWS = 1_000
# Numbers are given out in the order of the work, but for what runs at once and for clocks that
# are put right. Periods are looked up with this much to spare.
CLOCKS_ARE_RIGHT_TO = timedelta(days=1)
_SPARE_ENTRIES = 1000


@dataclass(frozen=True, kw_only=True)
class Touched:
    """A kind of object that an entry is to have touched, and in which field if in one."""

    model: type[models.Model]
    field: models.Field | None = None


@dataclass(frozen=True, kw_only=True)
class Narrowing:
    """What the timeline is narrowed down to. A blank says nothing; `nothing` lets nothing pass.

    `touched` names kinds of objects of which any will do. `keys` are those of the objects in
    question, and need one kind.
    """

    entry: int | None = None
    actor_id: int | None = None
    nobody: bool = False
    since: datetime | None = None
    until: datetime | None = None
    source: str = ""
    kind: str = ""
    request_id: str = ""
    references: tuple[str, ...] = ()
    text: str = ""
    touched: tuple[Touched, ...] = ()
    keys: tuple[Any, ...] = ()
    nothing: bool = False

    @property
    def fields(self) -> tuple[Touched, ...]:
        return tuple(touched for touched in self.touched if touched.field)


@dataclass(frozen=True, kw_only=True)
class Page:
    """Entries, newest first.

    `older` is where the next page begins, if there may be one. `looked_back_to` is set when the
    time was up before the page was full. `unsure` are entries too large to be looked through for
    the field in that time: only some of their rows were.
    """

    entries: list[ChangeSet]
    older: int | None
    looked_back_to: datetime | None = None
    unsure: frozenset[int] = frozenset()


def timeline_page(
    narrowing: Narrowing, *, before: int | None = None, size: int = ENTRIES_PER_PAGE
) -> Page:
    """The entries older than the one numbered `before`."""
    found: list[int] = []
    unsure: set[int] = set()
    finished_at: int | None = None
    deadline = time.monotonic() + SECONDS_PER_PAGE
    for stretch in _stretches(narrowing, before, size + 1, deadline):
        found += stretch.hits
        unsure |= stretch.unsure
        if len(found) > size:
            break
        finished_at = stretch.down_to
        if finished_at is None or time.monotonic() > deadline:
            break
    full = len(found) > size
    page = found[:size]
    entries = ChangeSet.objects.in_bulk(page)
    return Page(
        entries=[entries[number] for number in page],
        older=page[-1] if full else finished_at,
        looked_back_to=None if full or finished_at is None else _moment_of(finished_at),
        unsure=frozenset(unsure.intersection(page)),
    )


@dataclass(frozen=True, kw_only=True)
class _Stretch:
    """What passed among the entries down to a number; None says that there are no more."""

    hits: list[int]
    down_to: int | None
    unsure: frozenset[int] = frozenset()


def _stretches(
    narrowing: Narrowing, before: int | None, wanted: int, deadline: float
) -> Iterator[_Stretch]:
    bounds = _bounds(narrowing, before)
    if narrowing.nothing or bounds is None:
        yield _Stretch(hits=[], down_to=None)
        return
    lowest, highest = bounds
    if narrowing.keys:
        (touched,) = narrowing.touched
        query = of_object(narrowing, touched, lowest, highest, wanted)
        yield _Stretch(hits=[number for (number,) in query.rows()], down_to=None)
        return
    streams = sources_of_ids(narrowing)
    several = len(streams) > 1 or bool(narrowing.touched)
    outer = conditions(narrowing)
    while highest >= lowest:
        if several:
            candidates, down_to = walk(streams, lowest, highest, most=max(wanted, 200))
            hits = outer.among(candidates) if outer else candidates
        elif outer:
            hits, down_to = newest(streams, outer, lowest, highest, window=WINDOW)
        else:
            hits, down_to = newest(streams, None, lowest, highest, window=wanted)
        if narrowing.fields and hits:
            yield from _with_fields_changed(narrowing.fields, hits, deadline)
            hits = []
        yield _Stretch(hits=hits, down_to=down_to)
        if down_to is None:
            return
        highest = down_to - 1
    yield _Stretch(hits=[], down_to=None)


def _with_fields_changed(
    touched: Sequence[Touched], candidates: Sequence[int], deadline: float
) -> Iterator[_Stretch]:
    """Those of the entries in which a field changed, a few at a time: a page can end in between.

    It ends before a large entry that the time does not suffice for, so that the next page has all
    of its time for it. The one with which a page begins is unsure then.
    """
    begun = False
    for some in _portions(candidates):
        sure, large = changed_in_first_rows(touched, some, FIRST_ROWS)
        hits: list[int] = []
        unsure: set[int] = set()
        for number in some:
            found: bool | None = number in sure
            if number in large:
                found = changed_further(touched, number, deadline)
            if found is None and begun:
                yield _Stretch(hits=hits, down_to=number + 1, unsure=frozenset(unsure))
                return
            if found is None:
                unsure.add(number)
            if found is not False:
                hits.append(number)
            begun = True
        yield _Stretch(hits=hits, down_to=some[-1], unsure=frozenset(unsure))


def _portions(numbers: Sequence[int], size: int = 40) -> Iterator[Sequence[int]]:
    for start in range(0, len(numbers), size):
        yield numbers[start : start + size]


def _bounds(narrowing: Narrowing, before: int | None) -> tuple[int, int] | None:
    """The lowest and the highest number that can be meant; None if there is none.

    Entries are in the order of their numbers, and periods are about times. The two go together
    but for work at the same time and for clocks, so the numbers of some entries at the edge, and
    of those of a day beyond it, are taken in; the exact time is asked of each entry afterwards.
    """
    table = f'"{ChangeSet._meta.db_table}"'
    lowest = 1
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT max(id) FROM {table}")
        (highest,) = cursor.fetchone()
        if highest is None:
            return None
        if narrowing.since:
            cursor.execute(
                f"SELECT min(id) FROM (SELECT id FROM {table} WHERE at >= %s "
                "ORDER BY at, id LIMIT %s) edge",
                [_shifted(narrowing.since, -CLOCKS_ARE_RIGHT_TO), _SPARE_ENTRIES],
            )
            (lowest,) = cursor.fetchone()
        if narrowing.until:
            cursor.execute(
                f"SELECT max(id) FROM (SELECT id FROM {table} WHERE at <= %s "
                "ORDER BY at DESC, id DESC LIMIT %s) edge",
                [_shifted(narrowing.until, CLOCKS_ARE_RIGHT_TO), _SPARE_ENTRIES],
            )
            (highest,) = cursor.fetchone()
    if lowest is None or highest is None:
        return None
    if before is not None:
        highest = min(highest, before - 1)
    if narrowing.entry is not None:
        lowest, highest = max(lowest, narrowing.entry), min(highest, narrowing.entry)
    return (lowest, highest) if lowest <= highest else None


def _shifted(moment: datetime, by: timedelta) -> datetime:
    try:
        return moment + by
    except OverflowError:  # the first or the last day that there is
        return moment


def _moment_of(number: int) -> datetime | None:
    """The time of the entry with this number, or of the next older one."""
    return (
        ChangeSet.objects.filter(pk__lte=number)
        .order_by("-pk")
        .values_list("at", flat=True)
        .first()
    )


def people_on_record(most: int = 500) -> list[tuple[int, str]]:
    """Everyone who signed for something: number and newest frozen name, gone users included.

    One look into the index for each person, however much they did.
    """
    query = Query(
        """
        WITH RECURSIVE people AS (
            (SELECT actor_id FROM audit_changeset WHERE actor_id IS NOT NULL
             ORDER BY actor_id LIMIT 1)
            UNION ALL
            SELECT (SELECT c.actor_id FROM audit_changeset c WHERE c.actor_id > p.actor_id
                    ORDER BY c.actor_id LIMIT 1)
            FROM people p WHERE p.actor_id IS NOT NULL
        )
        SELECT p.actor_id, (SELECT c.actor_name FROM audit_changeset c
                            WHERE c.actor_id = p.actor_id ORDER BY c.id DESC LIMIT 1) AS name
        FROM people p WHERE p.actor_id IS NOT NULL LIMIT %s
        """,
        [most],
    )
    return sorted(query.rows(), key=lambda person: person[1].casefold())
