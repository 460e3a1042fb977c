"""What a superuser of the database can do: write past every trigger."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection


@contextmanager
def as_superuser() -> Iterator[Any]:
    """A cursor in a session in which no trigger fires, and no foreign key is checked."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        try:
            yield cursor
        finally:
            cursor.execute("SET session_replication_role = origin")


def tamper(statement: str, params: Any = None) -> int:
    """Execute one statement so. Returns the number of rows that it hit."""
    with as_superuser() as cursor:
        cursor.execute(statement, params)
        return int(cursor.rowcount)
