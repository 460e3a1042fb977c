"""What a change set did to each row, staged in temporary tables that last for the transaction.

A stage has one row for each key that the change set touched:

  n               its number, in the order of the keys
  key             of the row
  last            history id of the state that the change set left
  before          history id of the state before it; NULL where there was none, or none is known
  act             what undoing means: remove, put_back, bring_back; NULL: nothing
  kept            why it is not done; NULL: it is done
  newer           the change set that changed the row since
  by_model, by_key, by_count   what it is in use by, or what is missing
  rule            the constraint that forbids it
"""

from collections.abc import Iterable, Sequence
from itertools import count

from django.db import connection, models

from backoffice.audit.models import ChangeSet
from backoffice.audit.selectors import change_set_tallies
from backoffice.audit.trail import trailed_models

from .tables import UndoTable, children_first, literal

# Two plans of one transaction must not meet.
_serial = count(1)


def reference_to(change_set: ChangeSet) -> str:
    """How an undo names what it undoes."""
    return f"{ChangeSet._meta.label_lower}/{change_set.pk}"


def touched_tables(change_set: ChangeSet) -> list[UndoTable]:
    """The tables in which a change set left traces, children first.

    Models that say `no_undo = "why"` are left out: what they tell stays true.
    """
    tallies = change_set_tallies(change_set, _possible())
    serial = next(_serial)
    return children_first(
        UndoTable(tally.model, f"undo_{serial}_{number}") for number, tally in enumerate(tallies)
    )


def rows_touched(change_set: ChangeSet) -> int:
    """How many entries of the history an undo of a change set has to look at."""
    return sum(tally.total for tally in change_set_tallies(change_set, _possible()))


def _possible() -> list[type[models.Model]]:
    return [model for model in trailed_models if not getattr(model, "no_undo", "")]


