"""A full list sets what it does not name out of use: found when planned, done when applied.

The planned rows stand in the table `missing` of the job: target (key of the live row) and seen
(its version).
"""

from collections.abc import Collection

from django.db import connection
from django.utils.translation import gettext as _

from .checking import mapped_columns
from .compiling import open_columns
from .exceptions import PlanStale, TooManyMissing
from .models import ImportJob
from .preview import Cell, PreviewRow, shown_value
from .quantities import DecimalColumn
from .resources import Resource
from .sql import column_of, literal, quote


def plan_missing(job: ImportJob, resource: Resource) -> None:
    """Find what is in use and not in the file, and put the numbers on the job.

    If a row of the file has no readable key, nothing is found: it may name any of them.
    """
    job.deactivated = 0
    job.summary |= {"in_scope": 0, "unnamed": 0}
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {job.stage('missing')}")
        if not job.deactivate_missing:
            return
        key = mapped_columns(job, resource)[resource.key()]
        cursor.execute(f"SELECT count(*) FROM {job.stage('checked')} WHERE {key.value} IS NULL")
        (job.summary["unnamed"],) = cursor.fetchone()
        cursor.execute(
            f"CREATE UNLOGGED TABLE {job.stage('missing')} AS "
            f"{_missing(job, resource) if not job.summary['unnamed'] else _none()};"
            f"ALTER TABLE {job.stage('missing')} ADD PRIMARY KEY (target)"
        )
        cursor.execute(f"SELECT count(*) FROM {job.stage('missing')}")
        (job.deactivated,) = cursor.fetchone()
        cursor.execute(
            f"SELECT count(*) FROM {_table(resource)} t WHERE {_in_scope(job, resource)}"
        )
        (job.summary["in_scope"],) = cursor.fetchone()


def is_above_half(job: ImportJob) -> bool:
    """Whether more would be deactivated than stays: a list of a part, more often than not."""
    return job.deactivated * 2 > int(job.summary.get("in_scope", 0))


def deactivate(job: ImportJob, resource: Resource) -> None:
    """Do what was planned; the rows are locked already. Raises PlanStale if it is another now."""
    if not job.deactivated:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {_table(resource)} t SET {_flag(resource)} = false "
            f"FROM {job.stage('missing')} m WHERE t.id = m.target AND {_flag(resource, 't.')}"
        )
        if cursor.rowcount != job.deactivated:
            raise PlanStale([])


def refuse_another_plan(job: ImportJob, resource: Resource) -> None:
    """Raises PlanStale if the rows that are missing are not those that were shown.

    Raises TooManyMissing if they are more than half, and nobody said that this is right.
    """
    if not job.deactivate_missing or job.summary["unnamed"]:
        return
    if is_above_half(job) and job.summary.get("confirmed") != job.summary["plan"]:
        raise TooManyMissing(job.deactivated, job.summary["in_scope"])
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT EXISTS (SELECT 1 FROM ({_missing(job, resource)}) now FULL JOIN "
            f"{job.stage('missing')} m USING (target) WHERE now.seen IS DISTINCT FROM m.seen)"
        )
        (is_another,) = cursor.fetchone()
    if is_another:
        raise PlanStale([], _("Rows that are not in the file have changed."))


def missing_rows(
    job: ImportJob,
    resource: Resource,
    *,
    after: int = 0,
    before: int = 0,
    limit: int = 50,
    hidden: Collection[str] = (),
) -> list[PreviewRow]:
    """The next rows that applying would deactivate, by the number of the live row."""
    columns = {n: c for n, c in mapped_columns(job, resource).items() if n not in hidden}
    flag = open_columns(resource, job.user)[resource.deactivates]
    columns.pop(flag.name, None)
    where = f"m.target < {int(before)}" if before else f"m.target > {int(after)}"
    ordered = f"ORDER BY m.target {'DESC' if before else ''} LIMIT {int(limit)}"
    page = f"SELECT m.target FROM {job.stage('missing')} m WHERE {where} {ordered}"
    old = [f"{column.live_value()}::text" for column in columns.values()]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT m.target, t.{columns[resource.key()].db_column}, ARRAY[{', '.join(old)}] "
            f"FROM {job.stage('missing')} m JOIN {_table(resource)} t ON t.id = m.target "
            f"{' '.join(column.live_join(page) for column in columns.values())} "
            f"WHERE {where} {ordered}"
        )
        found = sorted(cursor.fetchall())
    turned_off = Cell(flag.name, flag.label, _("yes"), _("no"), True, False, False)
    return [
        PreviewRow(
            number=target,
            line=0,
            status="missing",
            key=key,
            cells=[
                *(
                    Cell(
                        c.name,
                        c.label,
                        None,
                        shown_value(value, is_number),
                        False,
                        False,
                        is_number,
                    )
                    for c, value in zip(columns.values(), values, strict=True)
                    for is_number in [isinstance(c, DecimalColumn)]
                ),
                turned_off,
            ],
            problems=[],
        )
        for target, key, values in found
    ]


def _missing(job: ImportJob, resource: Resource) -> str:
    key = mapped_columns(job, resource)[resource.key()]
    return (
        f"SELECT t.id AS target, t.version AS seen FROM {_table(resource)} t "
        f"WHERE {_in_scope(job, resource)} AND NOT EXISTS (SELECT 1 FROM {job.stage('checked')} s "
        f"WHERE lower(s.{key.value}) = lower(t.{key.db_column}))"
    )


def _none() -> str:
    return "SELECT NULL::bigint AS target, NULL::int AS seen WHERE false"


def _in_scope(job: ImportJob, resource: Resource) -> str:
    """SQL: the live row `t` is in use, and of those that the file is the full list of."""
    fields = {f: v for f, v in job.deactivate_scope.items() if f in resource.deactivates_within}
    return " AND ".join(
        [
            _flag(resource, "t."),
            *(
                f"lower(t.{column_of(resource.model(), field)}) = lower({literal(str(value))})"
                for field, value in fields.items()
            ),
        ]
    )


def _table(resource: Resource) -> str:
    return quote(resource.model()._meta.db_table)


def _flag(resource: Resource, table: str = "") -> str:
    return f"{table}{column_of(resource.model(), resource.deactivates)}"
