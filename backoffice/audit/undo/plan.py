"""What an undo would do: counts, and pages of the rows with what becomes of each."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, models

from backoffice.audit.models import ChangeSet

from .tables import UndoTable, literal


class Act(models.TextChoices):
    REMOVE = "remove"  # the change set made it
    PUT_BACK = "put_back"  # the change set changed it
    BRING_BACK = "bring_back"  # the change set deleted it


class Keep(models.TextChoices):
    UNDONE = "undone"  # by an undo before
    CHANGED = "changed"  # somebody changed it since
    GONE = "gone"  # somebody deleted it since
    IN_USE = "in_use"  # rows that stay point at it
    PART = "part"  # what it is a part of stays
    MISSING = "missing"  # what it pointed at is gone
    TAKEN = "taken"  # another row has its unique value now
    FORBIDDEN = "forbidden"  # a rule of the database says no
    PERMANENT = "permanent"  # rows of its table never change or go
    UNKNOWN = "unknown"  # its state before is older than the record
    INCOMPLETE = "incomplete"  # the record has no value for a column that it needs
    NOT_PERMITTED = "not_permitted"  # to whoever asks


@dataclass(frozen=True, kw_only=True)
class Tally:
    """How many rows of one model go which way, and how many are kept for which reason."""

    model: type[models.Model]
    acts: dict[Act, int] = field(default_factory=dict)
    kept: dict[Keep, int] = field(default_factory=dict)
    # Of each of these numbers, a sum over which rows they are.
    which: tuple[int, ...] = ()

    @property
    def undone(self) -> int:
        return sum(self.acts.values())

    @property
    def total_kept(self) -> int:
        return sum(self.kept.values())

    @property
    def total(self) -> int:
        return self.undone + self.total_kept


@dataclass(frozen=True, kw_only=True)
class PlannedRow:
    """One row of the plan. `record` is the history row that names it.

    `newer` is the change set that changed it since; `by_model` and `by_key` name what it is in
    use by, what it is a part of, what it misses, or what has its place.
    """

    number: int
    record: Any
    act: Act
    kept: Keep | None
    newer: ChangeSet | None
    by_model: str
    by_key: str
    by_count: int
    rule: str


@dataclass(frozen=True, kw_only=True)
class UndoPlan:
    """Stands on temporary tables: its pages can be read until the transaction ends."""

    change_set: ChangeSet
    tables: Sequence[UndoTable]
    tallies: Sequence[Tally]

    @property
    def undone(self) -> int:
        return sum(tally.undone for tally in self.tallies)

    @property
    def total_kept(self) -> int:
        return sum(tally.total_kept for tally in self.tallies)

    def kept(self, *reasons: Keep) -> int:
        return sum(tally.kept.get(reason, 0) for tally in self.tallies for reason in reasons)

    @property
    def left(self) -> int:
        """How many rows still are as the change set made them, and could be otherwise."""
        return self.total_kept - self.kept(Keep.UNDONE, Keep.PERMANENT)

    def acts(self, act: Act) -> int:
        return sum(tally.acts.get(act, 0) for tally in self.tallies)

    @property
    def fingerprint(self) -> str:
        """The same for plans that would do the same, and keep the same for the same reasons."""
        told = [
            (
                tally.model._meta.label,
                sorted(tally.acts.items()),
                sorted(tally.kept.items()),
                tally.which,
            )
            for tally in self.tallies
        ]
        return hashlib.sha256(repr((self.change_set.pk, told)).encode()).hexdigest()[:32]

    def rows(
        self,
        model: type[models.Model],
        *,
        kept: bool,
        after: int = 0,
        size: int = 20,
    ) -> list[PlannedRow]:
        """A page of the rows of a model that are kept, or are undone, by their keys."""
        table = next(table for table in self.tables if table.model is model)
        condition = f"kept IS {'NOT ' if kept else ''}NULL"
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT n, last, act, kept, newer, by_model, by_key, by_count, rule "
                f"FROM {table.stage} WHERE act IS NOT NULL AND {condition} "
                f"AND n > {literal(after)} ORDER BY n LIMIT {literal(size)}"
            )
            found = cursor.fetchall()
        records = table.history_model._base_manager.in_bulk([row[1] for row in found])
        newer = ChangeSet.objects.in_bulk({row[4] for row in found if row[4]})
        return [
            PlannedRow(
                number=number,
                record=records[last],
                act=Act(act),
                kept=Keep(why) if why else None,
                newer=newer.get(since),
                by_model=by_model or "",
                by_key=by_key or "",
                by_count=by_count or 0,
                rule=rule or "",
            )
            for number, last, act, why, since, by_model, by_key, by_count, rule in found
        ]


def tally_stages(tables: Sequence[UndoTable]) -> list[Tally]:
    """Parents first, as people think of them; tables with nothing to undo are left out."""
    tallies = []
    with connection.cursor() as cursor:
        for table in reversed(tables):
            cursor.execute(
                "SELECT act, kept, count(*), bit_xor(hashint8extended(n, 0)) "
                f"FROM {table.stage} WHERE act IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2"
            )
            found = cursor.fetchall()
            tally = Tally(model=table.model, which=tuple(row[-1] for row in found))
            for act, kept, number, _which in found:
                if kept is None:
                    tally.acts[Act(act)] = number
                else:
                    tally.kept[Keep(kept)] = tally.kept.get(Keep(kept), 0) + number
            if tally.total:
                tallies.append(tally)
    return tallies
