"""The plan carried out: a handful of statements, whatever the number of rows.

Order of the locks: one import at a time per model (advisory), then the rows that change, by key.
"""

from collections.abc import Iterable

from django.db import connection, models
from django.db.models import NOT_PROVIDED
from django.utils.translation import gettext as _

from backoffice.progress import made_since_now, report

from .checking import mapped_columns
from .children import ChildrenColumn
from .columns import Column, ListColumn, RelationColumn
from .compiling import hidden_columns
from .deactivating import deactivate, refuse_another_plan
from .exceptions import PlanStale
from .first_load import indexes_made_afterwards
from .linking import link, write_children
from .made_texts import MadeTexts, texts_made
from .models import ImportJob
from .planning import Rights, described, missing_related
from .resources import Resource
from .sql import column_of, literal, quote
from .tuning import tune_for_whole_tables
from .uniqueness import unique_texts

_SHOWN = 20


class Applier:
    """Writes the valid rows of one planned job. To be used inside a transaction."""

    def __init__(self, job: ImportJob, resource: Resource) -> None:
        self.job, self.resource, self.model = job, resource, resource.model()
        self.table = quote(self.model._meta.db_table)
        self.columns = mapped_columns(job, resource)
        self.key = self.columns[resource.key()]
        # Conflicts are left alone unless the user said otherwise.
        changed = ["changed", *(["conflict"] if job.overwrite_conflicts else [])]
        self.is_changed = f"p.status = ANY({literal(changed)})"
        self.is_met = f"p.status = ANY({literal([*changed, 'unchanged'])})"
        self.written = ("new", *changed)
        self.stored = {n: c for n, c in self.columns.items() if c.db_column is not None}
        self.lists = [c for c in self.columns.values() if isinstance(c, ListColumn)]
        self.children = [c for c in self.columns.values() if isinstance(c, ChildrenColumn)]
        relations = [c for c in self.stored.values() if isinstance(c, RelationColumn)]
        self.own_relations = [c for c in relations if c.is_self]
        # The rows of the plan with their values and the rows that they refer to.
        self.rows = (
            f"{job.stage('plan')} p JOIN {job.stage('checked')} s USING (row_no) "
            + " ".join(
                f"LEFT JOIN {c.related_table} {quote(f'r_{c.name}')} "
                f"ON lower({quote(f'r_{c.name}')}.{c.related_key}) = lower(s.{c.value})"
                for c in relations
            )
        )
        self.relations = relations
        # The same rows with those that they became, once they are written.
        self.matched = (
            f"{job.stage('plan')} p JOIN {job.stage('checked')} s USING (row_no) JOIN {self.table} "
            f"t ON lower(t.{self.key.db_column}) = lower(s.{self.key.value})"
        )
        # Rows that refer to new rows of the same file are written after those.
        self.new_keys = (
            f"(SELECT lower(n.{self.key.value}) FROM {job.stage('checked')} n "
            f"JOIN {job.stage('plan')} q USING (row_no) WHERE q.status = 'new')"
        )
        self.refers = " OR ".join(
            f"lower(s.{c.value}) IN {self.new_keys}" for c in self.own_relations
        )

    def run(self, rights: Rights) -> None:
        """Write. Raises PlanStale, and leaves the rollback to the caller, if data changed."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtext(%s))", [f"exchange:{self.model._meta.label}"]
            )
        rights = rights.for_job(self.job, self.resource)
        changes = self.job.changed + (self.job.conflicts if self.job.overwrite_conflicts else 0)
        if (self.job.new and not rights.add) or (changes and not rights.change):
            raise PlanStale([], _("You may no longer add or change all of these rows."))
        hidden = hidden_columns(self.resource, self.job.user)
        if not hidden.isdisjoint([*self.job.mapping, *self.job.constants]):
            raise PlanStale([], _("You may no longer see all of its columns."))
        if self.job.deactivated and (not rights.change or self.resource.deactivates in hidden):
            raise PlanStale([], _("You may no longer deactivate rows."))
        tune_for_whole_tables()
        report(_("Looking whether the data changed since the preview"))
        self._refuse_what_changed_since()
        refuse_another_plan(self.job, self.resource)
        missing = missing_related(self.job, self.resource, rights.creates, self.written)
        overwrites = self.job.overwrite_conflicts and self.job.conflicts
        shown = self.job.summary["creates_if_overwritten" if overwrites else "creates"]
        if {n: described(names) for n, names in missing.items()} != shown:
            raise PlanStale([])
        for name, names in missing.items():
            self.resource.create_related(name, names)
        self._refuse_relations_that_are_gone()
        # Each change is written twice: to the table, and to its history.
        made = made_since_now(self.model, self.model.history.model)  # type: ignore[attr-defined]
        report(_("Writing"), total=2 * self.job.new + self.job.changed, probe=made)
        self._update(f"({self.refers or 'false'}) IS NOT TRUE")
        if self.job.new:
            with indexes_made_afterwards(self.model, self.job.new):
                self._insert()
        if self.refers:
            self._update(self.refers)
        for column in self.lists:
            report(_("Linking: %(what)s") % {"what": column.label})
            self._run(link(column, self.job.stage("plan"), self.matched, self.is_changed))
        for children in self.children:
            report(_("Linking: %(what)s") % {"what": children.label})
            self._run(write_children(children, self.matched, self.is_changed))
        deactivate(self.job, self.resource)
        report(_("Finishing"))

    def _refuse_what_changed_since(self) -> None:
        """Lock what will change, in key order; look whether any row that the file met moved on."""
        plan = self.job.stage("plan")
        missing = (
            f"UNION ALL SELECT target FROM {self.job.stage('missing')}"
            if self.job.deactivated
            else ""
        )
        with connection.cursor() as cursor:
            cursor.execute(
                f"WITH locked AS (SELECT t.id FROM {self.table} t WHERE t.id IN ("
                f"SELECT p.target FROM {plan} p WHERE {self.is_changed} {missing}) "
                "ORDER BY t.id FOR NO KEY UPDATE OF t) "
                "SELECT count(*) FROM locked"
            )
            cursor.execute(
                f"SELECT p.row_no FROM {plan} p LEFT JOIN {self.table} t ON t.id = p.target "
                f"WHERE {self.is_met} AND t.version IS DISTINCT FROM p.seen "
                "UNION ALL "
                f"SELECT p.row_no FROM {plan} p JOIN {self.job.stage('checked')} s USING (row_no) "
                f"JOIN {self.table} t ON lower(t.{self.key.db_column}) = lower(s.{self.key.value}) "
                f"WHERE p.status = 'new' ORDER BY 1 LIMIT {_SHOWN}"
            )
            stale = [number for (number,) in cursor.fetchall()]
            met = f"SELECT p.target FROM {plan} p WHERE {self.is_met}"
            beside: list[ListColumn | ChildrenColumn] = [*self.lists, *self.children]
            for column in beside:
                cursor.execute(
                    f"SELECT p.row_no FROM {plan} p JOIN {self.table} t ON t.id = p.target "
                    f"{column.live_join(met)} WHERE {self.is_met} "
                    f"AND {column.live_value()} IS DISTINCT FROM p.{column.seen} LIMIT {_SHOWN}"
                )
                stale += [number for (number,) in cursor.fetchall()]
        if stale:
            raise PlanStale(sorted({*stale})[:_SHOWN])

    def _refuse_relations_that_are_gone(self) -> None:
        """What a row refers to may have been renamed or deleted; it must not be left out."""
        gone = [
            f"(s.{c.value} IS NOT NULL AND {quote(f'r_{c.name}')}.id IS NULL"
            + (f" AND lower(s.{c.value}) NOT IN {self.new_keys})" if c.is_self else ")")
            for c in self.relations
        ] + [
            f"EXISTS (SELECT 1 FROM unnest(s.{c.value}) n WHERE lower(n) NOT IN "
            f"(SELECT lower({c.related_key}) FROM {c.related_table}))"
            for c in self.lists
        ]
        if not gone:
            return
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT row_no FROM {self.rows} WHERE p.status = ANY({literal([*self.written])}) "
                f"AND ({' OR '.join(gone)}) ORDER BY 1 LIMIT {_SHOWN}"
            )
            if rows := [number for (number,) in cursor.fetchall()]:
                raise PlanStale(rows)

    def _value(self, column: Column) -> str:
        """The value of the file in the type of the table; NULL where it is blank."""
        if isinstance(column, RelationColumn):
            return f"{quote(f'r_{column.name}')}.id"
        return f"s.{column.value}"

    def _update(self, which: str) -> None:
        changing = [c for c in self.stored.values() if c is not self.key]
        if not changing:
            return
        assignments = ", ".join(f"{c.db_column} = {self._changed_value(c)}" for c in changing)
        names = literal([c.name for c in changing])
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {self.table} t SET {assignments} FROM {self.rows} "
                f"WHERE {self.is_changed} AND p.changes && {names} AND t.id = p.target "
                f"AND ({which})"
            )

    def _insert(self) -> None:
        """Insert what is new; rows that refer to rows of the same file after those."""
        if self.resource.makes_rows:
            self._make_by_key()
            return
        values = {c.db_column: self._new_value(c) for c in self.stored.values()}
        given = self.resource.values_of_new_rows(self.job.user)
        for field in self.model._meta.concrete_fields:
            name = column_of(self.model, field.name)
            if field.name in given:
                values[name] = literal(field.get_db_prep_save(given[field.name], connection))
            elif name not in values and _needs_value(field):
                values[name] = literal(field.get_db_prep_save(field.get_default(), connection))
        joins = self._make_texts(values)
        into = f"INSERT INTO {self.table} ({', '.join(str(name) for name in values)})"
        select = (
            f"SELECT {', '.join(values.values())} FROM {self.rows} {joins} WHERE p.status = 'new'"
        )
        # What the file names goes before what the database makes, such as a slug.
        unique = [c for c in unique_texts(self.model, self.columns) if c is not self.key]
        order = ", ".join([*(f"s.{c.value} IS NULL" for c in unique), "row_no"])
        first = f"{select} AND ({self.refers or 'false'}) IS NOT TRUE"
        written = self._insert_some(f"{into} {first} ORDER BY {order}")
        while self.refers:
            ready = " AND ".join(
                f"(s.{c.value} IS NULL OR {quote(f'r_{c.name}')}.id IS NOT NULL)"
                for c in self.own_relations
            )
            there = f"(SELECT lower(x.{self.key.db_column}) FROM {self.table} x)"
            more = self._insert_some(
                f"{into} {select} AND ({self.refers}) AND {ready} "
                f"AND lower(s.{self.key.value}) NOT IN {there} "
                f"ORDER BY {order}"
            )
            written += more
            if not more:
                break
        if written != self.job.new:
            # Somebody added such a row between the look above and the INSERT.
            raise PlanStale([])

    def _make_texts(self, values: dict[str | None, str]) -> str:
        """Put what triggers would make of new rows into `values`; return what to join for it."""
        joins = []
        for trigger in texts_made(self.model, values):
            table = self.job.stage(f"made_{trigger.field}")
            made = MadeTexts(self.model, trigger, table, values)
            made.make(f"FROM {self.rows} WHERE p.status = 'new'", self.refers or "false")
            values[made.column] = made.value
            joins.append(made.join)
        return " ".join(joins)

    def _make_by_key(self) -> None:
        """Have the resource make what is new, and write the other columns into it."""
        new = f"FROM {self.rows} WHERE p.status = 'new'"
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT s.{self.key.value} {new} ORDER BY row_no")
            keys = [key for (key,) in cursor.fetchall()]
            if self.resource.make_rows(keys) != self.job.new:
                raise PlanStale([])
            said = [c for c in self.stored.values() if c is not self.key]
            if keys and said:
                assignments = ", ".join(
                    f"{c.db_column} = COALESCE({self._value(c)}, t.{c.db_column})" for c in said
                )
                differs = " OR ".join(f"s.{c.value} IS NOT NULL" for c in said)
                cursor.execute(
                    f"UPDATE {self.table} t SET {assignments} {new} AND ({differs}) "
                    f"AND lower(t.{self.key.db_column}) = lower(s.{self.key.value})"
                )

    def _insert_some(self, statement: str) -> int:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return int(cursor.rowcount)

    def _run(self, statements: Iterable[str]) -> None:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def _changed_value(self, column: Column) -> str:
        said = f"COALESCE({self._value(column)}, t.{column.db_column})"
        return f"CASE WHEN {column.cleared} THEN NULL ELSE {said} END" if column.may_clear else said

    def _new_value(self, column: Column) -> str:
        default, value = column.default(), self._value(column)
        if default in {None, "NULL"}:
            return value
        said = f"COALESCE({value}, {default})"
        return f"CASE WHEN {column.cleared} THEN NULL ELSE {said} END" if column.may_clear else said


def _needs_value(field: models.Field) -> bool:
    """Whether PostgreSQL would refuse a row that says nothing of this column."""
    return not (field.primary_key or field.null or field.has_db_default()) and (
        field.default is not NOT_PROVIDED or field.empty_strings_allowed
    )
