"""Chips above a list: filters that are wanted often, with how many rows each finds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from django.db import connections
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.formats import number_format

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

MOST_COUNTED = 999


@dataclass(frozen=True, kw_only=True)
class QuickFilter:
    """A filter of the list by one click: its label, and the query of its address.

    `rows` finds what the query finds, for the number on it. It is left out where no index counts
    them cheaply; then there is no number. `field` is the field that the filter is about: who may
    not see it has no such chip.
    """

    label: "StrOrPromise"
    query: str
    rows: Callable[[Any], QuerySet] | None = None
    field: str = ""


@dataclass(frozen=True, kw_only=True)
class Chip:
    label: str
    link: str
    active: bool
    number: str  # "12", "999+", or "" where it is not counted


def chips(filters: Sequence[QuickFilter], rows: QuerySet, query: QueryDict) -> list[Chip]:
    """The chips of a list whose address has this query; each puts its filter on or takes it off."""
    numbers = _counted([each.rows(rows) for each in filters if each.rows])
    found = []
    for each in filters:
        pairs = parse_qsl(each.query, keep_blank_values=True)
        active = all(query.get(name) == value for name, value in pairs)
        left = query.copy()
        for name, value in pairs:
            left.pop(name, None)
            if not active:
                left[name] = value
        number = next(numbers) if each.rows else None
        found.append(
            Chip(
                label=str(each.label),
                link=f"?{left.urlencode()}",
                active=active,
                number="" if number is None else _in_words(number),
            )
        )
    return found


def _counted(parts: list[QuerySet]) -> Any:
    """How many rows each finds, up to a bound, in one query."""
    if not parts:
        return iter(())
    connection = connections[parts[0].db]
    statements, parameters = [], []
    for part in parts:
        bounded = part.order_by().values("pk")[: MOST_COUNTED + 1]
        sql, params = bounded.query.get_compiler(using=part.db).as_sql()
        statements.append(f"(SELECT count(*) FROM ({sql}) AS counted)")
        parameters += params
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(statements)}", parameters)
        return iter(cursor.fetchone())


def _in_words(number: int) -> str:
    return f"{MOST_COUNTED}+" if number > MOST_COUNTED else number_format(number)
