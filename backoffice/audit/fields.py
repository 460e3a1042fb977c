"""Column types of PostgreSQL that Django has no field for."""

from collections.abc import Iterable
from typing import Any

from django.db import models

type Ranges = tuple[tuple[int, int], ...]  # first and last number of each run, both included


class IdRangesField(models.Field):
    """A set of numbers, kept as its runs (int8multirange): a million in a row take 30 bytes."""

    def db_type(self, connection: Any) -> str:
        return "int8multirange"

    def from_db_value(self, value: Any, *_: Any) -> Ranges | None:
        return None if value is None else runs(value)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        return value if value is None or isinstance(value, str) else written(value)


_LEAST, _MOST = -(2**63), 2**63 - 1


def runs(multirange: Any) -> Ranges:
    """What psycopg read. PostgreSQL writes such ranges with their end excluded.

    We write none without an end; whoever tampers may, and must not keep us from reading on.
    """
    return tuple(
        (
            _LEAST if part.lower is None else part.lower,
            _MOST if part.upper is None else part.upper - 1,
        )
        for part in multirange
    )


def how_many(ranges: Ranges) -> int:
    return sum(last - first + 1 for first, last in ranges)


def written(ranges: Ranges) -> str:
    """As PostgreSQL writes it, to the letter."""
    return "{" + ",".join(f"[{first},{last + 1})" for first, last in ranges) + "}"


def in_runs(numbers: Iterable[int]) -> Ranges:
    """The runs of numbers that come in ascending order."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return tuple(found)


def one_by_one(ranges: Ranges) -> Iterable[int]:
    for first, last in ranges:
        yield from range(first, last + 1)
