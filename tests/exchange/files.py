"""Files as people bring them, and what becomes of them, in a line each."""

import io
from collections.abc import Sequence
from typing import Any

from django.db import connection

from backoffice.audit.context import Source, audit_context
from backoffice.exchange.compiling import compile_columns
from backoffice.exchange.models import ImportJob
from backoffice.exchange.preview import preview_rows
from backoffice.exchange.read_as import ReadAs
from backoffice.exchange.resources import get_resource
from backoffice.exchange.services import apply_import, start_import

# The least that a new product needs.
HEADER = "sku,name,price"


def table(*rows: Sequence[str], delimiter: str = ",", end: str = "\n") -> str:
    """Rows of cells as a text file; cells are taken as they are, quotes and all."""
    return "".join(delimiter.join(row) + end for row in rows)


def bring(
    content: str | bytes, *, user: Any = None, name: str = "file.csv", **said: Any
) -> ImportJob:
    """Upload a file; text goes as UTF-8. `said` is how to read it."""
    data = content.encode() if isinstance(content, str) else content
    with audit_context(source=Source.COMMAND, action="test"):
        return start_import(
            resource="products",
            file=io.BytesIO(data),
            file_name=name,
            user=user,
            read_as=ReadAs(**said),
        )


def apply(job: ImportJob, **said: Any) -> ImportJob:
    with audit_context(source=Source.COMMAND, action="test"):
        return apply_import(job=job, **{"reason": "Prices of March", **said})


def imported(content: str | bytes, *, user: Any = None, **said: Any) -> ImportJob:
    return apply(bring(content, user=user), **said)


def counts(job: ImportJob) -> tuple[int, int, int, int]:
    """New, changed, unchanged, invalid."""
    return job.new, job.changed, job.unchanged, job.invalid


def statuses(job: ImportJob) -> list[str]:
    return [row.status for row in preview_rows(job, get_resource("products"), limit=10_000)]


def problems(job: ImportJob) -> list[tuple[int, str, str, str]]:
    """(line, column, value, message) of everything that is wrong with the file."""
    return [
        (row.line, problem.column, problem.value, problem.message)
        for row in preview_rows(job, get_resource("products"), limit=10_000)
        for problem in row.problems
    ]


def cells(job: ImportJob) -> list[dict[str, str]]:
    """What the preview says each row will hold, by label."""
    rows = preview_rows(job, get_resource("products"), limit=10_000)
    return [{cell.label: cell.new for cell in row.cells} for row in rows]


def staging_tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'exchange' ORDER BY 1")
        return [name for (name,) in cursor.fetchall()]


def judged(column: str, *values: str) -> list[tuple[str, str]]:
    """(value, message) of what is wrong with these cells of one column, in new rows."""
    needs = {"sku": "S-{}", "name": "Product {}", "price": "1"}
    header = [name for name in needs if name != column]
    rows = [
        [
            *(needs[name].format(number) for name in header),
            f'"{value.replace(chr(34), chr(34) * 2)}"',
        ]
        for number, value in enumerate(values)
    ]
    found = problems(bring(table([*header, column], *rows)))
    assert {where for _line, where, _value, _message in found} <= {
        compile_columns(get_resource("products"))[column].label
    }
    return [(value, message) for _line, _where, value, message in found]


def said(column: str, value: str) -> str:
    [(shown, message)] = judged(column, value)
    assert shown == value
    return message
