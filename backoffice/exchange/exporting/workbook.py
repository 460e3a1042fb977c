"""Rows as an XLSX workbook, in constant memory: a row is on disk before the next one is read."""

import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any

import xlsxwriter
from django.db import connection, transaction
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from backoffice.exchange.columns import Column
from backoffice.exchange.exceptions import ExportRefused

# What Excel can hold. https://support.microsoft.com/en-us/office/excel-specifications-and-limits
MOST_ROWS = 1_048_575  # and the header
MOST_CHARACTERS = 32_767
MOST_DIGITS = 15
# No XML has these, escaped or not, as a reader gets them back.
_UNWRITABLE = ("\ufffe", "\uffff")

_ROWS_AT_ONCE = 2_000
_BLOCK = 1 << 18
OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def refuse_too_many_rows(count: int) -> None:
    if count > MOST_ROWS:
        raise ExportRefused(
            _(
                "A sheet of Excel holds at most %(most)s rows below its header, and there are "
                "more. Filter the list, or choose CSV."
            )
            % {"most": number_format(MOST_ROWS, force_grouping=True)}
        )


def workbook_blocks(
    selection: str, columns: Sequence[Column], title: str
) -> Generator[tuple[int, bytes]]:
    """The rows that a SELECT finds as a workbook with one sheet, in blocks.

    It is written first, to a file that nobody else can see: raises ExportRefused at once.
    """
    with ExitStack() as stack:
        file = stack.enter_context(tempfile.TemporaryFile())
        count = _write(file, selection, columns, title)
        return _sent(file, count, stack.pop_all())


def _sent(file: IO[bytes], count: int, stack: ExitStack) -> Generator[tuple[int, bytes]]:
    with stack:
        file.seek(0)
        while block := file.read(_BLOCK):
            yield count, block
            count = 0


def _write(file: IO[bytes], selection: str, columns: Sequence[Column], title: str) -> int:
    # Closed whatever happens: it keeps rows in a file of its own until then.
    with xlsxwriter.Workbook(file, OPTIONS) as book:
        sheet = book.add_worksheet(sheet_name(title))
        write_header(book, sheet, [column.name for column in columns])
        formats = {
            date: book.add_format({"num_format": "yyyy-mm-dd"}),
            datetime: book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        }
        number = 0
        # A cursor of the server: the client never holds more than some rows.
        with transaction.atomic(), connection.chunked_cursor() as cursor:
            cursor.execute(selection)
            while rows := cursor.fetchmany(_ROWS_AT_ONCE):
                for row in rows:
                    number += 1
                    for place, value in enumerate(row):
                        if value is not None and value != "":
                            _write_cell(sheet, number, place, value, formats, columns[place])
    return number


def write_header(book: Any, sheet: Any, names: Sequence[str]) -> None:
    """The names of the columns, in bold, and in sight however far one scrolls."""
    bold = book.add_format({"bold": True})
    sheet.freeze_panes(1, 0)
    for place, name in enumerate(names):
        sheet.set_column(place, place, max(12, min(len(name) + 4, 40)))
        sheet.write_string(0, place, name, bold)


def _write_cell(
    sheet: Any, row: int, place: int, value: Any, formats: Mapping[Any, Any], column: Column
) -> None:
    match value:
        case str():
            if len(value) > MOST_CHARACTERS or any(sign in value for sign in _UNWRITABLE):
                raise ExportRefused(_reason(value, row, column))
            sheet.write_string(row, place, value)
        case Decimal() | int() | float():
            # Excel keeps 15 digits; what has more stays whole as text.
            digits = f"{value:f}" if isinstance(value, Decimal) else str(value)
            if sum(sign.isdigit() for sign in digits) > MOST_DIGITS:
                sheet.write_string(row, place, digits)
            else:
                sheet.write_number(row, place, float(value))
        case datetime():
            _write_time(sheet, row, place, value, formats[datetime])
        case date():
            sheet.write_datetime(row, place, value, formats[date])
        case _:
            sheet.write_string(row, place, str(value))


def _write_time(sheet: Any, row: int, place: int, value: datetime, form: Any) -> None:
    """A time of day here; Excel knows no zones, and no more than milliseconds."""
    here = timezone.make_naive(value) if timezone.is_aware(value) else value
    if here.microsecond or (timezone.is_aware(value) and timezone.make_aware(here) != value):
        sheet.write_string(row, place, value.isoformat(sep=" "))
    else:
        sheet.write_datetime(row, place, here, form)


def _reason(value: str, row: int, column: Column) -> str:
    facts = {
        "column": column.label,
        "row": number_format(row, force_grouping=True),
        "most": number_format(MOST_CHARACTERS, force_grouping=True),
    }
    if len(value) > MOST_CHARACTERS:
        why = _(
            "Row %(row)s has more than %(most)s characters in “%(column)s”, which is what a cell "
            "of Excel can hold. Leave that column out, or choose CSV."
        )
    else:
        why = _(
            "Row %(row)s has a sign in “%(column)s” that Excel cannot hold. Leave that column "
            "out, or choose CSV."
        )
    return why % facts


def sheet_name(title: str) -> str:
    """At most 31 characters, none of them among those that Excel keeps for itself."""
    plain = "".join("_" if sign in "[]:*?/\\" else sign for sign in title).strip("' ")
    return plain[:31] or "Sheet"
