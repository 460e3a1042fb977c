"""History that was copied out and deleted: read back, it is verified as if it were still there."""

import csv
import gzip
from pathlib import Path
from typing import IO, Any

import psycopg
from django.utils.translation import gettext as _

from .canonical import Catalogue, history_tables
from .exceptions import SealError

_PIECE = 1 << 16


def load(cursor: Any, there: Catalogue, table: str, path: Path) -> str:
    """Bring a CSV file with a header, as COPY writes it, into a table of this transaction.

    Returns SQL for the history with what was archived. Rows that are still there count once.
    Raises SealError for a file that is none of this table's.
    """
    if table not in history_tables():
        raise SealError(
            _("%(table)s is no history. Name one of: %(tables)s.")
            % {"table": table, "tables": ", ".join(sorted(history_tables()))}
        )
    known = [name for name, _kind in there.columns[table]]
    archive = f"archived_{table}"
    try:
        with _opened(path) as file:
            header = next(csv.reader([file.readline().decode("utf-8-sig").rstrip("\r\n")]), [])
            if sorted(header) != known:
                raise SealError(
                    _("%(file)s does not begin with the names of the columns of %(table)s.")
                    % {"file": path, "table": table}
                )
            names = ", ".join(f'"{name}"' for name in header)
            cursor.execute(f'CREATE TEMP TABLE "{archive}" (LIKE "{table}") ON COMMIT DROP')
            with cursor.copy(f'COPY pg_temp."{archive}" ({names}) FROM STDIN (FORMAT csv)') as copy:
                while piece := file.read(_PIECE):
                    copy.write(piece)
    except (OSError, EOFError, UnicodeDecodeError, psycopg.Error) as error:
        said = str(error).splitlines()[0]
        raise SealError(
            _("%(file)s cannot be read: %(error)s") % {"file": path, "error": said}
        ) from error
    cursor.execute(
        f'DELETE FROM pg_temp."{archive}" a USING "{table}" h WHERE h.history_id = a.history_id'
    )
    cursor.execute(f'CREATE INDEX ON pg_temp."{archive}" (change_set_id, history_id)')
    cursor.execute(f'ANALYZE pg_temp."{archive}"')
    columns = ", ".join(f'"{name}"' for name in known)
    return f'(SELECT {columns} FROM "{table}" UNION ALL SELECT {columns} FROM pg_temp."{archive}")'


def _opened(path: Path) -> IO[bytes]:
    if path.suffix == ".gz":
        return gzip.open(path)  # type: ignore[return-value]
    return path.open("rb")
