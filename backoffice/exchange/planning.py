"""What will become of each row: new, changed, unchanged or invalid; and the numbers of it all."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from backoffice.progress import report

from .checking import check_cells, created_by, mapped_columns
from .children import ChildrenColumn
from .columns import ListColumn, PathColumn, RelationColumn
from .compiling import compile_columns
from .deactivating import plan_missing
from .merging import says_otherwise, settle_edits
from .models import ImportJob
from .resources import Resource
from .rules import RowRules
from .sql import literal, nothing_of, quote, those_of
from .staleness import remember_record
from .tuning import tune_for_whole_tables

_NAMES_SHOWN = 30


@dataclass(frozen=True)
class Rights:
    """What the person behind an import may do to the rows of its model."""

    add: bool
    change: bool
    creates: frozenset[str]  # relations whose missing objects they may make

    @classmethod
    def of(cls, user: Any, resource: Resource) -> "Rights":
        """The rights of a user; the command line, which is nobody's, may do everything."""
        if user is None:
            return cls(add=True, change=True, creates=resource.creates)

        def may(action: str, options: Any) -> bool:
            return bool(user.has_perm(f"{options.app_label}.{action}_{options.model_name}"))

        columns, own = compile_columns(resource), resource.model()._meta
        creates = {
            name
            for name in resource.creates
            if may("add", columns[name].model_field.related_model._meta)  # type: ignore[union-attr]
        }
        return cls(add=may("add", own), change=may("change", own), creates=frozenset(creates))

    def for_job(self, job: ImportJob, resource: Resource) -> "Rights":
        """What of it the job makes use of."""
        return replace(self, creates=self.creates & created_by(job, resource))


@transaction.atomic
def make_plan(job: ImportJob, resource: Resource) -> None:
    """Check every cell and classify every row of a staged job, and put the numbers on the job.

    Makes the tables `checked` and `plan`; the latter has row_no, target (key of the live row),
    seen (its version; seen_<field> for lists), status, changes (names of fields) and problems.
    """
    rights = Rights.of(job.user, resource).for_job(job, resource)
    tune_for_whole_tables()
    remember_record(job, resource)
    report(_("Checking the cells"))
    check_cells(job, resource)
    report(_("Comparing with what is there"))
    with connection.cursor() as cursor:
        cursor.execute(
            f"DROP TABLE IF EXISTS {job.stage('met')}, {job.stage('plan')};"
            f"CREATE UNLOGGED TABLE {job.stage('met')} AS {_met_rows(job, resource)};"
            f"ANALYZE {job.stage('met')}"
        )
        job.summary["since"] = settle_edits(job, resource)
        cursor.execute(
            f"CREATE UNLOGGED TABLE {job.stage('plan')} AS {_plan_rows(job, resource, rights)};"
            f"CREATE INDEX ON {job.stage('plan')} (status, row_no);"
            f"ALTER TABLE {job.stage('plan')} ADD PRIMARY KEY (row_no);"
            f"CREATE INDEX ON {job.stage('plan')} (target) WHERE target IS NOT NULL;"
            f"ANALYZE {job.stage('plan')}"
        )
        _pass_on_invalid_parents(job, resource)
    report(_("Counting"))
    _count(job, resource, rights)
    plan_missing(job, resource)


def _pass_on_invalid_parents(job: ImportJob, resource: Resource) -> None:
    """A row whose parent is an invalid new row of the same file cannot be written either."""
    columns, key = mapped_columns(job, resource), resource.key()
    plan, checked = job.stage("plan"), job.stage("checked")
    for column in columns.values():
        if not (isinstance(column, RelationColumn) and column.is_self):
            continue
        live = f"SELECT lower(t.{column.related_key}) FROM {column.related_table} t"
        found = 1
        while found:
            with connection.cursor() as cursor:
                cursor.execute(
                    f"UPDATE {plan} p SET status = 'invalid', problems = p.problems || "
                    f"{literal([f'{column.name}:invalid_parent'])} FROM {checked} s, {checked} f, "
                    f"{plan} q WHERE s.row_no = p.row_no AND q.row_no = f.row_no "
                    f"AND p.status <> 'invalid' AND q.status = 'invalid' "
                    f"AND lower(f.{columns[key].value}) = lower(s.{column.value}) "
                    f"AND lower(s.{column.value}) NOT IN ({live})"
                )
                found = cursor.rowcount


