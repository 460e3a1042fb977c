"""Objects and lists as they were at a moment, read from the history tables alone.

Of each object the row counts that stood at the moment: the last one by (history_date, history_id).
What was deleted by then, or came later, is not there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import DatabaseError, connection, models, transaction
from django.db.models import Subquery
from psycopg.errors import QueryCanceled

from .history import Kind
from .naming import Names, history_of
from .selectors import Strand

ROWS_PER_LIST = 50
# How long a page looks for what fits; then it ends, and the next one goes on from there.
SECONDS_PER_PAGE = 3
# One step passes over all that came after the moment. Where that takes longer, it is given up.
LONGEST = 10  # seconds


class TookTooLong(Exception):
    """The list was given up after LONGEST seconds."""


def object_as_of(model: type[models.Model], key: Any, moment: datetime) -> Any:
    """The history row that stood at the moment, or None where there was no such object."""
    row = (
        history_of(model)
        ._base_manager.filter(**{model._meta.pk.attname: key}, history_date__lte=moment)
        .order_by("-history_date", "-history_id")
        .first()
    )
    return row if row and row.history_type != Kind.DELETED else None


def parts_as_of(strand: Strand, key: Any, moment: datetime) -> list[Any]:
    """The history rows of the parts that an object had at the moment, in their usual order.

    A part that had moved to another object by then is not among them.
    """
    model = strand.model
    rows = history_of(model)._base_manager.filter(history_date__lte=moment)
    ever_its_own = rows.filter(**{strand.attname: key}).values(model._meta.pk.attname)
    last = (
        rows.filter(**{f"{model._meta.pk.attname}__in": Subquery(ever_its_own)})
        .order_by(model._meta.pk.attname, "-history_date", "-history_id")
        .distinct(model._meta.pk.attname)
    )
    found = [
        row
        for row in last
        if row.history_type != Kind.DELETED and getattr(row, strand.attname) == key
    ]
    for name in reversed([name for name in model._meta.ordering or () if isinstance(name, str)]):
        found.sort(key=_in_order_of(model, name.lstrip("-")), reverse=name.startswith("-"))
    return found


def _in_order_of(model: type[models.Model], name: str) -> Callable[[Any], tuple[bool, Any]]:
    attname = _field(model, name).attname

    def place(row: Any) -> tuple[bool, Any]:
        value = getattr(row, attname)
        return value is None, value

    return place


def _field(model: type[models.Model], name: str) -> Any:
    return model._meta.get_field(name)


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of a list; the next one begins after the key `next`.

    `unfinished` says that time was up before the page was full.
    """

    rows: tuple[Any, ...]
    next: Any = None
    unfinished: bool = False


def list_as_of(
    model: type[models.Model],
    moment: datetime,
    *,
    after: Any = None,
    words: Sequence[str] = (),
    among: Sequence[str] = (),
    size: int = ROWS_PER_LIST,
    seconds: float = SECONDS_PER_PAGE,
) -> Page:
    """The objects that there were, by their key, each as it was then; a page at a time.

    With `words`, those that had every one of them somewhere in the fields `among`. It steps from
    key to key along the index (key, history_date DESC, history_id DESC), so a page costs what it
    steps over, however much history there is. Raises TookTooLong.
    """
    history = history_of(model)._meta
    table, key = _quoted(history.db_table), _quoted(str(model._meta.pk.column))
    fits, values = _matches(model, words, among)
    values = {**values, "moment": moment, "after": after, "size": size, "seconds": seconds}

    def next_one(beyond: str) -> str:
        return f"""
            SELECT {key} AS key, history_id, history_type <> '-' AND {fits} AS fits
            FROM {table} WHERE {beyond} history_date <= %(moment)s
            ORDER BY {key}, history_date DESC, history_id DESC LIMIT 1
        """

    sql = f"""
        WITH RECURSIVE walk(key, history_id, fits, found) AS (
            SELECT key, history_id, fits, fits::int
            FROM ({next_one(f"{key} > %(after)s AND" if after is not None else "")}) AS first_one
            UNION ALL
            SELECT n.key, n.history_id, n.fits, walk.found + n.fits::int
            FROM walk CROSS JOIN LATERAL ({next_one(f"{key} > walk.key AND")}) AS n
            WHERE walk.found <= %(size)s
              AND clock_timestamp() < statement_timestamp() + %(seconds)s * interval '1 second'
        )
        SELECT key, CASE WHEN fits THEN history_id END,
               clock_timestamp() >= statement_timestamp() + %(seconds)s * interval '1 second'
        FROM walk WHERE fits OR key = (SELECT max(key) FROM walk) ORDER BY key
    """
    steps = _within_time(sql, values)
    found = [(key, history_id) for key, history_id, _ in steps if history_id is not None]
    rows = history_of(model)._base_manager.in_bulk([history_id for _, history_id in found[:size]])
    page = tuple(rows[history_id] for _, history_id in found[:size])
    if len(found) > size:
        return Page(rows=page, next=found[size - 1][0])
    time_is_up = bool(steps) and steps[-1][2]
    return Page(rows=page, next=steps[-1][0] if time_is_up else None, unfinished=time_is_up)


def _matches(
    model: type[models.Model], words: Sequence[str], among: Sequence[str]
) -> tuple[str, dict[str, Any]]:
    """A condition that every word stands somewhere in the fields, whatever its case."""
    if not words:
        return "TRUE", {}
    columns = [_quoted(_field(model, name).column) for name in among]
    text = f"upper(concat_ws(' ', {', '.join(columns)}))"
    patterns = [f"%{connection.ops.prep_for_like_query(word)}%" for word in words]
    condition = " AND ".join(f"{text} LIKE upper(%(word{n})s)" for n in range(len(patterns)))
    return condition, {f"word{n}": pattern for n, pattern in enumerate(patterns)}


def _within_time(sql: str, values: dict[str, Any]) -> list[Any]:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = '{LONGEST}s'")
            cursor.execute(sql, values)
            found: list[Any] = cursor.fetchall()
            cursor.execute("SET LOCAL statement_timeout TO DEFAULT")  # an outer transaction goes on
            return found
    except DatabaseError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TookTooLong from error
        raise


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def names_at(at: datetime, rows: Sequence[tuple[type[models.Model], Any]]) -> Names:
    """The names that the related objects of these rows had at a moment."""
    names = Names(at)
    for model, row in rows:
        names.want_row(model, row)
    names.load()
    return names
