"""Every cell of a staged file cleaned, checked and cast, by SQL over whole columns at once."""

from django.core.exceptions import ValidationError
from django.db import connection

from .clearing import CLEAR, blank_value, empty_value, find_clears, is_clear
from .columns import Column, ListColumn, RelationColumn
from .compiling import open_columns
from .models import ImportJob
from .numerals import Numerals
from .quantities import DateColumn, DecimalColumn
from .resources import Resource
from .sql import column_of, literal, nothing_of, quote, those_of
from .transforming import Surroundings, transformed
from .versions import PATTERN, VERSION, number_said, sum_said

_CHUNK = 10_000


def mapped_columns(job: ImportJob, resource: Resource) -> dict[str, Column]:
    """The columns of the resource that the job's file or a constant feeds, by field name.

    Not those that its user must not see: what a file says of them is not compared with anything.
    """
    fed = {*job.mapping, *job.constants}
    clears = job.summary.get("clears", ())
    numerals = Numerals.of(job)
    found = {}
    for name, column in open_columns(resource, job.user).items():
        if not fed.isdisjoint(column.targets):
            column.may_clear = name in clears
            if isinstance(column, RelationColumn) and name in job.lookups:
                column.lookup = str(job.lookups[name])
            elif isinstance(column, DecimalColumn):
                column.numerals = numerals
            elif isinstance(column, DateColumn):
                column.date_order = job.date_order
            found[name] = column
    return found


def created_by(job: ImportJob, resource: Resource) -> frozenset[str]:
    """The relations whose missing objects the job makes, if its user may."""
    offered = resource.creates - {name for name in job.lookups if job.lookups[name]}
    return offered if job.creates is None else offered & frozenset(job.creates)


def check_cells(job: ImportJob, resource: Resource) -> None:
    """Make the job's table of checked rows out of its raw ones.

    The table: row_no, v_<field> for each mapped field (cast; NULL where the cell is blank or
    wrong), z_<field> where it may be cleared (true where it becomes NULL), version and
    sum_of_lists if the file has versions, and problems, a list of "<field>:<code>",
    "<field>:=<message>" or "row:<code>".
    """
    job.summary["clears"] = find_clears(job, mapped_columns(job, resource), resource.key())
    columns = mapped_columns(job, resource)
    with connection.cursor() as cursor:
        for column in columns.values():
            if isinstance(column, RelationColumn) and column.lookup:
                _look_up(job, columns, column, resource.key())
            elif isinstance(column, ListColumn):
                _take_apart(job, column)
            elif column.needs_python:
                _clean_in_python(job, column)
        cursor.execute(
            f"DROP TABLE IF EXISTS {job.stage('checked')};"
            f"CREATE UNLOGGED TABLE {job.stage('checked')} AS {_checked_rows(job, columns)}"
        )
        key = columns[resource.key()].value
        cursor.execute(f"CREATE INDEX ON {job.stage('checked')} (lower({key}))")
        # A page of the preview finds its rows by it, however many there are.
        cursor.execute(f"ALTER TABLE {job.stage('checked')} ADD PRIMARY KEY (row_no)")
        cursor.execute(f"ANALYZE {job.stage('checked')}")


def cell_text(job: ImportJob, column: Column) -> str:
    """The text of a column's cell in the raw row `r`, after its steps; NULL where blank.

    Several cells, the levels of a path, are joined by its separator.
    """
    cells = [
        _target_text(job, column, target)
        for target in column.targets
        if target in job.mapping or target in job.constants
    ]
    if len(cells) == 1:
        return cells[0]
    path = f"NULLIF(concat_ws({literal(column.widget.separator)}, {', '.join(cells)}), '')"
    if not column.may_clear:
        return path
    together = f"lower(concat({', '.join(cells)}))"
    return f"CASE WHEN {together} ~ '^({CLEAR})+$' THEN {literal(CLEAR)} ELSE {path} END"


def _target_text(job: ImportJob, column: Column, target: str) -> str:
    if target in job.constants:
        return literal(str(job.constants[target]).strip())
    cell, steps = f"r.c{int(job.mapping[target])}", job.transformations.get(target, ())
    separator = getattr(column.widget, "separator", "")
    text = transformed(cell, steps, Surroundings(Numerals.of(job), separator))
    if steps and column.may_clear:
        return f"CASE WHEN {is_clear(cell)} THEN {cell} ELSE {text} END"
    return text


