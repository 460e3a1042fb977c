"""Which fields of a model tell its rows apart."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db import models

from .columns import Column, RelationColumn


def unique_fields(model: type[models.Model]) -> Iterator[str]:
    """The fields of which each value stands in one row only, in any case of its letters."""
    for constraint in model._meta.constraints:
        if not isinstance(constraint, models.UniqueConstraint) or constraint.condition:
            continue
        names = list(constraint.fields) or _names_in(constraint.expressions)
        if len(names) == 1:
            yield names[0]


def unique_texts(model: type[models.Model], columns: Mapping[str, Column]) -> Iterator[Column]:
    """Those of the columns of which a unique constraint speaks, and of no other with it."""
    for name in unique_fields(model):
        column = columns.get(name)
        if column and column.db_column is not None and not isinstance(column, RelationColumn):
            yield column


def lookup_fields(column: RelationColumn) -> list[models.Field]:
    """The texts by which a cell may name what a relation refers to; the usual one first."""
    usual = str(column.widget.field)
    names = [usual, *(name for name in unique_fields(column.related) if name != usual)]
    fields = [column.related._meta.get_field(name) for name in names]
    return [f for f in fields if isinstance(f, models.CharField | models.TextField)]


def _names_in(expressions: Any) -> list[str]:
    """The fields that expressions name, such as Lower("slug")."""
    return [
        name
        for expression in expressions
        if expression is not None
        for name in (
            [expression.name]  # type: ignore[attr-defined]
            if isinstance(expression, models.F)
            else _names_in(expression.get_source_expressions())
        )
    ]
