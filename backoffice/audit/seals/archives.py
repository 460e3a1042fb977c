"""History that was copied out and deleted: what the record says of it, and what its files hold.

What the record says (Archive) is enough to tell archived rows from removed ones. With the files
those rows are verified like all the others, as if they were still there.
"""

import csv
import gzip
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

import psycopg
from django.db import connection
from django.utils.translation import gettext as _

from backoffice.audit.fields import written
from backoffice.audit.models import Archive, ChangeSet

from .canonical import Catalogue, column_today, history_tables
from .exceptions import SealError
from .findings import Finding, Wrong

_PIECE = 1 << 16


@dataclass(frozen=True)
class Archived:
    """What was archived of a table, in temporary tables of this transaction."""

    ids: str = ""  # the one with the numbers of rows that may be gone
    source: str = ""  # SQL for the history together with the rows of the files

    def is_not_all_of(self, run: str) -> str:
        """SQL: some of a run's rows were not archived, or some are here."""
        if not self.ids:
            return "true"
        return f"""
            (found.hashes IS NOT NULL OR length({run}.hashes) / 32 > (
                SELECT count(*) FROM {self.ids} a
                WHERE a.history_id BETWEEN lower({run}.history_ids) AND upper({run}.history_ids) - 1
                  AND {run}.history_ids @> a.history_id
            ))
        """

    def among(self, numbers: Sequence[int]) -> set[int]:
        if not self.ids or not numbers:
            return set()
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT history_id FROM {self.ids} WHERE history_id = ANY(%s)", [list(numbers)]
            )
            return {number for (number,) in cursor.fetchall()}


def recorded() -> Iterator[tuple[Archive, Finding | None]]:
    """The archives that the record knows of, each with what is wrong with it.

    The event of an archive comes under a seal like any other entry. It names the rows by their
    hash, so that nobody can add to them.
    """
    for archive in Archive.objects.order_by("pk").iterator(10):
        yield archive, None if _is_vouched_for(archive) else _altered(archive)


def _is_vouched_for(archive: Archive) -> bool:
    event = ChangeSet.objects.filter(pk=archive.change_set_id).first()
    if event is None:
        return False
    archive.change_set = event
    return (
        event.kind == ChangeSet.Kind.ARCHIVE
        and event.facts.get("table") == archive.table
        and event.facts.get("history_ids_sha256") == ids_hash(archive.history_ids)
    )


def ids_hash(history_ids: Any) -> str:
    return sha256(written(history_ids).encode()).hexdigest()


def _altered(archive: Archive) -> Finding:
    return Finding(
        wrong=Wrong.ARCHIVE_ALTERED,
        message=_(
            "Which rows of %(table)s change set %(number)d archived was altered: what is missing "
            "counts as removed."
        )
        % {"table": archive.table, "number": archive.change_set_id},
        table=archive._meta.db_table,
        change_set=archive.change_set_id,
    )


def stage(
    cursor: Any,
    there: Catalogue,
    archives: Iterable[Archive],
    files: Mapping[str, Sequence[Path]],
) -> dict[str, Archived]:
    """Make the temporary tables: of the rows that were archived, and of what the files hold."""
    ids: dict[str, str] = {}
    for archive in archives:
        name = f'pg_temp."gone_{archive.table}"'
        if archive.table not in ids:
            cursor.execute(f"DROP TABLE IF EXISTS {name}")
            cursor.execute(
                f'CREATE TEMP TABLE "gone_{archive.table}" (history_id bigint PRIMARY KEY) '
                "ON COMMIT DROP"
            )
        ids[archive.table] = name
        cursor.execute(
            f"INSERT INTO {name} SELECT generate_series(lower(run), upper(run) - 1) "
            "FROM audit_archive a, unnest(a.history_ids) run WHERE a.id = %s "
            "ON CONFLICT DO NOTHING",
            [archive.pk],
        )
    for name in ids.values():
        cursor.execute(f"ANALYZE {name}")
    sources = {table: _load(cursor, there, table, paths) for table, paths in files.items()}
    return {
        table: Archived(ids.get(table, ""), sources.get(table, ""))
        for table in ids.keys() | sources.keys()
    }


