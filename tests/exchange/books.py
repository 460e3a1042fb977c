"""Workbooks and archives made in memory, and read."""

import datetime as dt
import io
import zipfile
from collections.abc import Mapping
from typing import Any

import pytest
import xlsxwriter

from backoffice.exchange.exceptions import FileRefused
from backoffice.exchange.reading import Dialect, Row, detect, read_rows, unpacked

type Sheets = Mapping[str, list[list[Any]]]


def workbook(rows: list[list[Any]] | None = None, **sheets: list[list[Any]]) -> bytes:
    """A workbook as Excel would save it; a cell may be (value, number format)."""
    data = io.BytesIO()
    with xlsxwriter.Workbook(data, {"in_memory": True}) as book:
        for name, cells in ({"Sheet1": rows} if rows is not None else sheets).items():
            sheet = book.add_worksheet(name)
            for row, values in enumerate(cells):
                for column, value in enumerate(values):
                    form = None
                    if isinstance(value, tuple):
                        form = book.add_format({"num_format": value[1]})
                        value = value[0]  # noqa: PLW2901 - what is left of it
                    if isinstance(value, dt.date):
                        sheet.write_datetime(row, column, value, form)
                    elif value is not None:
                        sheet.write(row, column, value, form)
    return data.getvalue()


def changed(content: bytes, parts: Mapping[str, bytes | None]) -> bytes:
    """The archive with parts put in or, where None, left out."""
    data = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(data, "w") as new:
        for name in old.namelist():
            if name not in parts:
                new.writestr(name, old.read(name))
        for name, part in parts.items():
            if part is not None:
                new.writestr(name, part)
    return data.getvalue()


def archive(members: Mapping[str, str | bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return data.getvalue()


def read(content: bytes, sheet: str = "", **said: Any) -> tuple[Dialect, list[Row]]:
    with unpacked(io.BytesIO(content), sheet) as source:
        dialect = detect(source, **said)
        return dialect, list(read_rows(source, dialect))


def cells(content: bytes, **said: Any) -> list[list[str]]:
    return [row.cells for row in read(content, **said)[1]]


def refusal(content: bytes, sheet: str = "") -> str:
    with pytest.raises(FileRefused) as refused:
        read(content, sheet)
    return str(refused.value)


HEADER = ["sku", "name", "price"]
