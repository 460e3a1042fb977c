"""The rows of a file, all text, in an unlogged table of text columns per job."""

from collections.abc import Iterable
from datetime import timedelta
from typing import IO

from django.db import connection, transaction
from django.db.models.functions import Now

from .models import ImportJob
from .reading import Dialect, Row
from .tuning import tune_for_whole_tables


@transaction.atomic
def stage_rows(job: ImportJob, rows: Iterable[Row], width: int) -> int:
    """COPY the rows into the job's raw table, and return how many there are.

    The table: row_no, line_no, problem (code of a row that could not be read), as_read (all
    cells of such a row), and the cells c0 ... c<width-1>, trimmed, NULL where blank.
    Memory stays flat, whatever the file's size.
    """
    drop_stage(job)
    tune_for_whole_tables()
    columns = [f"c{index}" for index in range(width)]
    blank: list[str | None] = [None] * width
    count = 0
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE UNLOGGED TABLE {job.stage('raw')} (row_no int NOT NULL, line_no int NOT NULL, "
            f"problem text, as_read text[], {', '.join(f'{column} text' for column in columns)})"
        )
        with cursor.copy(
            f"COPY {job.stage('raw')} (row_no, line_no, problem, as_read, {', '.join(columns)}) "
            "FROM STDIN"
        ) as copy:
            write_row = copy.write_row
            for row in rows:
                # Trimmed here: it is cheaper than in SQL, and knows every kind of space.
                cells = [cell.strip() or None for cell in row.cells]
                if row.problem:
                    cells = [*cells, *blank][:width]
                as_read = getattr(row, "as_read", row.cells) if row.problem else None
                write_row((row.number, row.line, row.problem or None, as_read, *cells))
                count += 1
        cursor.execute(f"ALTER TABLE {job.stage('raw')} ADD PRIMARY KEY (row_no)")
        cursor.execute(f"ANALYZE {job.stage('raw')}")
    return count


def drop_stage(job: ImportJob) -> None:
    """Remove all staging tables of a job; it is no error if there are none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('%%I.%%I', schemaname, tablename) FROM pg_tables "
            "WHERE schemaname = 'exchange' AND tablename ~ %s",
            [f"_{job.pk}$"],
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f"DROP TABLE {table}")


def drop_old_stages() -> None:
    """Remove the staging tables of jobs that nobody went on with for a day.

    Nothing is lost by it: the file is kept, and checking it again stages its rows anew.
    """
    waiting = ImportJob.objects.filter(
        state__in=[ImportJob.State.UPLOADED, ImportJob.State.CHECKED],
        created_at__lt=Now() - timedelta(days=1),
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT substring(tablename FROM '_([0-9]+)$')::bigint FROM pg_tables "
            "WHERE schemaname = 'exchange' AND tablename ~ '_[0-9]+$'"
        )
        staged = [number for (number,) in cursor.fetchall()]
    for job in waiting.filter(pk__in=staged):
        drop_stage(job)


def is_staged(job: ImportJob) -> bool:
    """Whether the rows are there; a database crash empties unlogged tables."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [job.stage("raw")])
        (there,) = cursor.fetchone()
        if there and job.rows:
            cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {job.stage('raw')})")
            (there,) = cursor.fetchone()
    return bool(there)


def sample_cells(job: ImportJob, count: int = 3) -> list[list[str]]:
    """For each column of the file, its first cells that are not blank."""
    with connection.cursor() as cursor:
        columns = ", ".join(f"c{index}" for index in range(len(job.header)))
        cursor.execute(f"SELECT {columns} FROM {job.stage('raw')} ORDER BY row_no LIMIT 50")
        rows = cursor.fetchall()
    return [
        list(dict.fromkeys(row[index] for row in rows if row[index]))[:count]
        for index in range(len(job.header))
    ]


def dialect_of(job: ImportJob) -> Dialect:
    header = job.source_header or job.header
    return Dialect(job.encoding, job.delimiter, header, job.header_line, job.has_header, job.sheet)


def open_file(job: ImportJob) -> IO[bytes]:
    return job.file.storage.open(str(job.file.name), "rb")
