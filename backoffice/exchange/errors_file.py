"""The rows that were not written, as a file that goes straight back in, with why not."""

import codecs
import csv
import io
import re
import tempfile
from collections.abc import Iterator
from itertools import chain

from django.core.files import File
from django.db import connection
from django.utils.translation import gettext as _

from .checking import cell_text, mapped_columns
from .columns import FORMULA
from .models import ImportJob
from .problems import describe_problems
from .resources import Resource
from .sql import literal

_CHUNK = 2_000


def errors_csv(job: ImportJob, resource: Resource) -> Iterator[bytes]:
    """The invalid rows of a planned job, and the conflicts that are left, with a header and why.

    As UTF-8, in pieces.
    """
    yield codecs.BOM_UTF8
    for row in chain([[*job.header, _("Error")]], _failed_rows(job, resource)):
        line = io.StringIO(newline="")
        csv.writer(line, delimiter=job.delimiter).writerow(row)
        yield line.getvalue().encode()


def write_errors_file(job: ImportJob, resource: Resource) -> None:
    """Put the rows that a planned job leaves into its `errors_file`; the caller saves the job."""
    with tempfile.TemporaryFile() as file:
        file.writelines(errors_csv(job, resource))
        file.seek(0)
        job.errors_file.save(f"{job.file_name}.errors.csv", File(file), save=False)


def _failed_rows(job: ImportJob, resource: Resource) -> Iterator[list[str]]:
    columns = ", ".join(f"r.c{index}" for index in range(len(job.header)))
    mapped = mapped_columns(job, resource)
    # What is wrong is said of the cells as they were checked: after their transformations.
    checked = ", ".join(f"COALESCE({cell_text(job, column)}, '')" for column in mapped.values())
    left = ["invalid", *([] if job.overwrite_conflicts else ["conflict"])]
    conflict = _(
        "Somebody changed this row after the file was exported. Look at what it is now; to "
        "overwrite that, empty the cell of the version."
    )
    after = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT p.row_no, p.status, p.problems, r.as_read, ARRAY[{checked}], "
                f"{columns} FROM {job.stage('plan')} p "
                f"JOIN {job.stage('raw')} r USING (row_no) "
                f"WHERE p.status = ANY({literal(left)}) AND p.row_no > {int(after)} "
                f"ORDER BY p.row_no LIMIT {_CHUNK}"
            )
            rows = cursor.fetchall()
        if not rows:
            return
        after = rows[-1][0]
        for _number, status, problems, as_read, texts, *cells in rows:
            text = dict(zip(mapped, texts, strict=True))
            found = describe_problems(problems, text, resource)
            why = "; ".join(f"{p.column}: {p.message}" if p.column else p.message for p in found)
            why = conflict if status == "conflict" else why
            # A row that could not be read stays as it is: with its reason behind it, it has
            # too few or too many cells again, and so cannot slip through uncorrected.
            yield [*(_guarded(cell or "") for cell in as_read or cells), why]


def _guarded(cell: str) -> str:
    """The cell with a quote before what a spreadsheet would run; importing takes it off."""
    is_number = re.fullmatch(r"[+-]?[0-9]*\.?[0-9]*", cell)
    return f"'{cell}" if re.match(FORMULA, cell) and not is_number else cell
