"""From the declaration of a resource to its columns.

A standard widget is compiled to SQL and checked for the whole column at once. Any other widget,
and any validator that SQL cannot express, runs in Python, once per distinct value: such a column
says so by `runs_in` and `needs_python`.
"""

import re
from collections.abc import Callable
from typing import Any

from django.core import validators
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy
from import_export import widgets

from backoffice.audit.secrecy import hidden_fields

from .cell_checks import TEXT_CHECKS, Check, length_check
from .children import ChildrenColumn, ChildrenWidget, ChildTextsColumn, ChildTextsWidget
from .columns import (
    BooleanColumn,
    ChoiceColumn,
    Column,
    JSONColumn,
    ListColumn,
    OwnPathColumn,
    PathColumn,
    PythonColumn,
    RelatedColumn,
    RelationColumn,
    TextColumn,
)
from .in_files import in_files
from .quantities import DateColumn, DateTimeColumn, DecimalColumn, IntegerColumn
from .resources import OwnPathWidget, PathWidget, Resource
from .sql import literal

_COLUMN_OF_WIDGET: dict[type, type[Column]] = {
    widgets.CharWidget: TextColumn,
    widgets.DecimalWidget: DecimalColumn,
    widgets.IntegerWidget: IntegerColumn,
    widgets.DateWidget: DateColumn,
    widgets.DateTimeWidget: DateTimeColumn,
    widgets.BooleanWidget: BooleanColumn,
    widgets.JSONWidget: JSONColumn,
    widgets.ForeignKeyWidget: RelationColumn,
    widgets.ManyToManyWidget: ListColumn,
    PathWidget: PathColumn,
    OwnPathWidget: OwnPathColumn,
    widgets.Widget: TextColumn,  # what the library gives a TextField
}


def compile_columns(resource: Resource) -> dict[str, Column]:
    """The columns of a resource in its import order, by field name."""
    columns = {}
    for name, declared in resource.fields.items():
        if declared.readonly:
            continue
        model_field: Any = resource.model()._meta.get_field(declared.attribute or name)
        if isinstance(declared.widget, ChildrenWidget):
            columns[name] = _children_column(name, model_field, declared.widget)
            continue
        kind = _COLUMN_OF_WIDGET.get(type(declared.widget), PythonColumn)
        if kind is TextColumn and model_field.choices:
            kind = ChoiceColumn
        column = kind(
            name=name,
            label=str(capfirst(model_field.verbose_name)),
            header=in_files(capfirst(model_field.verbose_name)),
            model_field=model_field,
            widget=declared.widget,
            targets=(name, *getattr(declared.widget, "levels", ())),
        )
        _complete(column)
        columns[name] = column
    return columns


def _children_column(name: str, relation: Any, widget: ChildrenWidget) -> Column:
    kind = ChildTextsColumn if isinstance(widget, ChildTextsWidget) else ChildrenColumn
    column = kind(
        name=name,
        label=str(widget.label),
        header=in_files(widget.label),
        model_field=relation.related_model._meta.get_field(widget.field),
        widget=widget,
        targets=(name,),
        relation=relation.field,
    )
    column.checks += column.own_checks()
    return column


def hidden_columns(resource: Resource, user: Any) -> frozenset[str]:
    """What a user may neither take out nor bring in. The command line is nobody's, and may all."""
    return frozenset() if user is None else hidden_fields(resource.model(), user)


def open_columns(resource: Resource, user: Any) -> dict[str, Column]:
    """The columns of a resource without those that are hidden from a user."""
    hidden = hidden_columns(resource, user)
    return {name: c for name, c in compile_columns(resource).items() if name not in hidden}


def _complete(column: Column) -> None:
    """Give a column the checks of its kind, of its length, and of the field's validators."""
    if isinstance(column, TextColumn | RelatedColumn | PythonColumn):
        column.checks += TEXT_CHECKS
    column.checks += column.own_checks()
    if isinstance(column, RelatedColumn):
        return
    found = column.model_field
    if isinstance(found, models.CharField) and found.max_length:
        column.checks.append(length_check(found.max_length))
    for validator in found.validators:
        _add_validator(column, validator)


# Patterns that Python and PostgreSQL read alike.
_PORTABLE = re.compile(
    r"(?!.*\[\^)(?:[\w\s\[\]^$.*+|/:<>\"=,@#%&!~'-]|\\[SsdDwZ.\\+*?/-]|\((?!\?)|\)|\?(?!<))*"
)


def _add_validator(column: Column, validator: Any) -> None:
    """One validator as SQL if it is of a standard kind, else in Python."""
    kind = type(validator)
    is_limit = isinstance(column, DecimalColumn) and not callable(
        getattr(validator, "limit_value", None)
    )
    if kind is validators.MinValueValidator and is_limit:
        column.checks.append(
            Check(
                "too_small",
                f"(§)::numeric < {literal(validator.limit_value)}",
                gettext_lazy("“%(value)s” is below %(limit)s, the least that there can be."),
                {"limit": validator.limit_value},
            )
        )
    elif kind is validators.MaxValueValidator and is_limit:
        column.checks.append(
            Check(
                "above_limit",
                f"(§)::numeric > {literal(validator.limit_value)}",
                gettext_lazy("“%(value)s” is above %(limit)s, the most that there can be."),
                {"limit": validator.limit_value},
            )
        )
    elif (
        kind is validators.RegexValidator
        and not validator.flags
        and _PORTABLE.fullmatch(validator.regex.pattern)
    ):
        # In Python a point is no line break; "(?p)" makes it so in PostgreSQL.
        pattern = literal(f"(?p){validator.regex.pattern}")
        column.checks.append(
            Check(
                f"pattern_{len(column.checks)}",
                f"(§) {'~' if validator.inverse_match else '!~'} {pattern}",
                gettext_lazy("“%(value)s”: %(why)s"),
                {"why": validator.message},
            )
        )
    elif kind in {
        validators.MaxLengthValidator,
        validators.DecimalValidator,
        validators.ProhibitNullCharactersValidator,
    }:
        return  # said by the checks of the column's type and length already
    elif column.runs_in == "SQL" and isinstance(
        column, DecimalColumn | DateColumn | BooleanColumn | JSONColumn
    ):
        column.python_checks.append(_on_python_value(column.model_field, validator))
    else:
        column.python_checks.append(validator)


def _on_python_value(found: models.Field, validator: Any) -> Callable[[str], None]:
    def check(text: str) -> None:
        try:
            value = found.to_python(text)
        except ValidationError:
            return  # said by the column's own check
        validator(value)

    return check