def _met_rows(job: ImportJob, resource: Resource) -> str:
    """Which live row each row of the file meets: row_no, target."""
    key = mapped_columns(job, resource)[resource.key()]
    return (
        f"SELECT s.row_no, t.id AS target FROM {job.stage('checked')} s "
        f"JOIN {quote(resource.model()._meta.db_table)} t "
        f"ON lower(t.{key.db_column}) = lower(s.{key.value})"
    )


def _plan_rows(job: ImportJob, resource: Resource, rights: Rights) -> str:
    columns, model = mapped_columns(job, resource), resource.model()
    met = f"SELECT target FROM {job.stage('met')}"
    # The names that a row had: its version does not tell when one is added or taken away.
    seen = {
        c.seen: c.live_value()
        for c in columns.values()
        if isinstance(c, ListColumn | ChildrenColumn)
    }
    key = columns[resource.key()]
    changes = [
        f"CASE WHEN {says_otherwise(column)} THEN {literal(name)} END"
        for name, column in columns.items()
        if column is not key
    ]
    is_open, since = "false", ""
    if job.summary["since"]:
        is_open = "COALESCE(x.open <> '{}'::text[], false)"
        since = f"LEFT JOIN {job.stage('since')} x USING (row_no)"
    problems = [
        f"CASE WHEN {condition} THEN {literal(problem)} END"
        for problem, condition in RowRules(job, resource, rights.creates).conditions()
    ]
    refused = [
        f"WHEN status = {literal(status)} THEN ARRAY[{literal(f'{key.name}:no_{right}')}]"
        for status, right, given in (
            ("new", "add", rights.add),
            ("changed", "change", rights.change),
            ("conflict", "change", rights.change),
        )
        if not given
    ]
    not_allowed = f"CASE {' '.join(refused)} ELSE '{{}}'::text[] END" if refused else "'{}'::text[]"
    # OFFSET 0 keeps the planner from merging the levels: each rule is looked at once a row.
    return f"""
        SELECT row_no, target, seen, {"".join(f"{name}, " for name in seen)}changes,
            problems || not_allowed AS problems,
            CASE WHEN cardinality(not_allowed) > 0 THEN 'invalid' ELSE status END AS status
        FROM (
            SELECT *, {not_allowed} AS not_allowed FROM (
                SELECT *, CASE WHEN cardinality(problems) > 0 THEN 'invalid'
                    WHEN target IS NULL THEN 'new'
                    WHEN cardinality(changes) > 0 AND is_open THEN 'conflict'
                    WHEN cardinality(changes) > 0 THEN 'changed'
                    ELSE 'unchanged' END AS status
                FROM (
                    SELECT s.row_no, t.id AS target, t.version AS seen,
                        {is_open} AS is_open,
                        {"".join(f"{value} AS {name}, " for name, value in seen.items())}
                        CASE WHEN {nothing_of(problems)} THEN s.problems
                            ELSE s.problems || {those_of(problems)} END AS problems,
                        CASE WHEN t.id IS NULL OR {nothing_of(changes)} THEN '{{}}'::text[]
                            ELSE {those_of(changes)} END AS changes
                    FROM {job.stage("checked")} s
                    LEFT JOIN {job.stage("met")} met USING (row_no) {since}
                    LEFT JOIN {quote(model._meta.db_table)} t ON t.id = met.target
                    {" ".join(column.live_join(met) for column in columns.values())}
                    LEFT JOIN (
                        SELECT lower({key.value}) AS key FROM {job.stage("checked")}
                        WHERE {key.value} IS NOT NULL GROUP BY 1 HAVING count(*) > 1
                    ) d ON d.key = lower(s.{key.value})
                    OFFSET 0
                ) judged OFFSET 0
            ) classified OFFSET 0
        ) permitted
    """


