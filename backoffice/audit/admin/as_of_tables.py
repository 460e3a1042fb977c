"""What was there at a moment, as groups of fields and tables that a page shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models
from django.utils.text import capfirst

from backoffice.audit.as_of import names_at, parts_as_of
from backoffice.audit.history import fields_told, parts_label
from backoffice.audit.naming import Names, is_link
from backoffice.audit.selectors import Strand
from backoffice.audit.wording import NOTHING, value_in_words


@dataclass(frozen=True)
class Cell:
    """A text of a table; numbers stand under each other."""

    text: str
    is_number: bool = False

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, kw_only=True)
class Group:
    """Fields that stand together on the form, with what they held."""

    title: str
    values: list[tuple[str, Cell]]


@dataclass(frozen=True, kw_only=True)
class Part:
    """The parts of one kind that an object had: links by name, others as a table."""

    title: str
    columns: list[Cell]
    rows: list[list[Cell]]


def labelled(row: Any, fields: list[models.Field], names: Names) -> list[tuple[str, Cell]]:
    labels = [capfirst(str(field.verbose_name)) for field in fields]
    return list(zip(labels, values_of(row, fields, names), strict=True))


def heads(fields: list[models.Field]) -> list[Cell]:
    return [Cell(capfirst(str(field.verbose_name)), _is_number(field)) for field in fields]


def values_of(row: Any, fields: list[models.Field], names: Names) -> list[Cell]:
    held = [(field, getattr(row, field.attname)) for field in fields]
    return [
        Cell(
            NOTHING if value in ("", {}, []) else value_in_words(field, value, names.target),
            _is_number(field),
        )
        for field, value in held
    ]


def _is_number(field: models.Field) -> bool:
    return isinstance(field, models.DecimalField | models.IntegerField | models.FloatField)


def part_then(
    strand: Strand, key: Any, moment: datetime, viewer: Any, columns: Sequence[str]
) -> Part:
    """`columns` are those that a list of such objects shows; without any, all are shown."""
    model = strand.model
    rows = parts_as_of(strand, key, moment)
    names = names_at(moment, [(model, row) for row in rows])
    title = parts_label(model, strand.attname)
    if is_link(model):
        called = sorted(names.row(model, row, within=strand.attname) for row in rows)
        return Part(title=title, columns=[], rows=[[Cell(name)] for name in called])
    told = [f for f in fields_told(model, viewer) if f.attname != strand.attname]
    fields = [f for f in told if f.name in columns] or told
    return Part(
        title=title,
        columns=heads(fields),
        rows=[values_of(row, fields, names) for row in rows],
    )
