"""Cells of a file that is older than the data: which of them its author edited, and which not.

The record has each row as it was exported, under the version that the file names. A cell that the
file has as it was exported is kept as it is now; one that only the file changed is written; only
one that was changed on both sides, or of which nothing is known, is in conflict.
"""

import json
from collections.abc import Iterable, Mapping

from django.db import connection

from backoffice.audit.naming import history_of

from .checking import mapped_columns
from .columns import Column
from .models import ImportJob
from .resources import Resource
from .sql import column_of, literal, quote, those_of
from .versions import VERSION, is_on_record, list_columns, sum_of_lists

# What is chosen for a cell in conflict.
THEIRS, FILE = "theirs", "file"


def says_otherwise(column: Column) -> str:
    """True where the file says another value than the row `t` has."""
    if not column.may_clear:
        return column.differs()
    return f"({column.differs()} OR ({column.cleared} AND {column.live_value()} IS NOT NULL))"


def settle_edits(job: ImportJob, resource: Resource) -> bool:
    """Find what changed since the export, and take what the file did not edit out of its rows.

    If the file has versions and some rows are not as they were, makes the table `since` of those,
    and says so: row_no, live (the version as an export has it now), disputed (fields changed on
    both sides), kept (fields that the file has as exported, or that its user chose to leave),
    open (disputed, and nothing chosen).
    """
    if VERSION not in job.mapping:
        return False
    columns = mapped_columns(job, resource)
    with connection.cursor() as cursor:
        cursor.execute(
            f"DROP TABLE IF EXISTS {job.stage('since')};"
            f"CREATE UNLOGGED TABLE {job.stage('since')} (row_no integer PRIMARY KEY, live text, "
            "disputed text[], kept text[], open text[])"
        )
        cursor.execute(f"INSERT INTO {job.stage('since')} {_changed_since(job, resource, columns)}")
        if not cursor.rowcount:
            return False
        if is_on_record(resource.model()):
            cursor.execute(_take_out_unedited(job, resource, columns))
        cursor.execute(
            f"UPDATE {job.stage('since')} SET open = disputed WHERE disputed <> '{{}}'::text[]"
        )
        _take_choices(job)
        cursor.execute(_forget_kept(job, columns))
    return True


def disputes_of(job: ImportJob, numbers: Iterable[int]) -> list[tuple[int, str, list[str]]]:
    """(row number, live version, disputed fields) of those of these rows that have any."""
    if not job.summary.get("since"):
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT row_no, live, disputed FROM {job.stage('since')} "
            "WHERE row_no = ANY(%s) AND disputed <> '{}'::text[] ORDER BY row_no",
            [list(numbers)],
        )
        return list(cursor.fetchall())


def _changed_since(job: ImportJob, resource: Resource, columns: Mapping[str, Column]) -> str:
    """SELECT of the rows that moved on, with every cell that the file has otherwise than now.

    Of those, the ones that stand as they were exported are left out; unless the record has no
    such version, then nothing is known.
    """
    model, lists = resource.model(), list_columns(resource)
    is_other, fed_lists = "s.version <> t.version", [name for name in lists if name in columns]
    live, joins, is_same_list = "t.version::text", dict[str, str](), "false"
    met = f"SELECT target FROM {job.stage('met')}"
    if lists:
        joins = {c.name: c.live_join(met) for c in lists.values()}
        live = f"concat(t.version, '-', {sum_of_lists(lists.values())})"
        is_same_list = f"COALESCE(s.sum_of_lists = split_part({live}, '-', 2), false)"
    if fed_lists:
        # Tags and images raise no number of the row.
        is_other = f"({is_other} OR s.sum_of_lists <> split_part({live}, '-', 2))"
    joins |= {c.name: c.live_join(met) for c in columns.values()}
    before, found = "", []
    if is_on_record(model):
        before = _exported(resource, "h")
    for name, column in columns.items():
        if name == resource.key():
            continue
        differs = f"({says_otherwise(column)})"
        if name in lists:
            differs += f" AND NOT {is_same_list}"
        elif column.db_column is not None and before:
            here = column_of(model, column.model_field.name)
            differs += f" AND (h.id IS NULL OR h.{here} IS DISTINCT FROM t.{here})"
        found.append(f"CASE WHEN {differs} THEN {literal(name)} END")
    return (
        f"SELECT s.row_no, {live}, {those_of(found) if found else 'ARRAY[]::text[]'}, "
        f"'{{}}'::text[], '{{}}'::text[] FROM {job.stage('checked')} s "
        f"JOIN {job.stage('met')} met USING (row_no) "
        f"JOIN {quote(model._meta.db_table)} t ON t.id = met.target "
        f"{' '.join(joins.values())} {before} WHERE {is_other}"
    )


