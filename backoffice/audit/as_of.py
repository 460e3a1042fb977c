"""Objects and lists as they were at a moment, read from the history tables alone.

Of each object the row counts that stood at the moment: the last one by (history_date, history_id).
What was deleted by then, or came later, is not there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import DatabaseError, connection, models, transaction
from django.db.models import Subquery
from psycopg.errors import QueryCanceled

from .history import Kind
from .naming import Names, history_of
from .selectors import Strand
from .wording import value_in_words

ROWS_PER_LIST = 50
# A search reads the whole history of its model; nobody waits longer for it than this.
LONGEST_SEARCH = 10  # seconds


class SearchTookTooLong(Exception):
    """The search was given up after LONGEST_SEARCH seconds; fewer rows would have to be read."""


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
    for name in reversed([name for name in model._meta.ordering if isinstance(name, str)]):
        attname = model._meta.get_field(name.lstrip("-")).attname
        found.sort(
            key=lambda row, a=attname: (getattr(row, a) is None, getattr(row, a)),
            reverse=name.startswith("-"),
        )
    return found


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of a list; `next` is the key after which the next one begins."""

    rows: tuple[Any, ...]
    next: Any


def list_as_of(
    model: type[models.Model],
    moment: datetime,
    *,
    after: Any = None,
    words: Sequence[str] = (),
    among: Sequence[str] = (),
    size: int = ROWS_PER_LIST,
) -> Page:
    """The objects that there were, by their key, each as it was then; a page at a time.

    With `words`, those that had every one of them somewhere in the fields `among`. A page without
    a search walks along the index (key, history_date DESC, history_id DESC) as far as it needs. A
    search reads all history of the model once; SearchTookTooLong is raised when that lasts.
    """
    history = history_of(model)._meta
    quote = connection.ops.quote_name
    table, key = quote(history.db_table), quote(model._meta.pk.column)
    past, past_values = "history_date <= %s", [moment]
    if after is not None:
        past, past_values = f"{past} AND {key} > %s", [moment, after]
    then, then_values = _matches(model, words, among)
    candidates, candidate_values = "", []
    if words:
        candidates = f" AND {key} IN (SELECT {key} FROM {table} WHERE {past} AND {then})"
        candidate_values = [*past_values, *then_values]
    sql = f"""
        SELECT * FROM (
            SELECT DISTINCT ON ({key}) * FROM {table} WHERE {past}{candidates}
            ORDER BY {key}, history_date DESC, history_id DESC
        ) AS then_row
        WHERE history_type <> %s AND {then}
        ORDER BY {key} LIMIT %s
    """
    values = [*past_values, *candidate_values, Kind.DELETED.value, *then_values, size + 1]
    rows = _within_time(lambda: list(history_of(model)._base_manager.raw(sql, values)))
    page = tuple(rows[:size])
    more = len(rows) > size
    return Page(rows=page, next=getattr(page[-1], model._meta.pk.attname) if more else None)


def _matches(
    model: type[models.Model], words: Sequence[str], among: Sequence[str]
) -> tuple[str, list[str]]:
    """A condition that every word stands somewhere in the fields, whatever its case."""
    if not words:
        return "TRUE", []
    columns = [connection.ops.quote_name(model._meta.get_field(name).column) for name in among]
    text = f"upper(concat_ws(' ', {', '.join(columns)}))"
    condition = " AND ".join(f"{text} LIKE upper(%s)" for _ in words)
    return condition, [f"%{connection.ops.prep_for_like_query(word)}%" for word in words]


def _within_time(read: Any) -> Any:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = '{LONGEST_SEARCH}s'")
            return read()
    except DatabaseError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise SearchTookTooLong from error
        raise


def in_words(
    rows: Sequence[Any], model: type[models.Model], fields: Sequence[models.Field], at: datetime
) -> list[list[str]]:
    """The fields of each row as a person reads them, related objects by the name they had then."""
    names = names_at(at, [(model, row) for row in rows])
    return [
        [value_in_words(field, getattr(row, field.attname), names.target) for field in fields]
        for row in rows
    ]


def names_at(at: datetime, rows: Sequence[tuple[type[models.Model], Any]]) -> Names:
    """The names that the related objects of these rows had at a moment."""
    names = Names(at)
    for model, row in rows:
        names.want_row(model, row)
    names.load()
    return names
