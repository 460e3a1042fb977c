"""What is wrong with a row, in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .compiling import compile_columns
from .models import ImportJob
from .resources import Resource
from .versions import VERSION

ROW_PROBLEMS = {
    "too_few_cells": gettext_lazy(
        "The row has fewer cells than the header. Add the missing delimiters, or put text that "
        "has line breaks into quotes."
    ),
    "too_many_cells": gettext_lazy(
        "The row has more cells than the header. Put text that has the delimiter in it into quotes."
    ),
    "beside_table": gettext_lazy(
        "A cell stands to the right of the last header. Give its column a header, or empty it."
    ),
    "bad_quotes": gettext_lazy(
        "A quote is opened and not closed, or closed in the middle of a cell. Double the quotes "
        'that belong to the text ("").'
    ),
    "cell_too_long": gettext_lazy(
        "A cell has more characters than EXCHANGE_MAX_CELL_CHARACTERS. Shorten it."
    ),
    "not_a_version": gettext_lazy(
        "The version is what tells a row that was changed since the export. Leave it as the export "
        "has it, or blank; or do not import the column."
    ),
}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a row, and what to do about it."""

    column: str  # label of the field; "" if it is about the row
    value: str
    message: str


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
            # What a format finds wrong with a row is said in its own words.
            said = code[1:] if code.startswith("=") else str(ROW_PROBLEMS[code])
            found.append(Problem("", "", said))
            continue
        if name == VERSION:
            found.append(Problem(str(_("Version")), "", str(ROW_PROBLEMS[code])))
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
        "invalid_parent": _("the row it belongs to is invalid"),
        "not_a_number": _("not a number"),
        "other_currency": _("in another currency"),
        "too_small": _("too small"),
        "no_add": _("you may not add"),
        "no_change": _("you may not change"),
        "not_clearable": _("cannot be cleared"),
        "blank": _("blank"),
    }
    return [
        (
            _("Version") if name == VERSION else "" if name == "row" else columns[name].label,
            _("cannot be read") if name == "row" else kinds.get(code, _("not possible")),
            count,
        )
        for problem, count in job.summary.get("problems", {}).items()
        for name, _colon, code in [problem.partition(":")]
    ]