def _exported(resource: Resource, alias: str) -> str:
    """JOIN of the row as it was exported, all NULL where the record has it not."""
    history = quote(history_of(resource.model())._meta.db_table)
    return (
        f"LEFT JOIN LATERAL (SELECT o.* FROM {history} o WHERE o.id = met.target "
        f"AND o.version = s.version AND o.history_type <> '-' "
        f"ORDER BY o.history_date DESC, o.history_id DESC LIMIT 1) {alias} ON true"
    )


def _take_out_unedited(job: ImportJob, resource: Resource, columns: Mapping[str, Column]) -> str:
    """UPDATE: what the file has as it was exported is no dispute; it is kept as it is now."""
    lists = list_columns(resource)
    # The row as it was stands where the live one does elsewhere.
    own = {n: c for n, c in columns.items() if c.db_column is not None and n not in lists}
    met = f"SELECT target FROM {job.stage('met')}"
    edited = [
        f"CASE WHEN {says_otherwise(column)} THEN {literal(name)} END"
        for name, column in own.items()
        if name != resource.key()
    ]
    if not edited:
        return "SELECT"
    was = (
        f"SELECT s.row_no, {those_of(edited)} AS edited FROM {job.stage('since')} "
        f"JOIN {job.stage('checked')} s USING (row_no) JOIN {job.stage('met')} met USING (row_no) "
        f"{_exported(resource, 't')} {' '.join(c.live_join(met) for c in own.values())} "
        "WHERE t.id IS NOT NULL"
    )
    asked = f"(SELECT n FROM unnest(x.disputed) n WHERE n = ANY({literal([*own])}) AND n <> ALL"
    return (
        f"UPDATE {job.stage('since')} x SET kept = ARRAY{asked}(w.edited)), "
        f"disputed = ARRAY(SELECT n FROM unnest(x.disputed) n WHERE n <> ALL({literal([*own])}) "
        f"OR n = ANY(w.edited)) FROM ({was}) w WHERE w.row_no = x.row_no"
    )


def _take_choices(job: ImportJob) -> None:
    """What its user chose holds for the state of the row that they saw, and for no later one."""
    said = (
        f"jsonb_each({literal(json.dumps(job.conflict_choices))}::jsonb) said (row_no, chosen) "
        "WHERE x.row_no = said.row_no::int AND x.live = said.chosen ->> 'live'"
    )
    choice = "said.chosen -> 'cells' ->> n"
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {job.stage('since')} x SET "
            f"open = ARRAY(SELECT n FROM unnest(x.disputed) n WHERE ({choice}) IS NULL), "
            "kept = kept || ARRAY(SELECT n FROM unnest(x.disputed) n "
            f"WHERE ({choice}) = '{THEIRS}') FROM {said}"
        )


def _forget_kept(job: ImportJob, columns: Mapping[str, Column]) -> str:
    """UPDATE: what is kept counts as a blank cell, in every rule and for what is written."""
    emptied = []
    for name, column in columns.items():
        is_kept = f"{literal(name)} = ANY(x.kept)"
        value, clears = column.value, quote(f"z_{name}")
        emptied.append(f"{value} = CASE WHEN {is_kept} THEN NULL ELSE s.{value} END")
        if column.may_clear:
            emptied.append(f"{clears} = s.{clears} AND NOT {is_kept}")
    return (
        f"UPDATE {job.stage('checked')} s SET {', '.join(emptied)} FROM {job.stage('since')} x "
        "WHERE x.row_no = s.row_no AND x.kept <> '{}'::text[]"
    )
