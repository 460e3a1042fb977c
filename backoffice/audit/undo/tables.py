"""The tables that an undo touches, as SQL sees them: columns, keys, what points where."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pgtrigger
from django.db import connection, models
from psycopg import sql

from backoffice.audit.naming import history_of, is_link, tracked_fields
from backoffice.audit.trail import trailed_models


def quote(name: str) -> str:
    return connection.ops.quote_name(name)


def column_of(field: models.Field) -> str:
    """The quoted column of a field."""
    return quote(str(field.column))


def literal(value: Any) -> str:
    """A constant in SQL; `%` needs no doubling, since our statements have no parameters."""
    return sql.Literal(value).as_string(None)


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A foreign key to the key of another table, which PostgreSQL holds up."""

    field: models.ForeignKey
    source: type[models.Model]
    target: type[models.Model]

    @property
    def column(self) -> str:
        return column_of(self.field)

    @property
    def source_table(self) -> str:
        return quote(self.source._meta.db_table)

    @property
    def source_key(self) -> str:
        return column_of(self.source._meta.pk)

    @property
    def target_table(self) -> str:
        return quote(self.target._meta.db_table)

    @property
    def target_key(self) -> str:
        return column_of(self.target._meta.pk)

    @property
    def is_cleared(self) -> bool:
        """Whether a row whose target goes lives on and points at nothing."""
        return self.field.null and self.field.remote_field.on_delete in _CLEARING

    @property
    def cascades(self) -> bool:
        return self.field.remote_field.on_delete in _CASCADING


_CLEARING = {models.SET_NULL, models.DB_SET_NULL}
_CASCADING = {models.CASCADE, models.DB_CASCADE}


@dataclass(frozen=True)
class Rule:
    """A constraint of the database; `expressions` are over the bare columns of its table."""

    name: str
    expressions: tuple[str, ...]
    columns: frozenset[str]
    condition: str = ""  # rows that a partial unique index speaks of


