"""Rows out as CSV: one COPY by the database, streamed, in constant memory, and on the record.

The columns are those of the resource, under the names by which they come back in. A text that a
spreadsheet would take for a formula gets a leading quote, which importing removes.
"""

import codecs
from collections.abc import Collection, Generator, Iterator, Mapping
from typing import Any

import psycopg
from django.core.exceptions import EmptyResultSet
from django.db import connection, models, transaction

from backoffice.audit.events import recorded_export

from .columns import (
    FORMULA,
    BooleanColumn,
    Column,
    JSONColumn,
    ListColumn,
    RelationColumn,
    TextColumn,
)
from .compiling import open_columns
from .resources import Resource
from .sql import literal, quote

# Rows are sent on in blocks: one at a time would cost more than reading them.
BLOCK = 64 * 1024


def export_csv(
    resource: Resource,
    queryset: models.QuerySet[Any],
    *,
    user: Any,
    chosen: Mapping[str, Any] | None = None,
) -> Iterator[bytes]:
    """The rows of a QuerySet of the resource's model as UTF-8 CSV with a header, in chunks.

    Without the columns that are hidden from the user; None is the command line. `chosen` says on
    the record how the rows were found. What cannot be selected fails here and now, not in the
    middle of a download.
    """
    columns = open_columns(resource, user)
    selection = export_sql(resource, queryset, columns.values())
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {selection}")
    return recorded_export(
        _blocks(f"COPY ({selection}) TO STDOUT (FORMAT csv, HEADER true)"),
        what=str(resource.model()._meta.verbose_name_plural),
        facts={"resource": resource.name, "filter": chosen or {}, "columns": [*columns]},
    )


def _blocks(statement: str) -> Generator[tuple[int, bytes]]:
    """What COPY sends, many rows at a time, with how many they are."""
    yield 0, codecs.BOM_UTF8  # so that spreadsheets take it for UTF-8
    rows, parts, size = -1, [], 0  # the header is none
    with transaction.atomic(), connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in copy:  # PostgreSQL sends one at a time
            parts.append(bytes(row))
            rows, size = rows + 1, size + len(row)
            if size >= BLOCK:
                yield rows, b"".join(parts)
                rows, parts, size = 0, [], 0
        if parts:
            yield rows, b"".join(parts)


def export_sql(
    resource: Resource, queryset: models.QuerySet[Any], columns: Collection[Column]
) -> str:
    """SELECT of these columns over the rows of a QuerySet, in the order of their keys."""
    table = quote(resource.model()._meta.db_table)
    values, joins = [], []
    try:
        keys, parameters = queryset.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        keys, parameters = "SELECT NULL::bigint WHERE false", ()
    # COPY takes no parameters, so they are written into the statement by the driver.
    raw = connection.connection
    chosen = psycopg.ClientCursor(raw).mogrify(keys, parameters)
    for column in columns:
        values.append(f"{_exported(column)} AS {quote(column.name)}")
        joins.append(column.live_join(chosen))
    return (
        f"SELECT {', '.join(values)} FROM {table} t {' '.join(joins)} "
        f"WHERE t.id IN ({chosen}) ORDER BY t.id"
    )


def _exported(column: Column) -> str:
    value = column.live_value()
    if isinstance(column, BooleanColumn):
        return f"CASE WHEN {value} THEN 'yes' ELSE 'no' END"
    if isinstance(column, JSONColumn):
        return f"NULLIF({value}, '{{}}'::jsonb)::text"
    if column.sql_type.startswith("numeric"):
        return f"trim_scale({value})"
    if isinstance(column, TextColumn | RelationColumn | ListColumn):
        return f"CASE WHEN {value} ~ {literal(FORMULA)} THEN '''' || {value} ELSE {value} END"
    return f"{value}::text"
