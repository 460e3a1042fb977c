"""What an import will do, row by row and cell by cell; paged by row number, whatever the size."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
    # Changed since the export and not by the file's author: what is there is kept.
    is_kept: bool = False


@dataclass(frozen=True)
class Dispute:
    """A cell that both the file's author and somebody else changed since the export."""

    name: str
    label: str
    now: str
    file: str
    choice: str  # "theirs", "file", or "" where nothing is chosen
    change: LastChange | None = None


@dataclass(frozen=True)
class PreviewRow:
    number: int
    line: int
    status: str
    key: str
    cells: list[Cell]
    problems: list[Problem]
    disputes: list[Dispute] = field(default_factory=list)


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
    told, since = "NULL, NULL, NULL, NULL", ""
    if job.summary.get("since"):
        told = "s.version, x.live, x.disputed, x.kept"
        since = f"LEFT JOIN {job.stage('since')} x USING (row_no)"
    page = f"SELECT p.target FROM {job.stage('plan')} p WHERE {where} {ordered}"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT p.row_no, r.line_no, p.status, p.target, p.changes, p.problems, "
            f"ARRAY[{', '.join(cells)}], ARRAY[{', '.join(new)}], ARRAY[{', '.join(old)}], "
            f"ARRAY[{', '.join(cleared)}], {told} "
            f"FROM {job.stage('plan')} p JOIN {job.stage('checked')} s USING (row_no) "
            f"JOIN {job.stage('raw')} r USING (row_no) {since} "
            f"LEFT JOIN {quote(resource.model()._meta.db_table)} t ON t.id = p.target "
            f"{' '.join(column.live_join(page) for column in columns.values())} "
            f"WHERE {where} {ordered}"
        )
        found = sorted(cursor.fetchall())
    rows = [_row(columns, job, resource, record, hidden) for record in found]
    versions = {
        record[3]: record[10] for record, row in zip(found, rows, strict=True) if row.disputes
    }
    if not versions:
        return rows
    changes = last_changes(resource, columns, versions)
    return [
        replace(
            row,
            disputes=[
                replace(d, change=changes.get(record[3], {}).get(d.name)) for d in row.disputes
            ],
        )
        for record, row in zip(found, rows, strict=True)
    ]


def _row(
    columns: Mapping[str, Column],
    job: ImportJob,
    resource: Resource,
    record: Sequence[Any],
    hidden: Collection[str],
) -> PreviewRow:
    number, line, status, target, changes, problems, raw, new, old, cleared = record[:10]
    _version, live, disputed, kept = record[10:]
    chosen = job.conflict_choices.get(str(number), {})
    choices = chosen.get("cells", {}) if chosen.get("live") == live else {}
    problems = [problem for problem in problems if problem.partition(":")[0] not in hidden]
    wrong = {problem.partition(":")[0] for problem in problems}
    cells, disputes = [], []
    for column, cell, after, before, is_cleared in zip(
        columns.values(), raw, new, old, cleared, strict=True
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
                is_kept=column.name in (kept or ()),
            )
        )
        if column.name in (disputed or ()) and status != "invalid":
            said = "" if is_cleared else cell if after is None else after
            disputes.append(
                Dispute(
                    column.name,
                    column.label,
                    now=shown_value(before, is_number),
                    file=shown_value(said, is_number),
                    choice=choices.get(column.name, ""),
                )
            )
    text = dict(zip(columns, raw, strict=True))
    return PreviewRow(
        number, line, status, text.get(resource.key(), ""), cells,
        describe_problems(problems, text, resource), disputes,
    )  # fmt: skip


def shown_value(value: str | None, is_number: bool) -> str:
    """A value for people: a number without the zeros that only its column's scale gives it."""
    if value and is_number and "." in value:
        whole, _point, decimals = value.partition(".")
        return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"
    return value or ""
