"""Copies of the benchmarks' database, so that works that are compared begin with the same."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def rolled_back() -> Iterator[None]:
    """Work whose traces would spoil what is measured next."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@contextmanager
def copied_database() -> Iterator[None]:
    """Work in a copy of the database, which is dropped at the end.

    What is only rolled back leaves its dead rows behind, and never pays for what is checked at the
    commit (the foreign keys).
    """
    name = str(connection.settings_dict["NAME"])
    _copy(name, f"{name}_copy")
    connection.settings_dict["NAME"] = f"{name}_copy"
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = name
        _drop(f"{name}_copy")


def vacuum() -> None:
    """Leave the tables as a database has them that has been running for a while."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


def _copy(name: str, copy: str) -> None:
    quoted, source = (connection.ops.quote_name(n) for n in (copy, name))
    connection.close()
    _drop(copy)
    with connection._nodb_cursor() as cursor:  # type: ignore[attr-defined]
        cursor.execute(f"CREATE DATABASE {quoted} TEMPLATE {source} STRATEGY file_copy")


def _drop(name: str) -> None:
    with connection._nodb_cursor() as cursor:  # type: ignore[attr-defined]
        cursor.execute(f"DROP DATABASE IF EXISTS {connection.ops.quote_name(name)}")
