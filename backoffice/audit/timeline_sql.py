"""The SQL of the timeline: how its entries are found through indexes alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import connection, models

from .naming import history_of

if TYPE_CHECKING:
    from .timeline import Narrowing, Touched

# How many steps one walk may take; a few microseconds each.
MOST_STEPS = 20_000


def quoted(identifier: str | None) -> str:
    return str(connection.ops.quote_name(identifier or ""))


@dataclass(frozen=True)
class Query:
    sql: str
    parameters: Sequence[Any] = ()

    def rows(self) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(self.sql, self.parameters)
            found: list[Any] = cursor.fetchall()
            return found


@dataclass(frozen=True)
class Condition:
    """Something asked of an entry that no index answers."""

    sql: str
    parameters: list[Any] = field(default_factory=list)

    def among(self, numbers: Sequence[int]) -> list[int]:
        """Those of the entries that meet it, in the order given."""
        query = Query(
            f"SELECT id FROM audit_changeset c WHERE id = ANY(%s) AND {self.sql}",
            [list(numbers), *self.parameters],
        )
        passing = {number for (number,) in query.rows()}
        return [number for number in numbers if number in passing]


@dataclass(frozen=True)
class Stream:
    """Entries whose numbers an index holds in order: those with a value, those of a model.

    `sql` are the alternatives: each a SELECT of a number called id, without its ORDER BY, that
    can be asked for the newest down from a bound.
    """

    alternatives: list[Condition]
    column: str = "id"

    def newest_from(self, bound: str) -> Condition:
        """An expression: the highest number that is not above `bound`, or -1."""
        looks = [
            f"COALESCE((SELECT {self.column} FROM {one.sql} AND {self.column} <= {bound} "
            f"ORDER BY {self.column} DESC LIMIT 1), -1)"
            for one in self.alternatives
        ]
        parameters = [value for one in self.alternatives for value in one.parameters]
        return Condition(f"GREATEST({', '.join(looks)})", parameters)


def sources_of_ids(narrowing: "Narrowing") -> list[Stream]:
    """The streams that an entry must be in all of."""
    streams = []

    def entries(condition: str, *parameters: Any) -> None:
        rows = Condition(f"audit_changeset WHERE {condition}", list(parameters))
        streams.append(Stream([rows]))

    if narrowing.request_id:
        entries("request_id = %s AND request_id <> ''", narrowing.request_id)
    if narrowing.references:
        entries("reference = ANY(%s) AND reference <> ''", list(narrowing.references))
    if narrowing.actor_id is not None:
        entries("actor_id = %s", narrowing.actor_id)
    elif narrowing.nobody:
        entries("actor_id IS NULL")
    if narrowing.kind == "change":
        entries("kind = 'change'")
    elif narrowing.kind:
        entries("kind = %s AND kind <> 'change'", narrowing.kind)
    if narrowing.source:
        entries("source = %s", narrowing.source)
    if narrowing.touched:
        tables = dict.fromkeys(history_table(touched.model) for touched in narrowing.touched)
        streams.append(
            Stream([Condition(f"{table} WHERE true") for table in tables], "change_set_id")
        )
    return streams


def conditions(narrowing: "Narrowing") -> Condition | None:
    """What has to be asked of each entry besides: the exact time, and the text."""
    asked: list[str] = []
    parameters: list[Any] = []
    if narrowing.since:
        asked.append("c.at >= %s")
        parameters.append(narrowing.since)
    if narrowing.until:
        asked.append("c.at <= %s")
        parameters.append(narrowing.until)
    for word in narrowing.text.split():
        pattern = "%" + word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        asked.append("concat_ws(' ', c.action, c.reason, c.actor_name, c.request_id) ILIKE %s")
        parameters.append(pattern)
    return Condition(" AND ".join(asked), parameters) if asked else None


def newest(
    streams: Sequence[Stream],
    condition: Condition | None,
    lowest: int,
    highest: int,
    *,
    window: int,
) -> tuple[list[int], int | None]:
    """The newest entries of no more than one stream that meet the condition, out of `window`.

    With them, the number down to which was looked; None if there are none below it.
    """
    one = streams[0].alternatives[0] if streams else Condition("audit_changeset WHERE true")
    query = Query(
        f"SELECT c.id, {condition.sql if condition else 'true'} AS passes FROM ("
        f"SELECT * FROM {one.sql} AND id BETWEEN %s AND %s ORDER BY id DESC LIMIT %s"
        ") c ORDER BY c.id DESC",
        [*(condition.parameters if condition else []), *one.parameters, lowest, highest, window],
    )
    # Only those that pass travel, and the last one, which says how far it went.
    reduced = Query(
        f"WITH looked AS MATERIALIZED ({query.sql}) "
        "SELECT id, passes FROM looked WHERE passes "
        "UNION ALL (SELECT id, NULL FROM looked ORDER BY id LIMIT 1) "
        "UNION ALL SELECT count(*), false FROM looked",
        query.parameters,
    ).rows()
    hits = sorted((number for number, passes in reduced if passes), reverse=True)
    last = next((number for number, passes in reduced if passes is None), None)
    looked = next(number for number, passes in reduced if passes is False)
    return hits, last if looked == window else None


def walk(
    streams: Sequence[Stream], lowest: int, highest: int, *, most: int
) -> tuple[list[int], int | None]:
    """The newest entries that are in all the streams, found by jumping from one to the other.

    Each step asks every stream for its newest number from a bound down; where they agree it is
    an entry, else the lowest of them is the next bound. So a rare value is as fast as a common
    one. Returned with the number down to which it went; None if there are none below.
    """
    looks = [stream.newest_from("b.bound") for stream in streams]
    lookups = ", ".join(look.sql for look in looks)
    parameters = [value for look in looks for value in look.parameters]
    step = f"SELECT b.bound, LEAST({lookups}) AS found, b.step FROM"
    rows = Query(
        f"""
        WITH RECURSIVE walk(bound, found, step) AS (
            ({step} (SELECT %s::bigint AS bound, 1 AS step) b)
            UNION ALL
            ({step} (
                SELECT CASE WHEN w.found = w.bound THEN w.bound - 1 ELSE w.found END AS bound,
                       w.step + 1 AS step
                FROM walk w WHERE w.found >= %s AND w.step < %s
            ) b)
        )
        SELECT bound, found FROM walk WHERE found = bound OR found < %s OR step = %s LIMIT %s
        """,
        [*parameters, highest, *parameters, lowest, MOST_STEPS, lowest, MOST_STEPS, most],
    ).rows()
    hits = [bound for bound, found in rows if bound == found and found >= lowest]
    bound, found = rows[-1]
    if found < lowest:
        return hits, None
    return hits, bound if found == bound else found + 1


def of_object(
    narrowing: "Narrowing", touched: "Touched", lowest: int, highest: int, most: int
) -> Query:
    """The newest entries that touched one object or are about it: one look at its history."""
    table = history_table(touched.model)
    key = quoted(touched.model._meta.pk.column)
    rows = f"SELECT change_set_id FROM {table} WHERE {key} = ANY(%s)"
    if touched.field is not None:
        column = quoted(touched.field.column)
        rows = (
            "SELECT change_set_id FROM (SELECT change_set_id, history_type, "
            f"{column} IS DISTINCT FROM lag({column}) OVER before "
            f"OR lag(history_id) OVER before IS NULL AS changed FROM {table} "
            f"WHERE {key} = ANY(%s) WINDOW before AS (PARTITION BY {key} ORDER BY history_id)"
            ") h WHERE h.changed AND h.history_type = '~'"
        )
    asked = [stream.alternatives[0] for stream in sources_of_ids(narrowing)[:-1]]
    parameters: list[Any] = [list(narrowing.keys)]
    if touched.field is None:  # events and notes, which change no field
        rows += (
            " UNION ALL SELECT id FROM audit_changeset WHERE reference = ANY(%s) "
            "AND reference <> '' AND kind <> 'change'"
        )
        label = touched.model._meta.label_lower
        parameters.append([f"{label}/{each}" for each in narrowing.keys])
    parameters += [lowest, highest]
    sql = f"SELECT c.id FROM audit_changeset c WHERE c.id IN ({rows}) AND c.id BETWEEN %s AND %s"
    for one in asked:
        _table, _, where = one.sql.partition(" WHERE ")
        sql += f" AND {where}"
        parameters += one.parameters
    if condition := conditions(narrowing):
        sql += f" AND {condition.sql}"
        parameters += condition.parameters
    return Query(f"{sql} ORDER BY c.id DESC LIMIT %s", [*parameters, most])


def changed_since_before(model: type[models.Model], field: models.Field, alias: str) -> str:
    """An expression: whether a history row is a change of this field, by the row before it.

    Where the record begins with a change, what stood there before is unknown: it may be one.
    """
    table, key = history_table(model), quoted(model._meta.pk.column)
    column = quoted(field.column)
    return (
        f"{alias}.history_type = '~' AND NOT EXISTS (SELECT 1 FROM (SELECT p.{column} AS was "
        f"FROM {table} p WHERE p.{key} = {alias}.{key} "
        f"AND p.history_date <= {alias}.history_date AND p.history_id < {alias}.history_id "
        "ORDER BY p.history_date DESC, p.history_id DESC LIMIT 1) before "
        f"WHERE before.was IS NOT DISTINCT FROM {alias}.{column})"
    )


def rows_of_entry(model: type[models.Model], number: int) -> models.QuerySet[Any]:
    """The history rows of one entry in the order of the work, ready for a LIMIT.

    As a range, of one number: with `=`, PostgreSQL knows that the rows come in the order of
    history_id by the primary key as well, and may go through the whole table for the first page.
    """
    rows: models.QuerySet[Any] = history_of(model)._base_manager.filter(
        change_set_id__gte=number, change_set_id__lte=number
    )
    return rows.order_by("change_set_id", "history_id")


def first_rows(model: type[models.Model], number: str, columns: str = "*") -> str:
    """The same in SQL, for an expression that is the number."""
    return (
        f"SELECT {columns} FROM {history_table(model)} "
        f"WHERE change_set_id BETWEEN {number} AND {number} ORDER BY change_set_id, history_id"
    )


def history_table(model: type[models.Model]) -> str:
    return quoted(history_of(model)._meta.db_table)
