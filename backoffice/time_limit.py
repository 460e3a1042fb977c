"""Statements that may take so long and no longer, for what a page can do without."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled


class TookTooLong(Exception):
    """A statement was given up, and all that was done under its limit is undone."""


@contextmanager
def time_limit(milliseconds: float) -> Iterator[None]:
    """Each statement within takes at most so long. Raises TookTooLong."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('statement_timeout', %s, true)", [f"{max(milliseconds, 1):.0f}"]
            )
            yield
            cursor.execute("SET LOCAL statement_timeout TO DEFAULT")  # an outer transaction goes on
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TookTooLong from error
        raise
