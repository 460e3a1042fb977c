"""An export from the QuerySet to the bytes: in constant memory, and on the record."""

import codecs
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from django.db import connection, models, transaction

from backoffice.audit.events import recorded_export
from backoffice.exchange.columns import Column
from backoffice.exchange.in_files import in_files
from backoffice.exchange.models import FileFormat
from backoffice.exchange.resources import Resource

from .columns import chosen_columns, keys_sql, rows_sql
from .workbook import MOST_ROWS, refuse_too_many_rows, workbook_blocks

# Rows are sent on in blocks: one at a time would cost more than reading them.
BLOCK = 64 * 1024

CONTENT_TYPES = {
    FileFormat.CSV: "text/csv; charset=utf-8",
    FileFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    FileFormat.JSON_LINES: "application/x-ndjson",
}

type Blocks = Generator[tuple[int, bytes]]


def export_rows(
    resource: Resource,
    queryset: models.QuerySet[Any],
    *,
    user: Any,
    columns: Iterable[str] | None = None,
    file_format: str = FileFormat.CSV,
    chosen: Mapping[str, Any] | None = None,
    count: Callable[[int], object] | None = None,
) -> Iterator[bytes]:
    """The rows of a QuerySet of the resource's model as a file, in chunks.

    `columns` are names in their order, all if None; those that are hidden from the user, and
    those that are none, are left out. None as the user is the command line. `chosen` says on the
    record how the rows were found; `count` is told of each block how many rows it has. What
    cannot be selected or written fails here and now, not in the middle of a download: raises
    ExportRefused.
    """
    picked, _left_out = chosen_columns(resource, user, columns)
    selection = rows_sql(resource, queryset, picked, as_json=file_format == FileFormat.JSON_LINES)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {selection}")
    blocks = _blocks(resource, queryset, selection, picked, file_format)
    return recorded_export(
        _counted(blocks, count) if count else blocks,
        what=resource.model()._meta.verbose_name_plural,
        facts={
            "resource": resource.name,
            "format": str(file_format),
            "filter": chosen or {},
            "columns": [column.name for column in picked],
        },
    )


def _blocks(
    resource: Resource,
    queryset: models.QuerySet[Any],
    selection: str,
    columns: Sequence[Column],
    file_format: str,
) -> Blocks:
    if file_format == FileFormat.JSON_LINES:
        # CSV whose quote and delimiter JSON always escapes is the text itself, line by line.
        return copied(
            f"COPY ({selection}) TO STDOUT (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')"
        )
    if file_format == FileFormat.XLSX:
        refuse_too_many_rows(count_rows(queryset, at_most=MOST_ROWS + 1).number)
        return workbook_blocks(
            selection, columns, in_files(resource.model()._meta.verbose_name_plural)
        )
    # A byte order mark, so that spreadsheets take it for UTF-8.
    return copied(
        f"COPY ({selection}) TO STDOUT (FORMAT csv, HEADER true)",
        start=codecs.BOM_UTF8,
        header_lines=1,
    )


def _counted(blocks: Blocks, count: Callable[[int], object]) -> Blocks:
    with closing(blocks):
        for rows, block in blocks:
            count(rows)
            yield rows, block


def copied(statement: str, *, start: bytes = b"", header_lines: int = 0) -> Blocks:
    """What COPY sends, many rows at a time, with how many they are."""
    rows, parts, size = -header_lines, [start], len(start)
    with transaction.atomic(), connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in copy:  # PostgreSQL sends one at a time
            parts.append(bytes(row))
            rows, size = rows + 1, size + len(row)
            if size >= BLOCK:
                yield rows, b"".join(parts)
                rows, parts, size = 0, [], 0
        if parts:
            yield rows, b"".join(parts)


@dataclass(frozen=True)
class Counted:
    """How many rows an export will have: exactly, or about as many as the database expects."""

    number: int
    is_exact: bool


def count_rows(queryset: models.QuerySet[Any], *, at_most: int) -> Counted:
    """Count the rows that a QuerySet finds, but no further than `at_most`: then, estimate."""
    keys = keys_sql(queryset)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM (SELECT 1 FROM ({keys}) k LIMIT {int(at_most)}) n")
        (number,) = cursor.fetchone()
        if number < at_most:
            return Counted(number, is_exact=True)
        cursor.execute(f"EXPLAIN (FORMAT json) {keys}")
        (plan,) = cursor.fetchone()
    return Counted(max(number, int(plan[0]["Plan"]["Plan Rows"])), is_exact=False)
