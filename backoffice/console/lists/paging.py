"""Pages that cost the same wherever they lie: by the values of the last row seen, not by counting.

The keys of a page are read first, then their rows. Up to a bound all that match are found, counted
and put in order; beyond it the index of the order is walked until the page is full, and the number
is an estimate. Such a page is named by the order values of the row next to it ("after" or "before"
that row), so that what is added or changed meanwhile moves nothing.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any, Self, cast

from django.core.exceptions import EmptyResultSet, FieldDoesNotExist, ValidationError
from django.db import connections, models
from django.db.models import F, Func, OrderBy, Q, QuerySet, Value
from django.db.models.constants import LOOKUP_SEP

from backoffice.search import expected_rows

MOST_COUNTED = 20_000


class CannotContinue(Exception):
    """An order by which no page can be named, such as one by a relation's own order."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a page begins (or, backwards, ends): beyond the row of these values in the order.

    Without values it lies at the very end. `number` is how many rows lie before, as far as known.
    """

    backwards: bool
    values: tuple[str | None, ...] = ()
    number: int | None = None

    def written(self) -> str:
        text = json.dumps([self.number, *self.values], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str, *, backwards: bool) -> Self:
        """Raises ValueError for what `written` did not write."""
        if backwards and text == "end":
            return cls(backwards=True)
        try:
            decoded = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            number, *values = decoded
        except (binascii.Error, TypeError, ValueError, UnicodeError) as wrong:
            raise ValueError(text) from wrong
        sound = (number is None or (isinstance(number, int) and number >= 0)) and all(
            isinstance(value, str | None) for value in values
        )
        if not sound or not values or any("\0" in value for value in values if value):
            raise ValueError(text)
        return cls(backwards=backwards, values=tuple(values), number=number)


class _Beyond(Func):
    """(a, b) > (x, y), which an index over a and b finds by itself."""

    output_field = models.BooleanField()

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **context: Any) -> Any:
        compiled = [compiler.compile(each) for each in self.source_expressions]
        half = len(compiled) // 2
        left, right = (
            ", ".join(sql for sql, _ in part) for part in (compiled[:half], compiled[half:])
        )
        sign = self.extra["sign"]
        return f"({left}) {sign} ({right})", tuple(p for _sql, params in compiled for p in params)


def order_terms(rows: QuerySet) -> list[OrderBy]:
    """The order of the rows, term by term. Raises CannotContinue where no page can be named."""
    terms = []
    for term in rows.query.order_by:
        if isinstance(term, str):
            name = term.removeprefix("-")
            if name == "?" or _is_bare_relation(rows.model, name):
                raise CannotContinue(name)
            term = OrderBy(F(name), descending=term.startswith("-"))  # noqa: PLW2901
        elif not isinstance(term, OrderBy):
            term = OrderBy(cast(Any, term))  # noqa: PLW2901
        if term.nulls_first or term.nulls_last:
            raise CannotContinue(str(term))
        terms.append(term)
    return terms


def _is_bare_relation(model: type[models.Model], name: str) -> bool:
    """Whether an order by this name is the order of the other model."""
    fields = _path(model, name)
    return bool(fields) and fields[-1].is_relation and name != getattr(fields[-1], "attname", "")


def _path(model: type[models.Model], name: str) -> list[Any]:
    """The fields that a name leads through; none if it is no field's."""
    fields: list[Any] = []
    place: Any = model
    for part in name.split(LOOKUP_SEP):
        try:
            field = place._meta.pk if part == "pk" else place._meta.get_field(part)
        except (FieldDoesNotExist, AttributeError):
            return []
        fields.append(field)
        place = field.related_model
    return fields


def may_be_null(model: type[models.Model], expression: Any) -> bool:
    """Whether the value of a term can be missing. What is not known may."""
    if isinstance(expression, F):
        fields = _path(model, str(getattr(expression, "name", "")))
        return not fields or any(getattr(field, "null", True) for field in fields)
    sources: list[Any] = getattr(expression, "get_source_expressions", list)()
    return not sources or any(may_be_null(model, each) for each in sources)


def page_keys(
    rows: QuerySet, terms: list[OrderBy], place: Place | None, *, offset: int, limit: int
) -> list[tuple[Any, ...]]:
    """Key and order values of the rows of a page, in their order (backwards from a place before).

    Raises ValueError for a place that is none of this order.
    """
    if not terms:
        return list(rows.values_list("pk")[offset : offset + limit])
    names = list(_named(terms))
    named = rows.annotate(**_named(terms))
    backwards = place is not None and place.backwards
    if place is not None and place.values:
        named = _beyond(named, names, terms, place)
    order = [
        OrderBy(F(name), descending=term.descending != backwards)
        for name, term in zip(names, terms, strict=True)
    ]
    return list(named.order_by(*order).values_list("pk", *names)[offset : offset + limit])


