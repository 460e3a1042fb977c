"""Which columns leave the house, and each of them as SQL.

They carry the names by which they come back in. In cells, a text that a spreadsheet would take
for a formula, or an import for a word to itself, gets a leading quote, and one with spaces around
it stands between two quotes; importing removes both. JSON needs neither.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import psycopg
from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.utils.text import capfirst

from backoffice.audit.models import VersionedModel
from backoffice.exchange.children import ChildrenColumn
from backoffice.exchange.columns import (
    GUARDED,
    OUTER_SPACE,
    SPACES,
    BooleanColumn,
    Column,
    JSONColumn,
    ListColumn,
    RelationColumn,
    TextColumn,
)
from backoffice.exchange.compiling import open_columns
from backoffice.exchange.resources import Resource
from backoffice.exchange.sql import literal, quote
from backoffice.exchange.versions import VERSION, list_columns, sum_of_lists


@dataclass
class VersionColumn(Column):
    """Which state of the row the file has, so that what comes back late can be told."""

    lists: Collection[Column] = ()

    @property
    def sql_type(self) -> str:
        return "text" if self.lists else super().sql_type

    def live_value(self) -> str:
        number = super().live_value()
        return f"concat({number}, '-', {sum_of_lists(self.lists)})" if self.lists else number


def exportable_columns(resource: Resource, user: Any) -> dict[str, Column]:
    """What a user may take out, in the resource's order; the version, if there is one, comes last.

    None is the command line, which may take out everything.
    """
    columns, model = open_columns(resource, user), resource.model()
    if issubclass(model, VersionedModel) and VERSION not in columns:
        found: Any = model._meta.get_field(VERSION)
        label = str(capfirst(found.verbose_name))
        lists = list_columns(resource).values()
        columns[VERSION] = VersionColumn(
            VERSION, label, found, None, targets=(VERSION,), lists=lists
        )
    return columns


def chosen_columns(
    resource: Resource, user: Any, names: Iterable[str] | None
) -> tuple[list[Column], list[str]]:
    """The columns of these names in this order, and the names of those that the user has not.

    None chooses all of them.
    """
    there = exportable_columns(resource, user)
    wanted = list(there) if names is None else list(dict.fromkeys(names))
    return [there[n] for n in wanted if n in there], [n for n in wanted if n not in there]


def cell_value(column: Column) -> str:
    """The value for a cell: texts guarded, numbers and dates as what they are."""
    value = column.live_value()
    if isinstance(column, BooleanColumn):
        return f"CASE WHEN {value} THEN 'yes' ELSE 'no' END"
    if isinstance(column, JSONColumn):
        return f"NULLIF({value}, '{{}}'::jsonb)::text"
    if isinstance(column, TextColumn | RelationColumn | ListColumn | ChildrenColumn):
        return _guarded(value)
    return plain_value(column)


def json_value(column: Column) -> str:
    """The value for JSON: as typed and as exact as the database has it."""
    if isinstance(column, ListColumn):
        return f"COALESCE(string_to_array({column.live_value()}, ', '), '{{}}')"
    if isinstance(column, ChildrenColumn):
        return f"COALESCE({column.values(column.live_value())}, '{{}}')"
    return plain_value(column)


def plain_value(column: Column) -> str:
    value = column.live_value()
    if not column.sql_type.startswith("numeric"):
        return value
    # "1.234" alone in a file may be a thousand, and would be asked about when it comes back.
    return (
        f"CASE WHEN scale(trim_scale({value})) = 3 AND abs({value}) > 1 THEN round({value}, 4) "
        f"ELSE trim_scale({value}) END"
    )


# The first and the last sign of nearly every text say that nothing is to be done; to look at
# those two costs a fraction of looking for the patterns in all of it.
_FIRST, _LAST = f"'=+@-<#＝＋－＠{SPACES}", f"'{SPACES}"


def _guarded(value: str) -> str:
    wrapped = (
        f"CASE WHEN {value} ~ {literal(OUTER_SPACE)} THEN concat('''', {value}, '''') "
        f"ELSE {value} END"
    )
    return (
        f"CASE WHEN strpos({literal(_FIRST)}, left({value}, 1)) > 0 "
        f"OR strpos({literal(_LAST)}, right({value}, 1)) > 0 "
        # A number that a spreadsheet cut has its sign in the middle.
        f"OR strpos({value}, '+') > 0 "
        f"THEN CASE WHEN {wrapped} ~ {literal(GUARDED)} THEN concat('''', {wrapped}) "
        f"ELSE {wrapped} END ELSE {value} END"
    )


def keys_sql(queryset: models.QuerySet[Any]) -> str:
    """SELECT of the keys that a QuerySet finds, without parameters: COPY takes none."""
    try:
        keys, parameters = queryset.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        return "SELECT NULL::bigint WHERE false"
    connection.ensure_connection()
    text: str = psycopg.ClientCursor(connection.connection).mogrify(keys, parameters)
    return text


def rows_sql(
    resource: Resource,
    queryset: models.QuerySet[Any],
    columns: Collection[Column],
    *,
    as_json: bool = False,
) -> str:
    """SELECT of these columns over the rows of a QuerySet, in the order of their keys."""
    table, chosen = quote(resource.model()._meta.db_table), keys_sql(queryset)
    value = json_value if as_json else cell_value
    values = [f"{value(column)} AS {quote(column.name)}" for column in columns]
    summed = [c for column in columns if isinstance(column, VersionColumn) for c in column.lists]
    joins = {c.name: c.live_join(chosen) for c in (*summed, *columns)}
    rows = (
        f"SELECT {', '.join(values)} FROM {table} t {' '.join(joins.values())} "
        f"WHERE t.id IN ({chosen}) ORDER BY t.id"
    )
    return f"SELECT row_to_json(r) FROM ({rows}) r" if as_json else rows