class UndoTable:
    """One table of an undo, its history, and the temporary table of what becomes of its rows."""

    def __init__(self, model: type[models.Model], stage: str) -> None:
        self.model = model
        self.concrete: type[models.Model] = model._meta.concrete_model or model
        self.name = quote(model._meta.db_table)
        self.history_model = history_of(model)
        self.history = quote(self.history_model._meta.db_table)
        self.stage = quote(stage)
        self.key = column_of(model._meta.pk)
        self.tracked = tracked_fields(model)
        ignored = self.history_model.ignored_fields
        # A change in these is a change; the others follow from one.
        self.compared = [
            column_of(field)
            for field in self.tracked
            if not field.primary_key and field.name not in ignored
        ]

    @cached_property
    def references(self) -> list[Reference]:
        """What rows of this table point at, as far as their history says so."""
        return [
            Reference(field=field, source=self.concrete, target=field.related_model)
            for field in self.tracked
            if isinstance(field, models.ForeignKey) and _is_held_up(field)
        ]

    @cached_property
    def referrers(self) -> list[Reference]:
        """What points at rows of this table, from any table that Django knows."""
        return [
            Reference(field=relation.field, source=relation.related_model, target=self.concrete)
            for relation in self.concrete._meta.get_fields(include_hidden=True)
            if isinstance(relation, models.ManyToOneRel)
            and not relation.related_model._meta.proxy
            and _is_held_up(relation.field)
        ]

    @cached_property
    def parts_of(self) -> list[Reference]:
        """The foreign keys to the objects that rows of this table are parts of.

        As its Trail says; where it says nothing, what a row extends one to one, or of what a link
        links the first.
        """
        if names := set(self.history_model.part_of):
            return [ref for ref in self.references if ref.field.name in names]
        cascading = [ref for ref in self.references if ref.cascades]
        extends = [ref for ref in cascading if ref.field.one_to_one]
        return extends or (cascading[:1] if is_link(self.model) else [])

    @cached_property
    def own(self) -> list[Reference]:
        """What rows of this table point at in this table, such as the category above."""
        return [ref for ref in self.references if _concrete(ref.target) is self.concrete]

    @cached_property
    def missing_values(self) -> dict[str, str]:
        """Columns without history that a new row needs, and what Django puts there."""
        return {
            column_of(field): literal(field.get_db_prep_save(field.get_default(), connection))
            for field in self._without_history()
            if _has_value(field)
        }

    @cached_property
    def lacks(self) -> list[models.Field]:
        """Required columns that neither the history nor a default has a value for: secrets."""
        return [field for field in self._without_history() if not _has_value(field)]

    def _without_history(self) -> Iterator[models.Field]:
        names = {field.name for field in self.tracked}
        for field in self.model._meta.concrete_fields:
            if field.name not in names and not (field.null or field.has_db_default()):
                yield field

    @cached_property
    def is_append_only(self) -> bool:
        return any(
            trigger.name == "append_only" and model._meta.concrete_model is self.concrete
            for model, trigger in pgtrigger.registered()
        )

    @cached_property
    def unique_rules(self) -> list[Rule]:
        """Every unique index but that of the key, over columns that the history has."""
        return self._rules(
            f"""
            SELECT c.relname,
                   ARRAY(SELECT pg_get_indexdef(i.indexrelid, k, false)
                         FROM generate_series(1, i.indnkeyatts) k),
                   ARRAY(SELECT a.attname FROM pg_attribute a
                         WHERE a.attrelid = i.indrelid AND (a.attnum = ANY(i.indkey) OR EXISTS (
                             SELECT 1 FROM pg_depend d WHERE d.objid = i.indexrelid
                             AND d.refobjid = i.indrelid AND d.refobjsubid = a.attnum))),
                   COALESCE(pg_get_expr(i.indpred, i.indrelid), '')
            FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            WHERE i.indrelid = {literal(self.name)}::regclass
              AND i.indisunique AND NOT i.indisprimary ORDER BY 1
            """
        )

    @cached_property
    def check_rules(self) -> list[Rule]:
        """Every CHECK over columns that the history has."""
        return self._rules(
            f"""
            SELECT conname, ARRAY[pg_get_expr(conbin, conrelid)],
                   ARRAY(SELECT a.attname FROM pg_attribute a
                         WHERE a.attrelid = conrelid AND a.attnum = ANY(conkey)), ''
            FROM pg_constraint
            WHERE conrelid = {literal(self.name)}::regclass AND contype = 'c' ORDER BY 1
            """
        )

    def _rules(self, statement: str) -> list[Rule]:
        known = {field.column for field in self.tracked}
        with connection.cursor() as cursor:
            cursor.execute(statement)
            found = [
                Rule(name, tuple(expressions), frozenset(columns), condition)
                for name, expressions, columns, condition in cursor.fetchall()
            ]
        return [rule for rule in found if rule.columns <= known]


def children_first(tables: Iterable[UndoTable]) -> list[UndoTable]:
    """The order in which rows are locked and removed: what points at a table goes before it."""
    waiting = {table.concrete: table for table in tables}
    ordered: list[UndoTable] = []
    while waiting:
        pointed_at = {
            _concrete(ref.target)
            for table in waiting.values()
            for ref in table.references
            if _concrete(ref.target) is not table.concrete
        }
        # Where tables point at each other in a circle, any of them may begin.
        free = [model for model in waiting if model not in pointed_at] or [next(iter(waiting))]
        ordered += [waiting.pop(model) for model in free]
    return ordered


def model_named(label: str) -> type[models.Model] | None:
    """The model on the record that "app.model" names."""
    return next((model for model in trailed_models if model._meta.label_lower == label), None)


def _concrete(model: type[models.Model]) -> type[models.Model]:
    return model._meta.concrete_model or model


def _is_held_up(field: models.ForeignKey) -> bool:
    """Whether PostgreSQL knows of it, and it points at a key."""
    return bool(field.db_constraint and field.target_field.primary_key)  # type: ignore[attr-defined]


def _has_value(field: models.Field) -> bool:
    return field.has_default() or (field.blank and field.empty_strings_allowed)
