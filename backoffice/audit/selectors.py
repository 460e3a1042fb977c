"""The two readings of the record: the life of one object, and the contents of one change set."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Self

from django.db import models
from django.db.models import Count, Q, QuerySet, Value
from django.utils.dateparse import parse_datetime

from .history import Entry, Kind, Row, read, with_links_together, with_predecessors
from .models import ChangeSet
from .naming import history_of

ROWS_PER_PAGE = 50
ROWS_PER_SECTION = 20


@dataclass(frozen=True, kw_only=True)
class Strand:
    """The history rows of one model that belong to an object: its own, or those of its parts.

    `attname` is the column that holds the object's key, or `key` if that is something else.
    """

    model: type[models.Model]
    attname: str
    key: Any = None

    @property
    def within(self) -> str:
        return "" if self.attname == self.model._meta.pk.attname else self.attname


@dataclass(frozen=True, order=True)
class Position:
    """A place in an object's timeline, newest first; several tables have a place in it."""

    at: datetime
    strand: int
    history_id: int

    def __str__(self) -> str:
        return f"{self.at.isoformat()}_{self.strand}_{self.history_id}"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The position that str() wrote, or None for anything else."""
        moment, _, rest = text.partition("_")
        strand, _, history_id = rest.partition("_")
        try:
            at = parse_datetime(moment)
            if at is None or at.tzinfo is None:
                return None
            return cls(at, int(strand), int(history_id))
        except (ValueError, OverflowError):
            return None


@dataclass(frozen=True, kw_only=True)
class Step:
    """What one change set did to an object, in one go."""

    change_set: ChangeSet
    at: datetime
    entries: tuple[Entry, ...]

    @property
    def touched_it(self) -> bool:
        """Whether anything became of the object itself, or of its parts."""
        return any(not (entry.own_page or entry.is_beside) for entry in self.entries)

    @property
    def is_beside(self) -> bool:
        """Whether it is all about what is kept beside the object."""
        return bool(self.entries) and all(entry.is_beside for entry in self.entries)

    @classmethod
    def of(cls, change_set: ChangeSet, newest_first: Iterable[Entry]) -> Self:
        """The object itself comes first, then its parts, each in the order of the work."""
        entries = list(newest_first)
        in_order = sorted(entries, key=lambda entry: (bool(entry.title), entry.at))
        return cls(
            change_set=change_set, at=entries[0].at, entries=tuple(with_links_together(in_order))
        )


@dataclass(frozen=True, kw_only=True)
class Timeline:
    steps: tuple[Step, ...]
    older: Position | None


def object_timeline(
    strands: Sequence[Strand],
    key: Any,
    *,
    events: QuerySet[ChangeSet] | None = None,
    before: Position | None = None,
    size: int = ROWS_PER_PAGE,
    viewer: Any = None,
) -> Timeline:
    """What happened to an object and its parts, and events about it, newest first, by the page.

    The number of queries depends on the number of strands, not of rows.
    """
    found: list[tuple[Position, Any]] = []
    for number, strand in enumerate(strands):
        named = {strand.attname: key if strand.key is None else strand.key}
        rows = history_of(strand.model)._base_manager.filter(**named)
        found += [
            (Position(row.history_date, number, row.history_id), row)
            for row in _newest(rows, "history_date", "history_id", number, before)[: size + 1]
        ]
    if events is not None:
        number = len(strands)
        found += [
            (Position(event.at, number, event.pk), event)
            for event in _newest(events, "at", "id", number, before)[: size + 1]
        ]
    found.sort(key=lambda pair: pair[0], reverse=True)
    page = found[:size]

    row_at: dict[Position, Row] = {}
    for number, strand in enumerate(strands):
        positions = [(place, record) for place, record in page if place.strand == number]
        records = [record for _, record in positions]
        pairs = with_predecessors(strand.model, records, within=strand.within)
        row_at |= {place: row for (place, _), row in zip(positions, pairs, strict=True)}
    places = [place for place, _ in page if place in row_at]
    entries = read((row_at[place] for place in places), viewer=viewer)
    entry_at = dict(zip(places, entries, strict=True))
    change_sets = ChangeSet.objects.in_bulk({entry.change_set_id for entry in entries})
    steps = []
    for (event, identity), group in groupby(page, key=_entry_of_the_record):
        if event is None:
            here = [entry_at[place] for place, _ in group]
            steps.append(Step.of(change_sets[identity], here))
        else:
            steps.append(Step(change_set=event, at=event.at, entries=()))
    return Timeline(steps=tuple(steps), older=page[-1][0] if len(found) > size else None)


def _entry_of_the_record(found: tuple[Position, Any]) -> tuple[ChangeSet | None, int]:
    """The event that was found, or the number of the change set that a history row belongs to."""
    _place, record = found
    if isinstance(record, ChangeSet):
        return record, record.pk
    return None, record.change_set_id


def _newest[M: models.Model](
    rows: QuerySet[M], moment: str, key: str, number: int, before: Position | None
) -> QuerySet[M]:
    """The rows of one strand, newest first, from the position on where its page begins."""
    if before is not None:
        same_moment = Q(**{moment: before.at})
        if number == before.strand:
            same_moment &= Q(**{f"{key}__lt": before.history_id})
        elif number > before.strand:
            same_moment = Q(pk__in=())
        # The first says nothing that the second does not, but it is a range of the index.
        rows = rows.filter(**{f"{moment}__lte": before.at}).filter(
            Q(**{f"{moment}__lt": before.at}) | same_moment
        )
    return rows.order_by(f"-{moment}", f"-{key}")


@dataclass(frozen=True, kw_only=True)
class Tally:
    """How many rows of one model a change set touched, or that they are more than a number."""

    model: type[models.Model]
    added: int = 0
    changed: int = 0
    deleted: int = 0
    more_than: int = 0

    @property
    def total(self) -> int:
        return self.added + self.changed + self.deleted


def change_set_tallies(change_set: ChangeSet, among: Sequence[type[models.Model]]) -> list[Tally]:
    """What a change set touched, counted by model, in one query. Models untouched are left out."""
    if not among:
        return []
    counts = [
        history_of(model)
        ._base_manager.filter(change_set=change_set)
        .order_by()
        .values("history_type")
        .annotate(count=Count("*"), number=Value(number, models.IntegerField()))
        .values_list("number", "history_type", "count")
        for number, model in enumerate(among)
    ]
    first, *others = counts
    tallied: dict[int, dict[str, int]] = {}
    for number, kind, count in first.union(*others, all=True).order_by():
        tallied.setdefault(number, {})[Kind(kind).name.lower()] = count
    return [Tally(model=among[number], **kinds) for number, kinds in sorted(tallied.items())]