def _beyond(rows: QuerySet, names: list[str], terms: list[OrderBy], place: Place) -> QuerySet:
    if len(place.values) != len(terms):
        raise ValueError(place.values)
    fields = [rows.query.annotations[name].output_field for name in names]
    try:
        values = [
            None if text is None else field.to_python(text)
            for field, text in zip(fields, place.values, strict=True)
        ]
    except ValidationError as wrong:
        raise ValueError(place.values) from wrong
    downwards = [term.descending != place.backwards for term in terms]
    nullable = [may_be_null(rows.model, term.expression) for term in terms]
    if len(set(downwards)) == 1 and not any(nullable) and None not in values:
        given = [Value(value, output_field=f) for value, f in zip(values, fields, strict=True)]
        sign = "<" if downwards[0] else ">"
        return rows.filter(_Beyond(*(F(name) for name in names), *given, sign=sign))
    condition, same = Q(pk__in=[]), Q()
    for name, value, down, null in zip(names, values, downwards, nullable, strict=True):
        condition |= same & _further(name, value, down=down, null=null)
        same &= Q(**{f"{name}__isnull": True}) if value is None else Q(**{name: value})
    return rows.filter(condition)


def _further(name: str, value: Any, *, down: bool, null: bool) -> Q:
    """Beyond the value in one term. What is missing comes last upwards, and first downwards."""
    if value is None:
        return Q(**{f"{name}__isnull": False}) if down else Q(pk__in=[])
    further = Q(**{f"{name}__{'lt' if down else 'gt'}": value})
    return further | Q(**{f"{name}__isnull": True}) if null and not down else further


def as_place(row: tuple[Any, ...], *, backwards: bool, number: int | None) -> Place:
    """The place beyond a row that `page_keys` found."""
    values = tuple(None if value is None else _text(value) for value in row[1:])
    return Place(backwards=backwards, values=values, number=number)


def _text(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


@dataclass(frozen=True, kw_only=True)
class Found:
    """Key and order values of the rows of a page, and how many rows there are in all."""

    rows: list[tuple[Any, ...]]
    number: int
    is_exact: bool


def find_page(
    rows: QuerySet, terms: list[OrderBy], place: Place | None, *, offset: int, limit: int
) -> Found:
    """The rows of a page in their order, backwards from a place before.

    By the planner's estimate few are sorted and many are walked, since the planner itself may walk
    a whole index in search of a page of few. Raises ValueError for a place that is none of this
    order.
    """
    everything = rows.order_by().values("pk")
    try:
        everything.query.get_compiler(using=rows.db).as_sql()
    except EmptyResultSet:  # no database is asked for what cannot be
        return Found(rows=[], number=0, is_exact=True)
    expected = expected_rows(everything)
    if place is None and terms and expected <= MOST_COUNTED:
        few = _sorted_page(rows, terms, offset=offset, limit=limit)
        if few is not None:
            return few
    found = page_keys(rows, terms, place, offset=offset, limit=limit)
    if place is None and len(found) < limit and (found or not offset):
        return Found(rows=found, number=offset + len(found), is_exact=True)
    if expected <= MOST_COUNTED and not (place is None and terms):
        number = everything[: MOST_COUNTED + 1].count()
        if number <= MOST_COUNTED:
            return Found(rows=found, number=number, is_exact=True)
    return Found(rows=found, number=_rounded(max(expected, MOST_COUNTED)), is_exact=False)


def _sorted_page(rows: QuerySet, terms: list[OrderBy], *, offset: int, limit: int) -> Found | None:
    """The page out of all that match; None if these are too many. The LIMIT keeps the two apart."""
    named = rows.order_by().annotate(**_named(terms)).values_list("pk", *_named(terms))
    compiler = named[: MOST_COUNTED + 1].query.get_compiler(using=rows.db)
    matching, params = compiler.as_sql()
    order = ", ".join(
        f"{name} {'DESC' if term.descending else 'ASC'}" for name, term in _named_terms(terms)
    )
    with connections[rows.db].cursor() as cursor:
        cursor.execute(
            f"SELECT *, count(*) OVER () FROM ({matching}) AS matching ORDER BY {order} "
            "LIMIT %s OFFSET %s",
            [*params, limit, offset],
        )
        found = cursor.fetchall()
    number = found[0][-1] if found else 0
    if number > MOST_COUNTED:
        return None
    return Found(rows=[row[:-1] for row in found], number=number, is_exact=True)


def _named_terms(terms: list[OrderBy]) -> list[tuple[str, OrderBy]]:
    return [(f"order_{number}", term) for number, term in enumerate(terms)]


def _named(terms: list[OrderBy]) -> dict[str, Any]:
    return {name: term.expression for name, term in _named_terms(terms)}


def _rounded(number: int) -> int:
    """To two significant digits, since it is not known better."""
    return round(number, 2 - len(str(number)))
