"""Records out of a text file, in constant memory, and the delimiter between their cells."""

import csv
import io
import re
from collections import Counter, deque
from collections.abc import Iterator
from typing import IO

from django.conf import settings
from django.utils.translation import gettext as _

from backoffice.exchange.exceptions import FileRefused

from .dialect import Row

# Those that are found; any other single sign can be said.
DELIMITERS = ",;\t|"
_CHUNK = 1 << 20
# Longer than any line that the other limits let through; memory stays flat.
LONGEST_LINE = 1 << 24
_SAMPLE_LINES = 50
_LINES_BEFORE_THE_TABLE = 20
# What spreadsheets write to say their delimiter, and read as no row.
_SEPARATOR_LINE = re.compile(r"sep=[^\w\s\"]\s*|sep=\t\s*", re.IGNORECASE)


def records(file: IO[bytes], encoding: str, delimiter: str) -> Iterator[Row]:
    """Every record of the file, numbered 0. After one that cannot be read comes its next line.

    A quote that is never closed would take all lines below it along; they are read again.
    """
    csv.field_size_limit(settings.EXCHANGE_MAX_CELL_CHARACTERS)
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=encoding, newline="")
    taken: list[str] = []
    again: deque[str] = deque()

    def lines() -> Iterator[str]:
        while line := again.popleft() if again else text.readline(LONGEST_LINE):
            taken.append(line)
            if len(line) == LONGEST_LINE:
                while line and line[-1] not in "\r\n":
                    line = text.readline(LONGEST_LINE)
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


def find_delimiter(file: IO[bytes], encoding: str) -> tuple[str, int]:
    """The delimiter, and the line of "sep=;" (0 if there is none). Raises FileRefused if blank."""
    sample = _first_lines(file, encoding)
    if not sample:
        raise FileRefused(_("The file has no rows: it holds nothing but blank lines."))
    number, first = sample[0]
    if _SEPARATOR_LINE.fullmatch(first):
        return first[4], number
    return _widest_delimiter([line for _number, line in sample]), 0


def check_delimiter(delimiter: str) -> str:
    """A delimiter as a user says it. Raises FileRefused unless it is one sign that can be one."""
    delimiter = {"\\t": "\t", "tab": "\t", "TAB": "\t"}.get(delimiter, delimiter)
    if len(delimiter) > 1 or delimiter in {'"', "\r", "\n", "\0"}:
        raise FileRefused(
            _("“%(sign)s” cannot be a delimiter. Give one sign, such as ; or ^, or \\t for a tab.")
            % {"sign": delimiter}
        )
    return delimiter


def _first_lines(file: IO[bytes], encoding: str) -> list[tuple[int, str]]:
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=encoding, newline=None)
    try:
        lines = enumerate((text.readline(_CHUNK) for _ in range(_SAMPLE_LINES)), start=1)
        return [(number, line) for number, line in lines if line.strip().strip(DELIMITERS)]
    finally:
        text.detach()


def _widest_delimiter(sample: list[str]) -> str:
    """The delimiter that gives most rows, from some line near the top on, that line's width."""

    def votes(delimiter: str) -> tuple[int, int]:
        try:
            widths = [len(cells) for cells in csv.reader(sample, delimiter=delimiter) if cells]
        except csv.Error:
            return (0, 0)
        return max(
            (
                (Counter(widths[start:])[width], width)
                for start, width in enumerate(widths[:_LINES_BEFORE_THE_TABLE])
                if width > 1
            ),
            default=(0, 0),
        )

    best = max(DELIMITERS, key=votes)
    return best if votes(best) > (0, 0) else ","
