"""Where the table begins in a file, whether its first row is a header, and the columns' names.

All of it is only proposed: the page shows the first rows beside it, and each choice can be changed.
"""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from backoffice.exchange.exceptions import FileRefused

from .dialect import Row

_LINES_BEFORE_THE_TABLE = 20
# Numbers, amounts, dates and identifiers, which name no column.
_VALUE = re.compile(
    r"[€$£]?\s?[-+]?[0-9][0-9.,'  ]*\s?(%|[€$£]|[A-Z]{3})?"
    r"|[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}([ T][0-9:.+Z-]*)?"
    r"|\{?[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}?"
)
# "2025" above numbers is the year that they are of.
_YEAR = re.compile(r"(19|20)[0-9]{2}")


def normalised(header: str) -> str:
    """Headers are compared without regard to case, spaces, punctuation or a byte order mark."""
    return re.sub(r"[\W_]+", "", header.lstrip("\ufeff").casefold())


@dataclass(frozen=True)
class Top:
    """The beginning of the table: its header, and the last line that is none of its data."""

    names: list[str]
    header_line: int
    has_header: bool


def find_top(
    sample: Sequence[Row],
    *,
    known: Collection[str] = (),
    has_header: bool | None = None,
    header_line: int = 0,
) -> Top:
    """Find the header among the first rows that are not blank; `known` are names of columns.

    What the user said of it holds. Raises FileRefused if the header cannot be read.
    """
    if header_line:
        first = next((i for i, row in enumerate(sample) if row.line == header_line), None)
        if first is None:
            raise FileRefused(
                _("Line %(line)d cannot begin the table: it is blank, or too far down.")
                % {"line": header_line}
            )
    else:
        first = _first_row(sample, known)
    row, below = sample[first], sample[first + 1 :]
    if row.problem:
        raise FileRefused(
            _("The first row, which names the columns, cannot be read. Check its quotes.")
        )
    if has_header is None:
        has_header = bool(header_line) or not _is_data(row, below, known)
    if has_header:
        return Top(named(row.cells), row.line, has_header=True)
    widths = Counter(len(r.cells) for r in sample[first:] if not r.problem)
    width = max(widths, key=lambda width: (widths[width], width))
    return Top(named([""] * width), row.line - 1, has_header=False)


def named(cells: Sequence[str]) -> list[str]:
    """Header names, each unlike the others.

    A blank one is called after its column's number. Of those that cannot be told apart each gets
    its number, the first as well: none of them is to be taken for the only one.
    """
    times = Counter(normalised(cell) for cell in cells)
    names: list[str] = []
    for number, cell in enumerate(cells, start=1):
        name = cell.strip()
        if not name:
            name = _("Column %(number)d") % {"number": number}
        elif times[normalised(cell)] > 1:
            name = f"{name} ({number})"
        while name in names:
            name = f"{name} ({number})"
        names.append(name)
    return names


def _first_row(sample: Sequence[Row], known: Collection[str]) -> int:
    """The place of the table's first row: below a title, or at a row of names that are known."""
    top = sample[:_LINES_BEFORE_THE_TABLE]
    if not _known_names(top[0], known):
        for place, row in enumerate(top):
            if _known_names(row, known) >= max(2, _filled(row) / 2):
                return place
    typical = Counter(_filled(row) for row in sample).most_common(1)[0][0]
    place = 0
    if typical >= 3:
        while place < len(top) - 1 and not top[place].problem and _filled(top[place]) == 1:
            place += 1
    return place


def _is_data(row: Row, below: Sequence[Row], known: Collection[str]) -> bool:
    """Whether the first row is like those below it: values where they have nothing but values.

    One column with a word above its values is enough to make it a header, and so is one name that
    is known; files of words alone are taken to have one.
    """
    if _known_names(row, known):
        return False
    found = False
    for index, cell in enumerate(row.cells):
        values = [
            text
            for other in below
            if not other.problem
            and index < len(other.cells)
            and (text := other.cells[index].strip())
        ]
        if not values or not all(map(_VALUE.fullmatch, values)) or not cell.strip():
            continue
        if not _VALUE.fullmatch(cell.strip()):
            return False
        if not _YEAR.fullmatch(cell.strip()) or all(map(_YEAR.fullmatch, values)):
            found = True
    return found


def _filled(row: Row) -> int:
    return sum(1 for cell in row.cells if cell.strip())


def _known_names(row: Row, known: Collection[str]) -> int:
    return sum(1 for cell in row.cells if normalised(cell) in known) if known else 0
