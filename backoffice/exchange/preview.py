"""What an import will do, row by row and cell by cell; paged by row number, whatever the size."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .checking import cell_text, mapped_columns
from .columns import Column, DecimalColumn, ListColumn
from .compiling import compile_columns
from .models import ImportJob
from .resources import Resource
from .sql import literal, quote

ROW_PROBLEMS = {
    "too_few_cells": gettext_lazy(
        "The row has fewer cells than the header. Add the missing delimiters, or put text that "
        "has line breaks into quotes."
    ),
    "too_many_cells": gettext_lazy(
        "The row has more cells than the header. Put text that has the delimiter in it into quotes."
    ),
    "bad_quotes": gettext_lazy(
        "A quote is opened and not closed, or closed in the middle of a cell. Double the quotes "
        'that belong to the text ("").'
    ),
    "cell_too_long": gettext_lazy(
        "A cell has more characters than EXCHANGE_MAX_CELL_CHARACTERS. Shorten it."
    ),
}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a row, and what to do about it."""

    column: str  # label of the field; "" if it is about the row
    value: str
    message: str


@dataclass(frozen=True)
class Cell:
    """A cell of the preview. `old` is None for a new row."""

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


def preview_rows(
    job: ImportJob,
    resource: Resource,
    *,
    status: str = "",
    after: int = 0,
    limit: int = 50,
    hidden: Collection[str] = (),
) -> list[PreviewRow]:
    """The next rows of the plan after row number `after`, of one status or of all.

    `hidden` names the fields that the reader must not see, be it in a cell or in an error.
    """
    columns = {n: c for n, c in mapped_columns(job, resource).items() if n not in hidden}
    cells = [f"COALESCE({cell_text(job, column)}, '')" for column in columns.values()]
    new = [
        f"array_to_string(s.{c.value}, ', ')" if isinstance(c, ListColumn) else f"s.{c.value}::text"
        for c in columns.values()
    ]
    old = [f"{c.live_value()}::text" for c in columns.values()]
    where = f"p.row_no > {int(after)}"
    if status:
        where += f" AND p.status = {literal(status)}"
    page = (
        f"SELECT p.target FROM {job.stage('plan')} p WHERE {where} ORDER BY p.row_no "
        f"LIMIT {int(limit)}"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT p.row_no, r.line_no, p.status, p.target, p.changes, p.problems, "
            f"ARRAY[{', '.join(cells)}], ARRAY[{', '.join(new)}], ARRAY[{', '.join(old)}] "
            f"FROM {job.stage('plan')} p JOIN {job.stage('checked')} s USING (row_no) "
            f"JOIN {job.stage('raw')} r USING (row_no) "
            f"LEFT JOIN {quote(resource.model()._meta.db_table)} t ON t.id = p.target "
            f"{' '.join(column.live_join(page) for column in columns.values())} "
            f"WHERE {where} ORDER BY p.row_no LIMIT {int(limit)}"
        )
        found = cursor.fetchall()
    return [_row(list(columns.values()), resource, record, hidden) for record in found]


def _row(
    columns: Sequence[Column], resource: Resource, record: Sequence[Any], hidden: Collection[str]
) -> PreviewRow:
    number, line, status, target, changes, problems, raw, new, old = record
    problems = [problem for problem in problems if problem.partition(":")[0] not in hidden]
    wrong = {problem.partition(":")[0] for problem in problems}
    cells = []
    for column, cell, after, before in zip(columns, raw, new, old, strict=True):
        is_wrong = column.name in wrong
        # A blank cell keeps what is there; a wrong one is shown as it stands in the file.
        shown = cell if is_wrong or status == "invalid" else (before if after is None else after)
        is_number = isinstance(column, DecimalColumn)
        cells.append(
            Cell(
                label=column.label,
                old=None if target is None else _shown(before, is_number),
                new=shown or "" if is_wrong else _shown(shown, is_number),
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


def _shown(value: str | None, is_number: bool) -> str:
    """A value for people: a number without the zeros that only its column's scale gives it."""
    if value and is_number and "." in value:
        whole, _point, decimals = value.partition(".")
        return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"
    return value or ""


def describe_problems(
    problems: Sequence[str], text: dict[str, str], resource: Resource
) -> list[Problem]:
    """Problems of the plan in words; `text` has the cells of the row by field."""
    columns, rules = compile_columns(resource), {r.code: r for r in resource.row_rules()}
    constraints = {c.name: c for c in resource.model()._meta.constraints}
    found = []
    for problem in problems:
        name, _colon, code = problem.partition(":")
        if name == "row":
            found.append(Problem("", "", str(ROW_PROBLEMS[code])))
            continue
        column, cell = columns[name], (text.get(name) or "").strip()
        if code in rules:
            message = str(rules[code].message) % {"value": cell}
        elif code in constraints:
            message = str(constraints[code].get_violation_error_message())
        else:
            message = column.describe(code, cell)
        found.append(Problem(column.label, cell, message))
    return found


def problem_summary(job: ImportJob, resource: Resource) -> list[tuple[str, str, int]]:
    """(column, kind of problem, rows), the most frequent first."""
    columns = compile_columns(resource)
    kinds = {
        "required": _("missing"),
        "duplicate": _("more than once"),
        "taken": _("belongs to another row"),
        "unknown": _("unknown"),
        "too_long": _("too long"),
        "not_a_number": _("not a number"),
        "too_small": _("too small"),
        "no_add": _("you may not add"),
        "no_change": _("you may not change"),
    }
    return [
        (
            "" if name == "row" else columns[name].label,
            _("cannot be read") if name == "row" else kinds.get(code, _("not possible")),
            count,
        )
        for problem, count in job.summary.get("problems", {}).items()
        for name, _colon, code in [problem.partition(":")]
    ]
