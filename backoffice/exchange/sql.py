"""Names and constants written into SQL text."""

from collections.abc import Sequence
from typing import Any

from django.db import connection, models
from psycopg import sql


def quote(name: str) -> str:
    return connection.ops.quote_name(name)


def literal(value: Any) -> str:
    """A constant in SQL; `%` needs no doubling, since our statements have no parameters."""
    return sql.Literal(value).as_string(None)


def column_of(model: type[models.Model], field: str) -> str:
    """The quoted column of a field that has one."""
    found = model._meta.get_field(field)
    assert isinstance(found, models.Field) and found.column  # noqa: S101, PT018 - for mypy
    return quote(found.column)


def nothing_of(texts: Sequence[str]) -> str:
    """True where each of these is NULL. Of most rows; an array made for them would be dear."""
    return f"COALESCE({', '.join(texts)}) IS NULL" if texts else "true"


def those_of(texts: Sequence[str]) -> str:
    """An array of those that are not NULL."""
    return f"array_remove(ARRAY[{', '.join(texts)}]::text[], NULL)"