def _checked_rows(job: ImportJob, columns: dict[str, Column]) -> str:
    """SELECT of the checked rows, in levels, so that each cell is cleaned once."""
    cells, cleaned, joins, found, values, problems = [], [], [], [], [], []
    for name, column in columns.items():
        cell, text, judged, problem, known = (quote(f"{sign}_{name}") for sign in "xwepk")
        cells.append(f"{cell_text(job, column)} AS {cell}")
        is_list = isinstance(column, ListColumn)
        is_looked_up = isinstance(column, RelationColumn) and bool(column.lookup)
        # What Python cleans, SQL checks and casts afterwards.
        beside = column.runs_in == "Python" or is_looked_up or is_list
        clean = f"{known}.value" if beside else column.clean_text(f"c.{cell}")
        cleaned += [f"c.{cell}", f"{clean} AS {text}"]
        wrong = [] if is_list else [_found_wrong(column, f"d.{text}", f"d.{cell}")]
        if beside or column.needs_python:
            joins.append(
                f"LEFT JOIN {job.stage(f'clean_{name}')} {known} ON {known}.raw = c.{cell}"
            )
            cleaned.append(f"{known}.problem AS {problem}")
            wrong.append(f"{literal(f'{name}:')} || d.{problem}")
        is_wrong = f"COALESCE({', '.join(wrong)})"
        if column.may_clear:
            refusal = literal(f"{name}:not_clearable")
            cannot = "NULL" if empty_value(column) is not None else refusal
            is_wrong = f"CASE WHEN {is_clear(f'd.{cell}')} THEN {cannot} ELSE {is_wrong} END"
        found += [f"CASE WHEN d.{cell} IS NOT NULL THEN {is_wrong} END AS {judged}", f"d.{text}"]
        problems.append(f"j.{judged}")
        is_right = f"j.problem IS NULL AND j.{judged} IS NULL"
        value = f"j.{text}" if is_list else column.cast(f"j.{text}")
        value = f"WHEN j.{text} IS NOT NULL THEN {value}"
        if column.may_clear:
            found.append(f"d.{cell}")
            said, emptied = _said_of_blanks(job, column, f"j.{cell}")
            value = f"{said} {value}"
            values.append(f"{is_right} AND ({emptied}) AS {quote(f'z_{name}')}")
        values.append(f"CASE WHEN NOT ({is_right}) THEN NULL {value} END AS {column.value}")
    version = _version(job)
    if version:
        cells.append(f"r.c{int(job.mapping[VERSION])} AS version")
        cleaned.append("c.version")
        found.append("d.version")
        problems += version[2:]
    # OFFSET 0 keeps the planner from merging the levels.
    return (
        f"SELECT j.row_no, {', '.join(values)}, "
        f"{''.join(f'{said}, ' for said in version[:2])}CASE WHEN j.problem IS NOT NULL "
        f"THEN ARRAY['row:' || j.problem] WHEN {nothing_of(problems)} THEN '{{}}'::text[] "
        f"ELSE {those_of(problems)} END AS problems FROM ("
        f"SELECT d.row_no, d.problem, {', '.join(found)} FROM ("
        f"SELECT c.row_no, c.problem, {', '.join(cleaned)} FROM ("
        f"SELECT r.row_no, r.problem, {', '.join(cells)} FROM {job.stage('raw')} r OFFSET 0) c "
        f"{' '.join(joins)} OFFSET 0) d OFFSET 0) j"
    )


def _found_wrong(column: Column, text: str, cell: str) -> str:
    """SQL of the first problem of a column's cleaned text; NULL where it has none."""
    wrong = [
        f"WHEN {check.condition.replace('§', cell if check.of_cell else text)} "
        f"THEN {literal(f'{column.name}:{check.code}')}"
        for check in column.checks
    ]
    own = len(column.own_checks()) if (plain := column.plain(text)) else 0
    first, others = " ".join(wrong[:own]), " ".join(wrong[own:])
    # What most cells are is told by one look.
    found = [f"CASE WHEN {plain} THEN NULL {first} END"] if first else []
    found += [f"CASE {others} END"] if others else []
    return f"COALESCE({', '.join(found)})" if found else "NULL::text"


def _said_of_blanks(job: ImportJob, column: Column, text: str) -> tuple[str, str]:
    """SQL: the values (as WHENs) of cells that clear or are blank; when they leave NULL behind."""
    values, emptied = [], []
    for condition, value in (
        (is_clear(text), empty_value(column)),
        (f"{text} IS NULL", blank_value(column, job.blank_cells)),
    ):
        if value == "NULL":
            emptied.append(f"COALESCE({condition}, false)")
        elif value is not None:
            values.append(f"WHEN {condition} THEN {value}")
    # What clears leaves no text to cast.
    values.append(f"WHEN {is_clear(text)} THEN NULL")
    return " ".join(values), " OR ".join(emptied) or "false"


