"""The version of a row as a file has it: its number and, after a dash, a sum of its lists.

What is listed beside a row, such as tags and images, raises no number of the row. So the number
alone would let an old file take away what somebody added to a list since.
"""

from collections.abc import Collection
from typing import Any

from django.db import models

from backoffice.audit.secrecy import hidden_fields

from .children import ChildrenColumn
from .columns import Column, ListColumn
from .compiling import compile_columns
from .resources import Resource
from .sql import literal

# The target of a row's version as an export has it: compared with the live one, never written.
VERSION = "version"
# Six letters without a vowel: no spreadsheet takes them for a number, an exponent or a month.
_DIGITS, _LETTERS = "0123456789abcdef", "bcdfghjklmnpqrst"
# Older exports, and those of rows without lists, have the number alone.
PATTERN = rf"^[0-9]{{1,9}}(-[{_LETTERS}]{{6}})?$"


def is_versioned(resource: Resource) -> bool:
    return any(field.name == VERSION for field in resource.model()._meta.concrete_fields)


def list_columns(resource: Resource) -> dict[str, ListColumn | ChildrenColumn]:
    """The lists that the sum is of: the same for everybody, so none that is hidden from some."""
    secret = hidden_fields(resource.model(), None)
    return {
        name: column
        for name, column in compile_columns(resource).items()
        if isinstance(column, ListColumn | ChildrenColumn) and name not in secret
    }


def sum_of_lists(columns: Collection[Column]) -> str:
    """SQL of the sum of the live row's lists; their `live_join` must be there."""
    values = ", ".join(f"COALESCE({column.live_value()}, '')" for column in columns)
    # The sign between them stands in no text that an import lets in.
    digits = f"left(md5(concat_ws(E'\\x1f', {values})), 6)"
    return f"translate({digits}, {literal(_DIGITS)}, {literal(_LETTERS)})"


def number_said(cell: str) -> str:
    """SQL of the number in the cell of a version that has the right form."""
    return f"split_part({cell}, '-', 1)::int"


def sum_said(cell: str) -> str:
    """SQL of the sum in such a cell; NULL where it has none."""
    return f"NULLIF(split_part({cell}, '-', 2), '')"


def list_models(resource: Resource) -> dict[type[models.Model], str]:
    """The models of what the lists hold that are on the record, with the name of their owner."""
    found: dict[type[models.Model], str] = {}
    for column in list_columns(resource).values():
        if isinstance(column, ListColumn):
            many: Any = column.model_field
            found[column.through] = f"{many.m2m_field_name()}_id"
        else:
            found[column.child] = column.relation.attname
    return {m: owner for m, owner in found.items() if is_on_record(m)}


def is_on_record(model: type[models.Model]) -> bool:
    return hasattr(model._meta, "simple_history_manager_attribute")
