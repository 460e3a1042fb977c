"""Every cell of a staged file cleaned, checked and cast, by SQL over whole columns at once."""

from django.core.exceptions import ValidationError
from django.db import connection

from .columns import Column
from .compiling import open_columns
from .models import ImportJob
from .resources import Resource
from .sql import literal, quote

_CHUNK = 10_000


def mapped_columns(job: ImportJob, resource: Resource) -> dict[str, Column]:
    """The columns of the resource that the job's file feeds, by field name.

    Not those that its user must not see: what a file says of them is not compared with anything.
    """
    return {
        name: column
        for name, column in open_columns(resource, job.user).items()
        if any(target in job.mapping for target in column.targets)
    }


def check_cells(job: ImportJob, resource: Resource) -> None:
    """Make the job's table of checked rows out of its raw ones.

    The table: row_no, v_<field> for each mapped field (cast; NULL where the cell is blank or
    wrong), and problems, a list of "<field>:<code>", "<field>:=<message>" or "row:<code>".
    """
    columns = mapped_columns(job, resource)
    with connection.cursor() as cursor:
        for column in columns.values():
            if column.needs_python:
                _clean_in_python(job, column)
        cursor.execute(
            f"DROP TABLE IF EXISTS {job.stage('checked')};"
            f"CREATE UNLOGGED TABLE {job.stage('checked')} AS {_checked_rows(job, columns)}"
        )
        key = columns[resource.key()].value
        cursor.execute(f"CREATE INDEX ON {job.stage('checked')} (lower({key}))")
        cursor.execute(f"ANALYZE {job.stage('checked')}")


def cell_text(job: ImportJob, column: Column) -> str:
    """The text of a column's cell in the raw row `r`; NULL where blank.

    Several cells, the levels of a path, are joined by its separator.
    """
    cells = [f"r.c{int(job.mapping[t])}" for t in column.targets if t in job.mapping]
    if len(cells) == 1:
        return cells[0]
    return f"NULLIF(concat_ws({literal(column.widget.separator)}, {', '.join(cells)}), '')"


def _checked_rows(job: ImportJob, columns: dict[str, Column]) -> str:
    cells, values, problems, found, joins = [], [], [], [], []
    for name, column in columns.items():
        text = f"c.{quote(f'x_{name}')}"
        cells.append(f"{cell_text(job, column)} AS {quote(f'x_{name}')}")
        known = quote(f"k_{name}")
        # What Python cleans, SQL checks and casts afterwards.
        cleaned = f"{known}.value" if column.runs_in == "Python" else column.clean_text(text)
        wrong = [
            f"WHEN {check.condition.replace('§', f'({cleaned})')} "
            f"THEN {literal(f'{name}:{check.code}')}"
            for check in column.checks
        ]
        if column.needs_python:
            joins.append(f"LEFT JOIN {job.stage(f'clean_{name}')} {known} ON {known}.raw = {text}")
            wrong.append(
                f"WHEN {known}.problem IS NOT NULL THEN {literal(f'{name}:=')} || {known}.problem"
            )
        judged, text_left = quote(f"e_{name}"), quote(f"w_{name}")
        problem = f"CASE {' '.join(wrong)} END" if wrong else "NULL::text"
        found += [
            f"CASE WHEN {text} IS NOT NULL THEN {problem} END AS {judged}",
            f"{cleaned} AS {text_left}",
        ]
        problems.append(f"j.{judged}")
        values.append(
            f"CASE WHEN j.problem IS NULL AND j.{judged} IS NULL AND j.{text_left} IS NOT NULL "
            f"THEN {column.cast(f'j.{text_left}')} END AS {column.value}"
        )
    # OFFSET 0 keeps the planner from merging the levels, and so from judging each cell twice.
    return (
        f"SELECT j.row_no, {', '.join(values)}, CASE WHEN j.problem IS NOT NULL "
        f"THEN ARRAY['row:' || j.problem] "
        f"ELSE array_remove(ARRAY[{', '.join(problems)}]::text[], NULL) END AS problems FROM ("
        f"SELECT c.row_no, c.problem, {', '.join(found)} FROM ("
        f"SELECT r.row_no, r.problem, {', '.join(cells)} FROM {job.stage('raw')} r OFFSET 0) c "
        f"{' '.join(joins)} OFFSET 0) j"
    )


def _clean_in_python(job: ImportJob, column: Column) -> None:
    """Clean the distinct values of a column, and keep value or problem of each in a table."""
    table, text = job.stage(f"clean_{column.name}"), cell_text(job, column)
    with connection.cursor() as cursor:
        cursor.execute(
            f"DROP TABLE IF EXISTS {table};"
            f"CREATE UNLOGGED TABLE {table} (raw text PRIMARY KEY, value text, problem text);"
            f"DECLARE distinct_values NO SCROLL CURSOR FOR SELECT DISTINCT {text} "
            f"FROM {job.stage('raw')} r WHERE {text} IS NOT NULL"
        )
        while True:
            cursor.execute(f"FETCH {_CHUNK} FROM distinct_values")
            if not (found := cursor.fetchall()):
                break
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                for (value,) in found:
                    copy.write_row(_cleaned(column, value))
        cursor.execute(f"CLOSE distinct_values; ANALYZE {table}")


def _cleaned(column: Column, text: str) -> tuple[str, str | None, str | None]:
    """(raw, value, problem) of one value; a widget says by an exception what is wrong."""
    try:
        return text, column.python_clean(text), None
    except ValidationError as error:
        return text, None, " ".join(error.messages)
    except (ValueError, ArithmeticError, TypeError) as error:
        return text, None, str(error)