def _version(job: ImportJob) -> tuple[str, ...]:
    """SQL of the version that the file's row had, in two parts, and of what is wrong with it."""
    if VERSION not in job.mapping:
        return ()
    known = f"j.version ~ {literal(PATTERN)}"
    return (
        f"CASE WHEN {known} THEN {number_said('j.version')} END AS version",
        f"CASE WHEN {known} THEN {sum_said('j.version')} END AS sum_of_lists",
        f"CASE WHEN NOT {known} THEN '{VERSION}:not_a_version' END",
    )


def _look_up(job: ImportJob, columns: dict[str, Column], column: RelationColumn, key: str) -> None:
    """Put the usual name of what each distinct cell names by another field into a table.

    A row of the same file may be meant, if the relation is to the same table.
    """
    table, text = job.stage(f"clean_{column.name}"), cell_text(job, column)
    name = f"lower({column.clean_text('w.raw') if column.runs_in != 'Python' else 'w.raw'})"
    in_file, value = "", f"min(r.{column.related_key})"
    if column.is_self and column.lookup in columns:
        own = [cell_text(job, c) for c in (columns[column.lookup], columns[key])]
        in_file = (
            f"LEFT JOIN (SELECT lower({own[0]}) AS name, {own[1]} AS key "
            f"FROM {job.stage('raw')} r) f ON f.name = {name}"
        )
        value = f"COALESCE({value}, min(f.key))"
    looked_up = column_of(column.related, column.lookup)
    with connection.cursor() as cursor:
        cursor.execute(
            f"DROP TABLE IF EXISTS {table};"
            f"CREATE UNLOGGED TABLE {table} AS SELECT w.raw, {value} AS value, "
            f"CASE WHEN {value} IS NULL THEN 'unknown' END AS problem "
            f"FROM (SELECT DISTINCT {text} AS raw FROM {job.stage('raw')} r) w "
            f"LEFT JOIN {column.related_table} r ON lower(r.{looked_up}) = {name} {in_file} "
            f"WHERE w.raw IS NOT NULL GROUP BY w.raw; ANALYZE {table}"
        )


def _take_apart(job: ImportJob, column: ListColumn) -> None:
    """Put what each distinct list consists of into a table: the same few stand in many rows."""
    table, text = job.stage(f"clean_{column.name}"), column.clean_text("w.raw")
    wrong = " ".join(
        f"WHEN {check.condition.replace('§', 'n.raw' if check.of_cell else 'n.text')} "
        f"THEN {literal(check.code)}"
        for check in column.checks
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"DROP TABLE IF EXISTS {table};"
            f"CREATE UNLOGGED TABLE {table} AS SELECT n.raw, {column.cast('n.text')} AS value, "
            f"CASE {wrong} END AS problem FROM (SELECT w.raw, {text} AS text FROM ("
            f"SELECT DISTINCT {cell_text(job, column)} AS raw FROM {job.stage('raw')} r) w "
            f"WHERE w.raw IS NOT NULL OFFSET 0) n; ANALYZE {table}"
        )


def _clean_in_python(job: ImportJob, column: Column) -> None:
    """Clean the distinct values of a column, and keep value or problem of each in a table."""
    table, text = job.stage(f"clean_{column.name}"), cell_text(job, column)
    # A validator in Python gets numbers and dates in the form in which Python reads them.
    is_quantity = isinstance(column, DecimalColumn | DateColumn)
    seen = column.clean_text("raw") if is_quantity else "raw"
    with connection.cursor() as cursor:
        cursor.execute(
            f"DROP TABLE IF EXISTS {table};"
            f"CREATE UNLOGGED TABLE {table} (raw text PRIMARY KEY, value text, problem text);"
            f"DECLARE distinct_values NO SCROLL CURSOR FOR SELECT raw, {seen} FROM "
            f"(SELECT DISTINCT {text} AS raw FROM {job.stage('raw')} r) w WHERE raw IS NOT NULL"
        )
        while True:
            cursor.execute(f"FETCH {_CHUNK} FROM distinct_values")
            if not (found := cursor.fetchall()):
                break
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                for raw, value in found:
                    copy.write_row((raw, *_cleaned(column, value)))
        cursor.execute(f"CLOSE distinct_values; ANALYZE {table}")


def _cleaned(column: Column, text: str) -> tuple[str | None, str | None]:
    """(value, problem) of one value; a widget says by an exception what is wrong."""
    try:
        return column.python_clean(text), None
    except ValidationError as error:
        return None, "=" + " ".join(error.messages)
    except (ValueError, ArithmeticError, TypeError) as error:
        return None, f"={error}"