def _load(cursor: Any, there: Catalogue, table: str, paths: Sequence[Path]) -> str:
    """Bring CSV files with a header, as COPY writes them, into a table of this transaction.

    Returns SQL for the history with what they hold. Raises SealError for a file that is none of
    this table's. Columns that came later are empty: no seal of those rows covers them.
    """
    if table not in history_tables():
        raise SealError(
            _("%(table)s is no history. Name one of: %(tables)s.")
            % {"table": table, "tables": ", ".join(sorted(history_tables()))}
        )
    archive = _staged(cursor, there, table, paths)
    # Rows that are still there count once.
    cursor.execute(f'DELETE FROM {archive} a USING "{table}" h WHERE h.history_id = a.history_id')
    cursor.execute(f"CREATE INDEX ON {archive} (change_set_id, history_id)")
    # Without a condition on either side: only so PostgreSQL looks both up by their indexes.
    columns = ", ".join(f'"{name}"' for name, _kind in there.columns[table])
    return f'(SELECT {columns} FROM "{table}" UNION ALL SELECT {columns} FROM {archive})'


def same_rows_here(cursor: Any, there: Catalogue, table: str, path: Path) -> int:
    """How many rows of a file are here as well, and the same to the last character."""
    archive = _staged(cursor, there, table, [path])
    names = [name for name, _kind in there.columns[table]]
    row, copy = (
        "ROW(" + ", ".join(f'{alias}."{name}"' for name in names) + ")::text" for alias in "ha"
    )
    cursor.execute(
        f'SELECT count(*) FROM {archive} a JOIN "{table}" h ON h.history_id = a.history_id '
        f"WHERE {row} = {copy}"
    )
    return int(cursor.fetchone()[0])


def _staged(cursor: Any, there: Catalogue, table: str, paths: Sequence[Path]) -> str:
    """A temporary table with the rows of these files."""
    archive = f'pg_temp."archived_{table}"'
    cursor.execute(f"DROP TABLE IF EXISTS {archive}")
    cursor.execute(
        f'CREATE TEMP TABLE "archived_{table}" ON COMMIT DROP AS '
        f'SELECT * FROM "{table}" WITH NO DATA'
    )
    known = [name for name, _kind in there.columns[table]]
    for path in paths:
        _copy_in(cursor, table, archive, known, path)
    cursor.execute(f"ANALYZE {archive}")
    return archive


def _copy_in(cursor: Any, table: str, archive: str, known: list[str], path: Path) -> None:
    try:
        with _opened(path) as file:
            header = next(csv.reader([file.readline().decode("utf-8-sig").rstrip("\r\n")]), [])
            names = [column_today(table, name) for name in header]
            if "history_id" not in names or not set(names) <= set(known):
                raise SealError(
                    _("%(file)s does not begin with the names of the columns of %(table)s.")
                    % {"file": path, "table": table}
                )
            columns = ", ".join(f'"{name}"' for name in names)
            with cursor.copy(f"COPY {archive} ({columns}) FROM STDIN (FORMAT csv)") as copy:
                while piece := file.read(_PIECE):
                    copy.write(piece)
    except (OSError, EOFError, UnicodeDecodeError, psycopg.Error) as error:
        said = str(error).splitlines()[0]
        raise SealError(
            _("%(file)s cannot be read: %(error)s") % {"file": path, "error": said}
        ) from error


def _opened(path: Path) -> IO[bytes]:
    if path.suffix == ".gz":
        return gzip.open(path)  # type: ignore[return-value]
    return path.open("rb")


def how_many_gone(cursor: Any, table: str, archived: Archived) -> int:
    """How many of the rows that were archived are neither here nor in a file."""
    if not archived.ids:
        return 0
    source = archived.source or f'"{table}"'
    cursor.execute(
        f"SELECT count(*) FROM {archived.ids} a WHERE NOT EXISTS "
        f"(SELECT 1 FROM {source} h WHERE h.history_id = a.history_id)"
    )
    return int(cursor.fetchone()[0])
