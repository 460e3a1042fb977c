"""What an import will do, row by row and cell by cell; paged by row number, whatever the size."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection

from .checking import cell_text, mapped_columns
from .columns import Column, ListColumn
from .conflicts import LastChange, last_changes
from .models import ImportJob
from .problems import Problem, describe_problems
from .quantities import DecimalColumn
from .resources import Resource
from .sql import literal, quote


@dataclass(frozen=True)
class Cell:
    """A cell of the preview. `old` is None for a new row."""

    name: str
    label: str
    old: str | None
    new: str
    is_changed: bool
    is_wrong: bool
    is_number: bool


@dataclass(frozen=True)
class PreviewRow:
    number: int
    line: int
    status: str
    key: str
    cells: list[Cell]
    problems: list[Problem]
    # Of a conflict: who changed the row since the export, and when.
    last_change: LastChange | None = None


def preview_rows(
    job: ImportJob,
    resource: Resource,
    *,
    status: str = "",
    after: int = 0,
    before: int = 0,
    numbers: Collection[int] | None = None,
    limit: int = 50,
    hidden: Collection[str] = (),
) -> list[PreviewRow]:
    """The rows of the plan next to row number `after`, or to `before`, of one status or of all.

    `numbers` asks for these rows instead. `hidden` names the fields that the reader must not see,
    be it in a cell or in an error.
    """
    columns = {n: c for n, c in mapped_columns(job, resource).items() if n not in hidden}
    cells = [f"COALESCE({cell_text(job, column)}, '')" for column in columns.values()]
    new = [
        f"array_to_string(s.{c.value}, ', ')" if isinstance(c, ListColumn) else f"s.{c.value}::text"
        for c in columns.values()
    ]
    old = [f"{c.live_value()}::text" for c in columns.values()]
    cleared = [c.cleared for c in columns.values()]
    if numbers is not None:
        where = f"p.row_no = ANY({literal(sorted(numbers))}::int[])"
    else:
        where = f"p.row_no < {int(before)}" if before else f"p.row_no > {int(after)}"
        if status:
            where += f" AND p.status = {literal(status)}"
    ordered = f"ORDER BY p.row_no {'DESC' if before else ''} LIMIT {int(limit)}"
    page = f"SELECT p.target FROM {job.stage('plan')} p WHERE {where} {ordered}"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT p.row_no, r.line_no, p.status, p.target, p.changes, p.problems, "
            f"ARRAY[{', '.join(cells)}], ARRAY[{', '.join(new)}], ARRAY[{', '.join(old)}], "
            f"ARRAY[{', '.join(cleared)}] "
            f"FROM {job.stage('plan')} p JOIN {job.stage('checked')} s USING (row_no) "
            f"JOIN {job.stage('raw')} r USING (row_no) "
            f"LEFT JOIN {quote(resource.model()._meta.db_table)} t ON t.id = p.target "
            f"{' '.join(column.live_join(page) for column in columns.values())} "
            f"WHERE {where} {ordered}"
        )
        found = sorted(cursor.fetchall())
    rows = [_row(list(columns.values()), resource, record, hidden) for record in found]
    conflicts = {record[0]: record[3] for record in found if record[2] == "conflict"}
    if not conflicts:
        return rows
    changes = last_changes(resource, conflicts.values())
    return [replace(row, last_change=changes.get(conflicts.get(row.number))) for row in rows]


def _row(
    columns: Sequence[Column], resource: Resource, record: Sequence[Any], hidden: Collection[str]
) -> PreviewRow:
    number, line, status, target, changes, problems, raw, new, old, cleared = record
    problems = [problem for problem in problems if problem.partition(":")[0] not in hidden]
    wrong = {problem.partition(":")[0] for problem in problems}
    cells = []
    for column, cell, after, before, is_cleared in zip(
        columns, raw, new, old, cleared, strict=True
    ):
        is_wrong = column.name in wrong
        # A blank cell keeps what is there; a wrong one is shown as it stands in the file.
        shown = cell if is_wrong or status == "invalid" else (before if after is None else after)
        is_number = isinstance(column, DecimalColumn)
        cells.append(
            Cell(
                name=column.name,
                label=column.label,
                old=None if target is None else shown_value(before, is_number),
                new=(shown or "")
                if is_wrong
                else shown_value(None if is_cleared else shown, is_number),
                is_changed=column.name in changes and not is_wrong,
                is_wrong=is_wrong,
                is_number=is_number,
            )
        )
    text = dict(zip((column.name for column in columns), raw, strict=True))
    return PreviewRow(
        number, line, status, text.get(resource.key(), ""), cells,
        describe_problems(problems, text, resource),
    )  # fmt: skip


def shown_value(value: str | None, is_number: bool) -> str:
    """A value for people: a number without the zeros that only its column's scale gives it."""
    if value and is_number and "." in value:
        whole, _point, decimals = value.partition(".")
        return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"
    return value or ""
