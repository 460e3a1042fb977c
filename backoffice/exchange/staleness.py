"""Which rows of a preview are no longer as it shows them: told from the record, in little time.

What applying finds is exact; this looks only at what the record got since, and at the newest of
that if it is very much.
"""

from dataclasses import dataclass
from typing import Any

from django.db import connection, models

from backoffice.audit.naming import history_of

from .checking import mapped_columns
from .children import ChildrenColumn
from .columns import ListColumn
from .models import ImportJob
from .resources import Resource
from .sql import column_of, quote
from .versions import is_on_record

SHOWN = 20
_LOOKED_AT = 5_000
# History rows get their numbers in the order of writing, and are seen in that of committing.
_LATE = 1_000


@dataclass(frozen=True)
class StaleRow:
    line: int
    key: str


def remember_record(job: ImportJob, resource: Resource) -> None:
    """Keep how far the record was when planning began; the caller saves the job."""
    with connection.cursor() as cursor:
        job.summary["record"] = {
            model._meta.label: _newest(cursor, model) for model in _models(job, resource)
        }


def stale_rows(job: ImportJob, resource: Resource) -> list[StaleRow]:
    """The first rows of the file whose live rows changed, came or went since it was checked."""
    seen: dict[str, int] = job.summary.get("record", {})
    model = resource.model()
    if model._meta.label not in seen:
        return []
    columns = mapped_columns(job, resource)
    key, table = columns[resource.key()], quote(model._meta.db_table)
    plan, checked = job.stage("plan"), job.stage("checked")
    recent = _recent(model, seen, ["id", f"lower({key.db_column}) AS key"])
    moved = (
        f"SELECT p.row_no FROM {recent} h JOIN {plan} p ON p.target = h.id "
        f"LEFT JOIN {table} t ON t.id = h.id WHERE t.version IS DISTINCT FROM p.seen "
        f"UNION SELECT p.row_no FROM {recent} h JOIN {checked} s ON lower(s.{key.value}) = h.key "
        f"JOIN {plan} p USING (row_no) JOIN {table} t ON lower(t.{key.db_column}) = h.key "
        "WHERE p.target IS DISTINCT FROM t.id"
    )
    for column in columns.values():
        linked = _linked(column)
        if linked is None or linked[0]._meta.label not in seen:
            continue
        child, owner, remembered = linked
        met = f"SELECT o.id FROM {_recent(child, seen, [f'{owner} AS id'])} o"
        moved += (
            f" UNION SELECT p.row_no FROM {plan} p JOIN {table} t ON t.id = p.target "
            f"{column.live_join(met)} WHERE p.target IN ({met}) "
            f"AND {column.live_value()} IS DISTINCT FROM p.{remembered}"
        )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT r.line_no, COALESCE(s.{key.value}, '') FROM ({moved}) m "
            f"JOIN {plan} p USING (row_no) JOIN {checked} s USING (row_no) "
            f"JOIN {job.stage('raw')} r USING (row_no) WHERE p.status <> 'invalid' "
            f"ORDER BY 1 LIMIT {SHOWN + 1}"
        )
        return [StaleRow(line, name) for line, name in cursor.fetchall()]


def _models(job: ImportJob, resource: Resource) -> list[type[models.Model]]:
    links = [_linked(column) for column in mapped_columns(job, resource).values()]
    found = [resource.model(), *(link[0] for link in links if link)]
    return [m for m in found if is_on_record(m)]


def _linked(column: Any) -> tuple[type[models.Model], str, str] | None:
    """The table that holds a column's values, its column of our key, and the plan's of then."""
    if isinstance(column, ListColumn):
        return column.through, column.link_columns[0], column.seen
    if isinstance(column, ChildrenColumn):
        return column.child, column.owner_column, column.seen
    return None


def _newest(cursor: Any, model: type[models.Model]) -> int:
    table = quote(history_of(model)._meta.db_table)
    cursor.execute(f"SELECT COALESCE(max(history_id), 0) FROM {table}")
    return int(cursor.fetchone()[0])


def _recent(model: type[models.Model], seen: dict[str, int], columns: list[str]) -> str:
    history = history_of(model)
    number = column_of(history, "history_id")
    return (
        f"(SELECT DISTINCT {', '.join(columns)} FROM (SELECT * FROM "
        f"{quote(history._meta.db_table)} WHERE {number} > {seen[model._meta.label] - _LATE} "
        f"ORDER BY {number} DESC LIMIT {_LOOKED_AT}) newest)"
    )
