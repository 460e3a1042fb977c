"""What a bulk action would do, and the fingerprint by which it is recognised when it is done."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import BigIntegerField, DecimalField, Func, QuerySet, Sum

from backoffice.bulk import counted

if TYPE_CHECKING:
    from .action import BulkAction


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A value of a row in the preview: what the row is, what it has, what it will have."""

    name: str
    old: Any
    new: Any
    field: str = ""  # where an action changes several


@dataclass(frozen=True, kw_only=True)
class Preview:
    changing: int
    skipped: Mapping[str, int]  # by reason, in words
    samples: Sequence[Sample]
    fingerprint: str  # of the rows, of the numbers and of what was asked

    @property
    def rows(self) -> int:
        return self.changing + sum(self.skipped.values())


def fingerprint(
    action: "BulkAction", rows: QuerySet[Any], counts: Mapping[str, int], asked: Mapping[str, Any]
) -> str:
    """The same as long as the rows, their versions, the numbers and what is asked are the same.

    The rows are of a VersionedModel: whoever changes one raises its version.
    """
    state = Func("pk", "version", function="hashint8extended", output_field=BigIntegerField())
    which = rows.aggregate(which=Sum(state, output_field=DecimalField()))
    told = f"{action.name} {sorted(counts.items())} {_stable(asked)} {which}"
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def preview(action: "BulkAction", rows: QuerySet[Any], asked: Mapping[str, Any]) -> Preview:
    planned = action.plan(rows, asked)
    counts = counted(planned)
    first = planned.filter(skip="").order_by("pk")[: action.samples_shown]
    return Preview(
        changing=counts.get("", 0),
        skipped={action.skip_label(skip): n for skip, n in sorted(counts.items()) if skip},
        samples=[sample for row in first for sample in action.samples(row, asked)],
        fingerprint=fingerprint(action, rows, counts, asked),
    )


def _stable(asked: Mapping[str, Any]) -> list[tuple[str, str]]:
    return sorted(
        (name, str(value.pk if isinstance(value, models.Model) else value))
        for name, value in asked.items()
    )