def _count(job: ImportJob, resource: Resource, rights: Rights) -> None:
    plan = job.stage("plan")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT status, count(*) FROM {plan} GROUP BY status")
        rows: dict[str, int] = dict(cursor.fetchall())
        cursor.execute(
            f"SELECT name, count(*) FROM {plan}, unnest(changes) name "
            "WHERE status = 'changed' GROUP BY name"
        )
        fields = dict(cursor.fetchall())
        cursor.execute(
            f"SELECT problem, count(*) FROM {plan}, unnest(problems) problem "
            "WHERE status = 'invalid' GROUP BY problem ORDER BY count(*) DESC, problem LIMIT 50"
        )
        problems = dict(cursor.fetchall())
    job.new, job.changed = rows.get("new", 0), rows.get("changed", 0)
    job.unchanged, job.invalid = rows.get("unchanged", 0), rows.get("invalid", 0)
    job.conflicts = rows.get("conflict", 0)
    job.summary = {
        "fields": fields,
        "problems": problems,
        "creates": {
            name: described(names)
            for name, names in missing_related(job, resource, rights.creates).items()
        },
        # The same, should the conflicts be overwritten.
        "creates_if_overwritten": {
            name: described(names)
            for name, names in missing_related(
                job, resource, rights.creates, ("new", "changed", "conflict")
            ).items()
        }
        if job.conflicts
        else None,
        "clears": job.summary["clears"],
        "record": job.summary["record"],
        "since": job.summary["since"],
        # So that what is applied is the plan that was looked at.
        "plan": secrets.token_hex(8),
    }


def _with_those_above(paths: Sequence[str], column: PathColumn) -> list[str]:
    """Paths that are missing, and what is missing on the way to them; each before what it holds."""
    separator = column.widget.separator
    steps = {
        separator.join(names[:depth]).lower(): separator.join(names[:depth])
        for names in (path.split(separator) for path in paths)
        for depth in range(1, len(names) + 1)
    }
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT lower({column.related_key}) FROM {column.related_table} "
            f"WHERE lower({column.related_key}) = ANY(%s)",
            [list(steps)],
        )
        there = {key for (key,) in cursor.fetchall()}
    return sorted((path for key, path in steps.items() if key not in there), key=str.lower)


def described(names: Sequence[str]) -> dict[str, Any]:
    """How many names, the first of them, and a sum by which another list is told from this."""
    digest = sha256("\n".join(names).encode()).hexdigest()
    return {"count": len(names), "first": list(names[:_NAMES_SHOWN]), "sha256": digest}


def missing_related(
    job: ImportJob,
    resource: Resource,
    creates: frozenset[str],
    among: Sequence[str] = ("new", "changed"),
) -> dict[str, list[str]]:
    """The names of related objects that applying the plan would make, by field.

    `among` are the statuses of the rows that are written.
    """
    found = {}
    columns = mapped_columns(job, resource)
    with connection.cursor() as cursor:
        for name in sorted(creates & columns.keys()):
            column = columns[name]
            if not isinstance(column, RelationColumn | ListColumn):
                continue
            is_list = isinstance(column, ListColumn)
            value = f"unnest(s.{column.value})" if is_list else f"s.{column.value}"
            cursor.execute(
                f"SELECT min(n) FROM (SELECT {value} AS n FROM {job.stage('checked')} s "
                f"JOIN {job.stage('plan')} p USING (row_no) "
                f"WHERE p.status = ANY({literal(list(among))})) names "
                f"WHERE n IS NOT NULL AND lower(n) NOT IN (SELECT lower({column.related_key}) "
                f"FROM {column.related_table}) GROUP BY lower(n) ORDER BY lower(min(n))"
            )
            names = [value for (value,) in cursor.fetchall()]
            if names and isinstance(column, PathColumn):
                names = _with_those_above(names, column)
            if names:
                found[name] = names
        if resource.makes_rows:
            key = columns[resource.key()]
            cursor.execute(
                f"SELECT s.{key.value} FROM {job.stage('checked')} s "
                f"JOIN {job.stage('plan')} p USING (row_no) WHERE p.status = 'new' ORDER BY row_no"
            )
            names = resource.made_on_the_way([value for (value,) in cursor.fetchall()])
            if names:
                found[key.name] = names
    return found
