"""What a text file is (encoding, delimiter, header) and its rows, in constant memory.

Nothing is guessed that cannot be told: UTF-8 is proven over the whole file, any other encoding
has a byte order mark or is named by the user. Cells stay text: "007" is "007".
"""

import codecs
import csv
import hashlib
import io
import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from django.conf import settings
from django.utils.translation import gettext as _

from .exceptions import FileRefused

DELIMITERS = ",;\t|"
# What a user may say a file is, where it is not UTF-8.
ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "cp1252": "Windows-1252 (Western Europe)",
    "cp1250": "Windows-1250 (Central Europe)",
    "iso-8859-15": "ISO 8859-15 (Latin-9)",
    "mac_roman": "Mac OS Roman",
}
_CHUNK = 1 << 20
# Longer than any line that the other limits let through; memory stays flat.
_LONGEST_LINE = 1 << 24
_SAMPLE_LINES = 30
# What spreadsheets write to say their delimiter, and read as no row.
_SEPARATOR_LINE = re.compile(r"sep=[^\w\s\"]\s*|sep=\t\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """How to read a file: what was detected, or what the user said."""

    encoding: str
    delimiter: str
    header: list[str]
    header_line: int


@dataclass(frozen=True)
class Row:
    """One row of the file. `number` counts data rows from 1, `line` the file's lines.

    `problem` is a code of `preview.ROW_PROBLEMS`, or "" for a row that could be read.
    """

    number: int
    line: int
    cells: list[str]
    problem: str = ""


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


def detect(file: IO[bytes], encoding: str = "", delimiter: str = "") -> Dialect:
    """Find out how to read the file; `encoding` and `delimiter` overrule what would be found.

    Raises FileRefused, with the line at fault where there is one.
    """
    encoding = _proven_encoding(file, encoding)
    sample = _first_lines(file, encoding)
    if not sample:
        raise FileRefused(_("The file has no rows: it holds nothing but blank lines."))
    skipped = 0
    if _SEPARATOR_LINE.fullmatch(sample[0]):
        delimiter, skipped = delimiter or sample[0][4], 1
    delimiter = delimiter or _widest_delimiter(sample[skipped:])
    for row in _parsed(file, encoding, delimiter):
        if row.problem:
            break
        if not any(cell.strip() for cell in row.cells):
            continue
        if skipped:  # "sep=;" itself
            skipped = 0
            continue
        header = _named(row.cells)
        if len(header) > settings.EXCHANGE_MAX_COLUMNS:
            raise FileRefused(
                _(
                    "The file has %(count)d columns; at most %(limit)d can be read. Remove some, "
                    "or raise EXCHANGE_MAX_COLUMNS."
                )
                % {"count": len(header), "limit": settings.EXCHANGE_MAX_COLUMNS}
            )
        return Dialect(encoding, delimiter, header, row.line)
    raise FileRefused(
        _("The first row, which names the columns, cannot be read. Check its quotes.")
    )


def read_rows(file: IO[bytes], dialect: Dialect) -> Iterator[Row]:
    """The data rows below the header. Blank lines are no rows; a bad row says so and goes on."""
    width, number = len(dialect.header), 0
    for row in _parsed(file, dialect.encoding, dialect.delimiter):
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
            else:
                problem = "too_few_cells" if len(cells) < width else "too_many_cells"
        yield Row(number, row.line, cells, problem)


def _parsed(file: IO[bytes], encoding: str, delimiter: str) -> Iterator[Row]:
    """Every record of the file, numbered 0. After one that cannot be read comes its next line.

    A quote that is never closed would take all lines below it along; they are read again.
    """
    csv.field_size_limit(settings.EXCHANGE_MAX_CELL_CHARACTERS)
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=encoding, newline="")
    taken: list[str] = []
    again: deque[str] = deque()

    def lines() -> Iterator[str]:
        while line := again.popleft() if again else text.readline(_LONGEST_LINE):
            taken.append(line)
            if len(line) == _LONGEST_LINE:
                while line and line[-1] not in "\r\n":
                    line = text.readline(_LONGEST_LINE)
                raise csv.Error("line larger than field limit")
            yield line

    try:
        reader, number = csv.reader(lines(), delimiter=delimiter, strict=True), 1
        while True:
            taken.clear()
            try:
                row = Row(0, number, next(reader))
            except StopIteration:
                return
            except csv.Error as error:
                too_long = len(taken) == 1 and "field limit" in str(error)
                again.extendleft(reversed(taken[1:]))
                del taken[1:]
                # The line as it stands, so that who corrects it has it all.
                row = (
                    Row(0, number, [], "cell_too_long")
                    if too_long
                    else Row(0, number, taken[:1], "bad_quotes")
                )
                reader = csv.reader(lines(), delimiter=delimiter, strict=True)
            yield row
            number += len(taken)
    finally:
        text.detach()


def _proven_encoding(file: IO[bytes], named: str) -> str:
    if named and named not in ENCODINGS:
        raise FileRefused(
            _("There is no encoding “%(name)s”. Choose one of: %(known)s.")
            % {"name": named, "known": ", ".join(ENCODINGS)}
        )
    file.seek(0)
    start = file.read(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        named = "utf-16"
    elif start.startswith(codecs.BOM_UTF8):
        named = "utf-8"
    elif start.startswith(b"PK\x03\x04"):
        raise FileRefused(
            _("This is a spreadsheet or an archive, not a text file. Save it as CSV (UTF-8).")
        )
    name = named if named and named != "utf-8" else "utf-8-sig"
    decoder = codecs.getincrementaldecoder(name)(errors="strict")
    file.seek(0)
    lines = 1
    while True:
        chunk = file.read(_CHUNK)
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            raise FileRefused(
                _(
                    "Line %(line)d is not %(encoding)s (byte %(byte)s). Save the file as “CSV "
                    "UTF-8”, or choose the encoding that it has."
                )
                % {
                    "line": lines + error.object[: error.start].count(b"\n"),
                    "encoding": ENCODINGS.get(named or "utf-8", named),
                    "byte": f"0x{error.object[error.start]:02X}",
                }
            ) from error
        if "\0" in text:
            raise FileRefused(
                _("Line %(line)d has a NUL character: this is not a text file in %(encoding)s.")
                % {
                    "line": lines + text[: text.index("\0")].count("\n"),
                    "encoding": ENCODINGS.get(named or "utf-8", named),
                }
            )
        if not chunk:
            return name
        lines += text.count("\n")


def _first_lines(file: IO[bytes], encoding: str) -> list[str]:
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=encoding, newline=None)
    try:
        lines = (text.readline(_CHUNK) for _ in range(_SAMPLE_LINES))
        return [line for line in lines if line.strip().strip(DELIMITERS)]
    finally:
        text.detach()


def _widest_delimiter(sample: list[str]) -> str:
    """The delimiter that gives the header, and most rows with it, the same width above one."""

    def votes(delimiter: str) -> tuple[int, int]:
        try:
            widths = [len(cells) for cells in csv.reader(sample, delimiter=delimiter) if cells]
        except csv.Error:
            return (0, 0)
        return (Counter(widths)[widths[0]], widths[0]) if widths and widths[0] > 1 else (0, 0)

    best = max(DELIMITERS, key=votes)
    return best if votes(best) > (0, 0) else ","


def _named(cells: list[str]) -> list[str]:
    """Header names, each unlike the others: a blank or repeated one gets its column's number."""
    names: list[str] = []
    for number, cell in enumerate(cells, start=1):
        name = cell.strip() or _("Column %(number)d") % {"number": number}
        names.append(f"{name} ({number})" if name in names else name)
    return names
