"""The first load of a table: its indexes are made once, after the rows, instead of a million times.

Filling them row by row is half of a bare INSERT, and the trigram index of the search most of that;
made at one go they take a tenth of it. While an index is away nobody may read the table, so this
is for tables in which there is next to nothing to read.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, models, transaction
from django.utils.translation import gettext as _

from backoffice.progress import report

from .sql import quote

# Below, making the indexes costs as much as it saves.
LEAST_ROWS = 20_000
# Whoever reads the table waits until the import ends: nobody shall who has a catalogue to work
# with. So at most one row may be there for each hundred that come.
NEW_FOR_EACH_ROW = 100
# Readers that come meanwhile queue behind us. Shorter than deadlock_timeout, so that nobody is
# chosen to fail because of an attempt that can as well be given up.
_LOCK_TIMEOUT = "500ms"
_SETTINGS = {"maintenance_work_mem": "256MB", "max_parallel_maintenance_workers": "2"}

# What only speeds reading up, and comes back by its definition as it was: no constraint, nothing
# that has a tablespace, a comment or a mark of its own, and no index of a foreign key, by which
# triggers look rows up while others come in.
_DISPENSABLE = """
    SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
    FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
    WHERE t.oid = %s::regclass AND t.relkind = 'r' AND NOT t.relispartition
      AND pg_has_role(t.relowner, 'USAGE') AND has_schema_privilege(t.relnamespace, 'CREATE')
      AND NOT EXISTS (SELECT 1 FROM pg_inherits h WHERE h.inhparent = t.oid)
      AND i.indisvalid AND NOT i.indisunique AND NOT i.indisexclusion
      AND NOT i.indisreplident AND NOT i.indisclustered AND x.reltablespace = 0
      AND obj_description(x.oid, 'pg_class') IS NULL
      AND NOT EXISTS (SELECT 1 FROM pg_attribute a
                      WHERE a.attrelid = x.oid AND COALESCE(a.attstattarget, -1) <> -1)
      AND NOT EXISTS (SELECT 1 FROM pg_constraint c
                      WHERE c.conrelid = t.oid AND c.contype = 'f' AND c.conkey[1] = i.indkey[0])
    ORDER BY x.oid
"""


@contextmanager
def indexes_made_afterwards(model: type[models.Model], new: int) -> Iterator[None]:
    """Work that brings `new` rows, before indexes that only speed reading up if it is a first load.

    To be used inside a transaction: whatever happens, the indexes are there as they were when it
    ends. Without the right to make them, or while somebody reads the table, all goes its usual way.
    """
    dropped = _drop_indexes(quote(model._meta.db_table), new)
    yield
    if not dropped:
        return
    report(_("Making the indexes"))
    # What is still to be checked of the rows stands in the way of their indexes.
    connection.check_constraints()
    with connection.cursor() as cursor:
        for name, value in _SETTINGS.items():
            cursor.execute(f"SET LOCAL {name} = '{value}'")
        for definition in dropped:
            cursor.execute(definition)


def _drop_indexes(table: str, new: int) -> list[str]:
    """Drop them if this is a first load and nobody is in the way; return what makes them anew."""
    if new < LEAST_ROWS or _has_more_rows(table, new // NEW_FOR_EACH_ROW):
        return []
    with connection.cursor() as cursor:
        cursor.execute(_DISPENSABLE, [table])
        indexes = cursor.fetchall()
        if not indexes:
            return []
        cursor.execute("SHOW lock_timeout")
        (timeout,) = cursor.fetchone()
        try:
            with transaction.atomic():
                cursor.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
                cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        except OperationalError:
            return []
        cursor.execute(f"SET LOCAL lock_timeout = '{timeout}'")
        connection.check_constraints()
        cursor.execute(f"DROP INDEX {', '.join(name for name, _definition in indexes)}")
    return [definition for _name, definition in indexes]


def _has_more_rows(table: str, than: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {table} OFFSET {than})")
        (found,) = cursor.fetchone()
    return bool(found)
