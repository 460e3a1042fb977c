"""A file to fill in: the header, one example row and, in a workbook, what each column may hold."""

import codecs
import csv
import io
from collections.abc import Mapping
from typing import Any

import xlsxwriter
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from backoffice.exchange.columns import (
    BooleanColumn,
    Column,
    ListColumn,
    PathColumn,
    RelatedColumn,
)
from backoffice.exchange.compiling import open_columns
from backoffice.exchange.models import FileFormat
from backoffice.exchange.quantities import DecimalColumn
from backoffice.exchange.resources import Resource

from .workbook import sheet_name, write_header

# Formats that a person fills in.
FORMATS = (FileFormat.CSV, FileFormat.XLSX)
# As many names of other tables are listed; nobody looks through more.
MOST_NAMES = 200
# What Excel takes for a list beside a cell.
_LONGEST_LIST = 255
_LISTED_ROWS = 10_000


def template_file(resource: Resource, user: Any, file_format: str) -> bytes:
    """The file with the columns that a user may bring in. None is the command line."""
    columns = open_columns(resource, user)
    example = example_row(resource, columns)
    if file_format == FileFormat.XLSX:
        return _workbook(resource, columns, example, user)
    text = io.StringIO(newline="")
    csv.writer(text).writerows([list(columns), [example.get(name, "") for name in columns]])
    return codecs.BOM_UTF8 + text.getvalue().encode()


def example_row(resource: Resource, columns: Mapping[str, Column]) -> dict[str, str]:
    """What the resource declares as its example, for the columns that are there."""
    return {name: text for name, text in resource.example.items() if name in columns}


def allowed_values(column: Column, user: Any) -> list[str]:
    """All that a cell may hold, where that is a list; of other tables what the user may see."""
    if isinstance(column, BooleanColumn):
        return ["yes", "no"]
    if isinstance(column, RelatedColumn):
        options = column.related._meta
        if user is not None and not user.has_perm(f"{options.app_label}.view_{options.model_name}"):
            return []
        key = column.widget.field
        rows = column.related._default_manager.order_by(key).values_list(key, flat=True)
        names = [str(name) for name in rows[: MOST_NAMES + 1]]
        return names if len(names) <= MOST_NAMES else []
    return [str(value) for value, _label in column.model_field.flatchoices or ()]


def _is_closed(resource: Resource, column: Column) -> bool:
    """Whether nothing but the allowed values can stand there."""
    return not isinstance(column, ListColumn) and column.name not in resource.creates


def note(resource: Resource, column: Column) -> str:
    """What to write into a column, in a sentence or two."""
    said = [str(column.help_text)] if column.help_text else []
    if isinstance(column, DecimalColumn):
        places = getattr(column.model_field, "decimal_places", 0)
        said.append(_("A number with at most %(places)d decimals.") % {"places": places})
    elif isinstance(column, PathColumn):
        said.append(_("A path, such as Audio > MP3 players."))
    elif isinstance(column, ListColumn):
        said.append(_("Names, separated by commas."))
    elif limit := getattr(column.model_field, "max_length", None):
        said.append(_("At most %(limit)d characters.") % {"limit": limit})
    if column.name in resource.creates:
        said.append(_("What does not exist is made, if you may add it."))
    return " ".join(said)


def _workbook(
    resource: Resource, columns: Mapping[str, Column], example: Mapping[str, str], user: Any
) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(
        file, {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}
    ) as book:
        # What is typed into a cell of text stays as it is typed, leading zeros and all.
        as_text = book.add_format({"num_format": "@"})
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        options = resource.model()._meta
        rows = book.add_worksheet(sheet_name(str(options.verbose_name_plural)))
        write_header(book, rows, list(columns))
        about = book.add_worksheet(sheet_name(_("What to fill in")))
        write_header(
            book, about,
            [_("Column"), _("Field"), _("New rows need it"), _("Notes"), _("Allowed values")],
        )  # fmt: skip
        about.set_column(0, 2, 20)
        about.set_column(3, 4, 60)
        for place, (name, column) in enumerate(columns.items()):
            is_number = isinstance(column, DecimalColumn)
            width = max(12, min(len(name) + 4, 40))
            rows.set_column(place, place, width, None if is_number else as_text)
            text = example.get(name, "")
            if text and is_number:
                rows.write_number(1, place, float(text))
            elif text:
                rows.write_string(1, place, text, as_text)
            allowed = allowed_values(column, user)
            short = allowed and sum(len(value) + 1 for value in allowed) <= _LONGEST_LIST
            if short and _is_closed(resource, column) and not any("," in v for v in allowed):
                rows.data_validation(
                    1, place, _LISTED_ROWS, place, {"validate": "list", "source": allowed}
                )
            needed = column.default() is None or name == resource.key()
            cells = [
                name, str(capfirst(column.label)), _("yes") if needed else "",
                note(resource, column), ", ".join(allowed),
            ]  # fmt: skip
            for cell, text in enumerate(cells):
                about.write_string(place + 1, cell, text, wrapped)
    return file.getvalue()
