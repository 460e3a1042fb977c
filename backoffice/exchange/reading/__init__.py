"""What a file is (container, encoding, delimiter, header) and its rows, in constant memory.

Nothing is guessed that cannot be told: UTF-8 is proven over the whole file, any other encoding
has a byte order mark or is named by the user. Cells stay text: "007" is "007".
"""

import hashlib
from collections.abc import Collection, Iterator
from itertools import islice
from typing import IO

from django.conf import settings
from django.utils.translation import gettext as _

from backoffice.exchange.exceptions import FileRefused

from .dialect import WORKBOOK, Dialect, Row
from .encodings import ENCODINGS, label_of, proven_encoding
from .headers import find_top
from .text import DELIMITERS, check_delimiter, find_delimiter, records
from .unpacking import Source, Workbook, unpacked

__all__ = [
    "DELIMITERS",
    "ENCODINGS",
    "WORKBOOK",
    "Dialect",
    "Row",
    "Source",
    "Workbook",
    "detect",
    "fingerprint",
    "first_rows",
    "label_of",
    "read_rows",
    "unpacked",
]

_CHUNK = 1 << 20
_SAMPLE_ROWS = 50


def fingerprint(file: IO[bytes]) -> tuple[int, str]:
    """Size in bytes and SHA-256 of a file. Raises FileRefused if it is empty or too large."""
    file.seek(0)
    digest, size = hashlib.sha256(), 0
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
        if size > settings.EXCHANGE_MAX_BYTES:
            raise FileRefused(
                _("The file is larger than %(limit)s MB. Split it, or raise EXCHANGE_MAX_BYTES.")
                % {"limit": settings.EXCHANGE_MAX_BYTES // 10**6}
            )
    if not size:
        raise FileRefused(_("The file is empty. Export it again from where it came."))
    return size, digest.hexdigest()


def detect(
    source: Source,
    encoding: str = "",
    delimiter: str = "",
    *,
    has_header: bool | None = None,
    header_line: int = 0,
    known: Collection[str] = (),
) -> Dialect:
    """Find out how to read what `unpacked` gave; what is said overrules what would be found.

    `known` are normalised names of columns, by which a header is told. Raises FileRefused, with
    the line at fault where there is one.
    """
    separator_line = 0
    sheet = ""
    if isinstance(source, Workbook):
        encoding, delimiter, sheet = WORKBOOK, ",", source.sheet
    else:
        encoding = proven_encoding(source, encoding)
        found, separator_line = find_delimiter(source, encoding)
        delimiter = check_delimiter(delimiter) or found
    sample = list(
        islice(
            (
                row
                for row in _records(source, encoding, delimiter)
                if row.line > separator_line and (row.problem or any(map(str.strip, row.cells)))
            ),
            _SAMPLE_ROWS,
        )
    )
    if not sample:
        raise FileRefused(
            _("The sheet “%(name)s” is empty. Choose another one.") % {"name": sheet}
            if sheet
            else _("The first row, which names the columns, cannot be read. Check its quotes.")
        )
    top = find_top(sample, known=known, has_header=has_header, header_line=header_line)
    if len(top.names) > settings.EXCHANGE_MAX_COLUMNS:
        raise FileRefused(
            _(
                "The file has %(count)d columns; at most %(limit)d can be read. Remove some, "
                "or raise EXCHANGE_MAX_COLUMNS."
            )
            % {"count": len(top.names), "limit": settings.EXCHANGE_MAX_COLUMNS}
        )
    return Dialect(
        encoding,
        delimiter,
        top.names,
        max(top.header_line, separator_line),
        top.has_header,
        sheet,
    )


def read_rows(source: Source, dialect: Dialect) -> Iterator[Row]:
    """The data rows below the header. Blank lines are no rows; a bad row says so and goes on."""
    width, number = len(dialect.header), 0
    longest = settings.EXCHANGE_MAX_CELL_CHARACTERS
    for row in _records(source, dialect.encoding, dialect.delimiter):
        if row.line <= dialect.header_line or (not row.problem and not any(row.cells)):
            continue
        number += 1
        if number > settings.EXCHANGE_MAX_ROWS:
            raise FileRefused(
                _("The file has more than %(limit)d rows. Split it, or raise EXCHANGE_MAX_ROWS.")
                % {"limit": settings.EXCHANGE_MAX_ROWS}
            )
        problem, cells = row.problem, row.cells
        if not problem and len(cells) != width:
            # Empty cells too many at the end are what spreadsheets leave behind.
            if len(cells) > width and not any(cells[width:]):
                cells = cells[:width]
            elif dialect.is_workbook:
                cells = cells + [""] * (width - len(cells))
                problem = "beside_table" if len(cells) > width else ""
            else:
                problem = "too_few_cells" if len(cells) < width else "too_many_cells"
        if not problem and dialect.is_workbook and any(len(cell) > longest for cell in cells):
            problem = "cell_too_long"
        row.number, row.cells, row.problem = number, cells, problem
        yield row


def first_rows(source: Source, dialect: Dialect, count: int) -> list[tuple[int, list[str]]]:
    """(line, cells) of the first rows as they stand in the file, the header and titles included."""
    rows = _records(source, dialect.encoding, dialect.delimiter)
    return [(row.line, row.cells) for row in islice((r for r in rows if any(r.cells)), count)]


def _records(source: Source, encoding: str, delimiter: str) -> Iterator[Row]:
    if isinstance(source, Workbook):
        return (Row(0, line, _trimmed(cells)) for line, cells in source.rows())
    return records(source, encoding, delimiter)


def _trimmed(cells: list[str]) -> list[str]:
    """Without the blank cells at the end, which a sheet has as wide as its widest row."""
    while cells and not cells[-1].strip():
        cells.pop()
    return cells
