"""The rows that failed, as a file that goes straight back in: the same columns and one for why."""

import csv
import io
import tempfile
from collections.abc import Iterator

from django.core.files import File
from django.db import connection
from django.utils.translation import gettext as _

from .checking import mapped_columns
from .models import ImportJob
from .preview import describe_problems
from .resources import Resource

_CHUNK = 2_000


def write_errors_file(job: ImportJob, resource: Resource) -> None:
    """Put the invalid rows of a planned job into its `errors_file`; the caller saves the job."""
    with tempfile.TemporaryFile() as file:
        text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
        writer = csv.writer(text, delimiter=job.delimiter)
        writer.writerow([*job.header, _("Error")])
        writer.writerows(_failed_rows(job, resource))
        text.flush()
        text.detach()
        file.seek(0)
        job.errors_file.save(f"{job.file_name}.errors.csv", File(file), save=False)


def _failed_rows(job: ImportJob, resource: Resource) -> Iterator[list[str]]:
    columns = ", ".join(f"r.c{index}" for index in range(len(job.header)))
    mapped = mapped_columns(job, resource)
    after = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT p.row_no, p.problems, {columns} FROM {job.stage('plan')} p "
                f"JOIN {job.stage('raw')} r USING (row_no) WHERE p.status = 'invalid' "
                f"AND p.row_no > %s ORDER BY p.row_no LIMIT {_CHUNK}",
                [after],
            )
            rows = cursor.fetchall()
        if not rows:
            return
        after = rows[-1][0]
        for _number, problems, *cells in rows:
            text = {
                name: " > ".join(
                    cells[job.mapping[t]] or "" for t in column.targets if t in job.mapping
                )
                for name, column in mapped.items()
            }
            found = describe_problems(problems, text, resource)
            why = "; ".join(f"{p.column}: {p.message}" if p.column else p.message for p in found)
            yield [*(cell or "" for cell in cells), why]
