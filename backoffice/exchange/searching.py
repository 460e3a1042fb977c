"""Rows of a staged file by what stands in them: as far as a page's patience reaches."""

import time
from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection

from .checking import mapped_columns
from .models import ImportJob
from .resources import Resource
from .sql import literal

# Seconds that one page may search, and the rows between two looks at the clock.
PATIENCE = 0.7
_STEP = 25_000


@dataclass(frozen=True)
class Found:
    """Row numbers in their order; those of the very key stand apart, wherever they are.

    `reached` is the last row that was looked at, or None if that was the last of the file.
    """

    keys: list[int]
    rows: list[int]
    reached: int | None


def find_rows(
    job: ImportJob,
    resource: Resource,
    text: str,
    *,
    status: str = "",
    after: int = 0,
    limit: int = 50,
    hidden: Collection[str] = (),
) -> Found:
    """The next rows with this text in any cell that is imported and not hidden, in any case."""
    columns = {n: c for n, c in mapped_columns(job, resource).items() if n not in hidden}
    indexes = sorted(
        {int(job.mapping[t]) for c in columns.values() for t in c.targets if t in job.mapping}
    )
    # A sign that no cell has, so that nothing is found across two of them.
    cells = f"concat_ws(E'\\x1f', {', '.join(f'r.c{index}' for index in indexes)})"
    pattern = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    of_status = f"AND p.status = {literal(status)}" if status else ""
    plan = f"JOIN {job.stage('plan')} p USING (row_no)" if status else ""
    rows: list[int] = []
    started, reached = time.monotonic(), after
    with connection.cursor() as cursor:
        keys: list[int] = []
        if not after:
            key = columns[resource.key()].value if resource.key() in columns else "NULL"
            cursor.execute(
                f"SELECT s.row_no FROM {job.stage('checked')} s {plan} "
                f"WHERE lower(s.{key}) = lower({literal(text)}) {of_status} LIMIT {int(limit)}"
            )
            keys = sorted(number for (number,) in cursor.fetchall())
        while reached < job.rows and len(rows) < limit:
            if time.monotonic() - started > PATIENCE:
                return Found(keys, rows, reached)
            cursor.execute(
                f"SELECT r.row_no FROM {job.stage('raw')} r {plan} "
                f"WHERE r.row_no > {reached} AND r.row_no <= {reached + _STEP} {of_status} "
                f"AND {cells} ILIKE {literal(f'%{pattern}%')} "
                f"ORDER BY r.row_no LIMIT {limit - len(rows)}"
            )
            rows += [number for (number,) in cursor.fetchall()]
            reached += _STEP
    return Found(keys, rows, rows[-1] if len(rows) == limit else None)