def lock_rows(change_set: ChangeSet, tables: Sequence[UndoTable]) -> None:
    """Hold off everyone else: one undo of a change set at a time, then the rows, by key.

    Children before what they point at, as everyone does who checks a foreign key. Triggers that
    let writers in one at a time take their turn before any row is locked; they fire for an update
    of no row as well.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT pg_advisory_xact_lock(hashtextextended('audit.undo:{change_set.pk}', 0))"
        )
        for table in tables:
            if not table.is_append_only and table.compared:
                same = ", ".join(f"{column} = {column}" for column in table.compared)
                cursor.execute(f"UPDATE {table.name} SET {same} WHERE false")
        for table in tables:
            cursor.execute(
                f"WITH locked AS (SELECT t.{table.key} FROM {table.name} t WHERE t.{table.key} IN "
                f"(SELECT h.{table.key} FROM {table.history} h "
                f"WHERE h.change_set_id = {change_set.pk}) "
                f"ORDER BY t.{table.key} FOR UPDATE) SELECT count(*) FROM locked"
            )


def stage_rows(change_set: ChangeSet, tables: Iterable[UndoTable]) -> None:
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(
                f"CREATE TEMPORARY TABLE {table.stage} ON COMMIT DROP AS "
                f"{_rows(change_set, table)};"
                f"ALTER TABLE {table.stage} ADD PRIMARY KEY (n);"
                f"CREATE UNIQUE INDEX ON {table.stage} (key);"
                f"ANALYZE {table.stage}"
            )


def _rows(change_set: ChangeSet, table: UndoTable) -> str:
    def state(alias: str) -> str:
        return "ROW(" + ", ".join(f"{alias}.{column}" for column in table.compared) + ")"

    # A row that came into being twice (deleted and brought back meanwhile) begins with a deletion.
    act = f"""
        CASE WHEN f.history_type = '+' THEN CASE WHEN l.history_type <> '-' THEN 'remove' END
             WHEN l.history_type = '-' THEN 'bring_back'
             WHEN b.history_type <> '-' AND {state("b")} IS NOT DISTINCT FROM {state("l")} THEN NULL
             ELSE 'put_back' END
    """
    undo = literal(reference_to(change_set))
    # Rows of one key are looked for in the order of their index, by time and number; by the number
    # alone PostgreSQL might read the whole history backwards.
    return f"""
        SELECT *,
            CASE WHEN act IS NULL THEN NULL
                 WHEN newer IN (SELECT id FROM audit_changeset WHERE reference = {undo})
                     THEN 'undone'
                 WHEN newer IS NOT NULL AND newest_type = '-' AND act <> 'bring_back' THEN 'gone'
                 WHEN newer IS NOT NULL THEN 'changed'
                 WHEN lives = (act = 'bring_back') THEN
                     CASE WHEN lives THEN 'changed' ELSE 'gone' END
                 WHEN act <> 'remove' AND before IS NULL THEN 'unknown'
            END AS kept,
            NULL::text AS by_model, NULL::text AS by_key, NULL::bigint AS by_count,
            NULL::text AS rule
        FROM (
            SELECT row_number() OVER (ORDER BY m.key)::int AS n, m.key, m.last,
                CASE WHEN f.history_type = '-' THEN m.first
                     WHEN f.history_type = '~' AND b.history_type <> '-' THEN b.history_id
                END AS before,
                ({act})::text AS act,
                since.change_set_id AS newer, since.history_type AS newest_type,
                t.{table.key} IS NOT NULL AS lives
            FROM (
                SELECT {table.key} AS key, min(history_id) AS first, max(history_id) AS last
                FROM {table.history} WHERE change_set_id = {change_set.pk} GROUP BY 1
            ) m
            JOIN {table.history} f ON f.history_id = m.first
            JOIN {table.history} l ON l.history_id = m.last
            LEFT JOIN LATERAL (
                SELECT * FROM {table.history} p
                WHERE p.{table.key} = m.key AND p.history_id < m.first AND f.history_type = '~'
                ORDER BY p.history_date DESC, p.history_id DESC LIMIT 1
            ) b ON true
            LEFT JOIN LATERAL (
                SELECT x.change_set_id, x.history_type FROM {table.history} x
                WHERE x.{table.key} = m.key AND x.history_id > m.first
                  AND x.change_set_id <> {change_set.pk}
                ORDER BY x.history_date DESC, x.history_id DESC LIMIT 1
            ) since ON true
            LEFT JOIN {table.name} t ON t.{table.key} = m.key
        ) done
    """


# How a row came to be chosen: it belongs to what was asked for, or that needs it.
_BELONGS, _NEEDED = 1, 2


def choose(tables: Sequence[UndoTable], model: type[models.Model], key: str) -> bool:
    """Leave in the stages one object alone, and what belongs to it. False if it is not there.

    With it go its parts; the rows that went together with it, or cannot be without it; and what
    they point at, if that went as well, but nothing further that belongs to that.
    """
    with connection.cursor() as cursor:
        for table in tables:
            mine = [f"s.key::text = {literal(key)}"] if table.model is model else []
            # Its parts may have changed alone.
            mine += [
                f"EXISTS (SELECT 1 FROM {table.history} h WHERE h.history_id IN (s.before, s.last) "
                f"AND h.{ref.column}::text = {literal(key)})"
                for ref in table.parts_of
                if ref.target._meta.concrete_model is model._meta.concrete_model
            ]
            cursor.execute(
                f"ALTER TABLE {table.stage} ADD COLUMN chosen smallint NOT NULL DEFAULT 0;"
                f"UPDATE {table.stage} s SET chosen = {_BELONGS} "
                f"WHERE {' OR '.join(mine) or 'false'}"
            )
        steps = [step for table in tables for step in _choosing(table, tables)]
        more = 1
        while more:
            more = 0
            for step in steps:
                cursor.execute(step)
                more += cursor.rowcount
        for table in tables:
            cursor.execute(f"DELETE FROM {table.stage} WHERE chosen = 0")
        chosen = " UNION ALL ".join(f"SELECT 1 FROM {table.stage}" for table in tables)
        cursor.execute(f"SELECT EXISTS ({chosen})")
        (found,) = cursor.fetchone()
    return bool(found)


def _choosing(table: UndoTable, tables: Sequence[UndoTable]) -> Iterable[str]:
    """Statements that choose what follows from what is chosen already."""
    by_model = {other.concrete: other for other in tables}
    for ref in table.references:
        target = by_model.get(ref.target._meta.concrete_model or ref.target)
        if target is None:
            continue
        part = "true" if ref in table.parts_of else "false"
        cascades = "true" if ref.cascades else "false"
        yield (
            f"UPDATE {table.stage} s SET chosen = {_BELONGS} "
            f"FROM {target.stage} w, {table.history} h "
            f"WHERE w.chosen = {_BELONGS} AND s.chosen <> {_BELONGS} "
            f"AND h.history_id IN (s.before, s.last) AND h.{ref.column} = w.key AND ({part} "
            "OR (w.act = 'bring_back' AND h.history_id = s.before) "
            f"OR ({cascades} AND w.act = 'remove' AND s.act = 'remove'))"
        )
        yield (
            f"UPDATE {target.stage} w SET chosen = {_NEEDED} "
            f"FROM {table.stage} s, {table.history} h "
            "WHERE s.chosen <> 0 AND w.chosen = 0 AND w.act = 'bring_back' "
            f"AND h.history_id = s.before AND h.{ref.column} = w.key"
        )
