"""Dates as files have them, as SQL over whole columns; which of two orders, the file must prove."""

from collections.abc import Iterable

from django.db import connection

from .columns import Column
from .models import ImportJob
from .numerals import UNCLEAR
from .sql import literal

_TIME = (
    r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]{1,6})?)?"
    r"(?: ?[AaPp][Mm])?(?: ?(?:Z|UTC|[+-][0-9]{2}(?::?[0-9]{2})?))?"
)
DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
TIMESTAMP = rf"{DATE}(?: {_TIME})?"
_REST = rf"(?:[T ] *({_TIME}))?$"
_YEAR_FIRST = rf"^([0-9]{{4}})[-/.]([0-9]{{1,2}})[-/.]([0-9]{{1,2}}){_REST}"
_DIGITS = rf"^((?:19|20)[0-9]{{2}})([0-9]{{2}})([0-9]{{2}}){_REST}"
_YEAR_LAST = rf"^([0-9]{{1,2}})[-/.]([0-9]{{1,2}})[-/.]([0-9]{{4}}){_REST}"
Order = ImportJob.DateOrder


def canonical_date(text: str, order: str) -> str:
    """SQL of a date's text as "2026-02-13 10:15", whatever its order; as it is if it is no date.

    Where the year is last and neither the order nor the day tells which is the month, UNCLEAR
    stands before it.
    """
    day_first = "m[1]::int > 12 OR m[1]::int = m[2]::int"
    month_first = "m[2]::int > 12"
    if order:
        day_first, month_first = (str(order == Order.DAY_FIRST), str(order == Order.MONTH_FIRST))
    if order == Order.YEAR_FIRST:
        day_first = month_first = "false"
    return (
        f"(SELECT CASE WHEN y IS NOT NULL THEN {_put(1, 2, 3, 'y')} WHEN m IS NULL THEN v "
        f"WHEN {day_first} THEN {_put(3, 2, 1)} WHEN {month_first} THEN {_put(3, 1, 2)} "
        f"ELSE '{UNCLEAR}' || v END FROM (SELECT v, COALESCE(regexp_match(v, "
        f"{literal(_YEAR_FIRST)}), regexp_match(v, {literal(_DIGITS)})) AS y, "
        f"regexp_match(v, {literal(_YEAR_LAST)}) AS m FROM (SELECT {text} AS v OFFSET 0) w "
        "OFFSET 0) d)"
    )


def _put(year: int, month: int, day: int, parts: str = "m") -> str:
    return (
        f"concat({parts}[{year}], '-', lpad({parts}[{month}], 2, '0'), '-', "
        f"lpad({parts}[{day}], 2, '0'), ' ' || replace({parts}[4], ',', '.'))"
    )


def settle_dates(job: ImportJob, columns: Iterable[Column], said: str) -> None:
    """Put on the job in which order its dates are: what was said, else what some of them prove."""
    cells = [f"r.c{int(job.mapping[c.name])}" for c in columns if c.name in job.mapping]
    job.date_order = said
    found = {"day": 0, "month": 0, "unclear": 0}
    if cells and not said:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FILTER (WHERE m[1]::int > 12), "
                "count(*) FILTER (WHERE m[2]::int > 12), count(*) FILTER (WHERE m[1]::int <= 12 "
                f"AND m[2]::int <= 12 AND m[1]::int <> m[2]::int) FROM {job.stage('raw')} r, "
                f"LATERAL (VALUES {', '.join(f'({cell})' for cell in cells)}) cells (v), "
                f"LATERAL (SELECT regexp_match(v, {literal(_YEAR_LAST)}) AS m OFFSET 0) d "
                "WHERE r.problem IS NULL"
            )
            found = dict(zip(found, cursor.fetchone(), strict=True))
        if bool(found["day"]) != bool(found["month"]):
            job.date_order = Order.DAY_FIRST if found["day"] else Order.MONTH_FIRST
    is_asked = bool(found["unclear"]) and not job.date_order
    how = "said" if said else "asked" if is_asked else "found"
    job.reading["dates"] = {**found, "how": how}
