"""Rows out as CSV: one COPY by the database, streamed, in constant memory.

The columns are those of the resource, under the names by which they come back in. A text that a
spreadsheet would take for a formula gets a leading quote, which importing removes.
"""

import codecs
from collections.abc import Iterator
from typing import Any

import psycopg
from django.core.exceptions import EmptyResultSet
from django.db import connection, models, transaction

from .columns import (
    FORMULA,
    BooleanColumn,
    Column,
    JSONColumn,
    ListColumn,
    RelationColumn,
    TextColumn,
)
from .compiling import compile_columns
from .resources import Resource
from .sql import literal, quote


def export_csv(resource: Resource, queryset: models.QuerySet[Any]) -> Iterator[bytes]:
    """The rows of a QuerySet of the resource's model as UTF-8 CSV with a header, in chunks.

    What cannot be selected fails here and now, not in the middle of a download.
    """
    selection = export_sql(resource, queryset)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {selection}")
    return _copied(f"COPY ({selection}) TO STDOUT (FORMAT csv, HEADER true)")


def _copied(statement: str) -> Iterator[bytes]:
    yield codecs.BOM_UTF8  # so that spreadsheets take it for UTF-8
    with transaction.atomic(), connection.cursor() as cursor, cursor.copy(statement) as copy:
        for block in copy:
            yield bytes(block)


def export_sql(resource: Resource, queryset: models.QuerySet[Any]) -> str:
    """SELECT of the resource's columns over the rows of a QuerySet, in the order of their keys."""
    table = quote(resource.model()._meta.db_table)
    values, joins = [], []
    try:
        keys, parameters = queryset.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        keys, parameters = "SELECT NULL::bigint WHERE false", ()
    # COPY takes no parameters, so they are written into the statement by the driver.
    raw = connection.connection
    chosen = psycopg.ClientCursor(raw).mogrify(keys, parameters)
    for column in compile_columns(resource).values():
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
