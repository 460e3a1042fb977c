"""Which staged rows have to be kept, and why. Every rule is one statement over all rows."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib.auth import get_permission_codename
from django.db import connection
from django.db.models.expressions import RawSQL

from backoffice.audit.secrecy import hidden_fields

from .guards import guard_of
from .tables import Reference, Rule, UndoTable, column_of, literal

# What each act does to a row, in the words of Django's permissions.
RIGHTS = {"remove": "delete", "put_back": "change", "bring_back": "add"}


def keep_what_must_stay(tables: Sequence[UndoTable], actor: Any) -> None:
    """Mark the rows that cannot, or may not, go back. `actor` None may do everything."""
    for table in tables:
        _keep_what_is_not_permitted(table, actor)
        with connection.cursor() as cursor:
            if table.is_append_only:
                cursor.execute(_keep(table, "permanent", "s.act IN ('remove', 'put_back')"))
            if table.lacks:
                cursor.execute(_keep(table, "incomplete", "s.act = 'bring_back'"))
            for rule in table.check_rules:
                cursor.execute(_breaks(table, rule))
    keep_what_follows(tables)


def keep_what_follows(tables: Sequence[UndoTable]) -> None:
    """Mark rows that stay because of others that stay, until nothing more follows."""
    steps = [step for table in tables for step in _consequences(table, tables)]
    kept = 1
    with connection.cursor() as cursor:
        while kept:
            kept = 0
            for step in steps:
                cursor.execute(step)
                kept += cursor.rowcount


def _consequences(table: UndoTable, tables: Sequence[UndoTable]) -> Iterator[str]:
    by_model = {other.concrete: other for other in tables}

    def staged(model: Any) -> UndoTable | None:
        return by_model.get(model._meta.concrete_model or model)

    for ref in table.parts_of:
        if whole := staged(ref.target):
            yield _stays_with_its_whole(table, ref, whole)
    for ref in table.referrers:
        yield _in_use(table, ref, staged(ref.source))
    for ref in table.references:
        if not ref.is_cleared:
            yield _missing(table, ref, staged(ref.target))
    for rule in table.unique_rules:
        yield _taken(table, rule)


def _keep(table: UndoTable, why: str, condition: str) -> str:
    return (
        f"UPDATE {table.stage} s SET kept = {literal(why)} "
        f"WHERE s.act IS NOT NULL AND s.kept IS NULL AND ({condition})"
    )


def permission_for(table: UndoTable, act: str) -> list[str]:
    """What somebody needs who undoes this to a row: as for doing it by hand.

    A model without such permissions is changed with that of which it is a part. Where there is
    neither, nobody holds the permission but a superuser.
    """
    if guarded := guard_of(table.model).permission:
        return [guarded]
    options = table.model._meta
    if RIGHTS[act] in options.default_permissions:
        return [f"{options.app_label}.{get_permission_codename(RIGHTS[act], options)}"]
    wholes = {ref.target._meta for ref in table.parts_of}
    needed = [f"{opts.app_label}.{get_permission_codename('change', opts)}" for opts in wholes]
    return sorted(needed) or [f"{options.app_label}.{get_permission_codename('change', options)}"]


def _keep_what_is_not_permitted(table: UndoTable, actor: Any) -> None:
    if actor is None:
        return
    with connection.cursor() as cursor:
        for act in RIGHTS:
            if not actor.has_perms(permission_for(table, act)):
                cursor.execute(_keep(table, "not_permitted", f"s.act = {literal(act)}"))
        if hidden := _hidden_columns(table, actor):
            differs = " OR ".join(f"b.{c} IS DISTINCT FROM l.{c}" for c in hidden)
            cursor.execute(
                f"UPDATE {table.stage} s SET kept = 'not_permitted' "
                f"FROM {table.history} b, {table.history} l WHERE s.act = 'put_back' "
                "AND s.kept IS NULL AND b.history_id = s.before AND l.history_id = s.last "
                f"AND ({differs})"
            )
        forbidden = guard_of(table.model).forbidden
        if forbidden is None:
            return
        states = RawSQL(  # noqa: S611 - a name of our own
            f"SELECT unnest(ARRAY[before, last]) FROM {table.stage} WHERE act IS NOT NULL", []
        )
        rows = table.history_model._base_manager.filter(history_id__in=states)
        inner, params = (
            forbidden(rows, actor).order_by().values("history_id").query.sql_with_params()
        )
        cursor.execute(
            f"UPDATE {table.stage} s SET kept = 'not_permitted' FROM {table.history} h "
            "WHERE s.act IS NOT NULL AND s.kept IS NULL "
            f"AND h.history_id IN (s.before, s.last) AND h.history_id IN ({inner})",
            params,
        )


def _hidden_columns(table: UndoTable, actor: Any) -> list[str]:
    """Columns that the actor may not see, and so not change either."""
    hidden = hidden_fields(table.model, actor)
    return [column_of(field) for field in table.tracked if field.name in hidden]


def _breaks(table: UndoTable, rule: Rule) -> str:
    """States before that a CHECK, made since or looking beyond the row, does not take."""
    (expression,) = rule.expressions
    return (
        f"UPDATE {table.stage} s SET kept = 'forbidden', rule = {literal(rule.name)} "
        "WHERE s.act IN ('put_back', 'bring_back') AND s.kept IS NULL AND s.before IN ("
        f"SELECT history_id FROM {table.history} WHERE history_id IN "
        f"(SELECT x.before FROM {table.stage} x) AND ({expression}) IS FALSE)"
    )


def _stays_with_its_whole(table: UndoTable, ref: Reference, whole: UndoTable) -> str:
    """The tags of a product that stays, although the same change set made both."""
    return (
        f"UPDATE {table.stage} s SET kept = 'part', by_model = {_label(whole)}, "
        f"by_key = w.key::text, by_count = 1 FROM {table.history} l, {whole.stage} w "
        f"WHERE s.act = 'remove' AND s.kept IS NULL AND l.history_id = s.last "
        f"AND w.key = l.{ref.column} AND w.act = 'remove' AND w.kept <> 'gone'"
    )


def _in_use(table: UndoTable, ref: Reference, users: UndoTable | None) -> str:
    """Rows to be removed that others point at, and will go on pointing at."""
    released, join = "false", ""
    if users is not None:
        tracked = any(own.field.column == ref.field.column for own in users.references)
        join = (
            f"LEFT JOIN {users.stage} o ON o.key = r.{ref.source_key} AND o.kept IS NULL "
            f"LEFT JOIN {users.history} b ON b.history_id = o.before AND o.act = 'put_back'"
        )
        moves = f"o.act = 'put_back' AND b.{ref.column} IS DISTINCT FROM r.{ref.column}"
        released = f"COALESCE(o.act = 'remove' OR ({moves if tracked else 'false'}), false)"
    return f"""
        UPDATE {table.stage} s SET kept = 'in_use', by_model = {literal(_name(ref.source))},
            by_key = u.one, by_count = u.many
        FROM (
            SELECT r.{ref.column} AS key, min(r.{ref.source_key}::text) AS one, count(*) AS many
            FROM {ref.source_table} r
            JOIN {table.stage} x ON x.key = r.{ref.column} AND x.act = 'remove' AND x.kept IS NULL
            {join}
            WHERE NOT {released} GROUP BY 1
        ) u WHERE s.key = u.key
    """


def _missing(table: UndoTable, ref: Reference, target: UndoTable | None) -> str:
    """States before that point at something that is gone and does not come back either."""
    returning = "false"
    if target is not None:
        returning = (
            f"EXISTS (SELECT 1 FROM {target.stage} o WHERE o.key = b.{ref.column} "
            "AND o.act = 'bring_back' AND o.kept IS NULL)"
        )
    return f"""
        UPDATE {table.stage} s SET kept = 'missing', by_model = {literal(_name(ref.target))},
            by_key = b.{ref.column}::text, by_count = 1
        FROM {table.history} b
        WHERE s.act IN ('put_back', 'bring_back') AND s.kept IS NULL AND b.history_id = s.before
          AND b.{ref.column} IS NOT NULL AND NOT ({returning}) AND NOT EXISTS (
              SELECT 1 FROM {ref.target_table} p WHERE p.{ref.target_key} = b.{ref.column})
    """


def _taken(table: UndoTable, rule: Rule) -> str:
    """States before whose unique value another row has, which keeps it."""
    numbered = list(enumerate(rule.expressions))
    values = ", ".join(f"({expression}) AS u{number}" for number, expression in numbered)
    equal = " AND ".join(f"l.u{number} = w.u{number}" for number, _ in numbered)
    condition = f"AND ({rule.condition})" if rule.condition else ""
    return f"""
        UPDATE {table.stage} s SET kept = 'taken', rule = {literal(rule.name)},
            by_model = {_label(table)}, by_key = f.other, by_count = 1
        FROM (
            SELECT w.history_id, min(l.key::text) AS other
            FROM (
                SELECT history_id, {table.key} AS key, {values} FROM {table.history}
                WHERE history_id IN (SELECT x.before FROM {table.stage} x WHERE x.kept IS NULL
                                     AND x.act IN ('put_back', 'bring_back')) {condition}
            ) w
            JOIN (SELECT {table.key} AS key, {values} FROM {table.name}
                  WHERE true {condition}) l ON {equal} AND l.key <> w.key
            LEFT JOIN {table.stage} o ON o.key = l.key AND o.kept IS NULL AND o.act IS NOT NULL
            WHERE o.key IS NULL GROUP BY 1
        ) f WHERE s.before = f.history_id AND s.kept IS NULL
          AND s.act IN ('put_back', 'bring_back')
    """


def _label(table: UndoTable) -> str:
    return literal(table.model._meta.label_lower)


def _name(model: Any) -> str:
    return str(model._meta.label_lower)
