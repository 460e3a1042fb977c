"""Workbooks and archives: examined, opened in a process of their own, read as they are seen."""

import datetime as dt
import io
import zipfile
from typing import Any

import xlsxwriter

from backoffice.exchange.reading import Workbook, unpacked

from .books import HEADER, cells, changed, read, refusal, workbook

# What is read is what is seen


def test_cells_are_read_as_a_person_reads_them() -> None:
    values: dict[Any, str] = {
        "007": "007",
        "  Änne’s cup\n“blue” ": "  Änne’s cup\n“blue” ",
        4006381333931: "4006381333931",
        12.5: "12.5",
        0.1 + 0.2: "0.3",
        1e-7: "0.0000001",
        -3: "-3",
        True: "TRUE",
        (7, "00000"): "00007",
        (4006381333931, "0000000000000"): "4006381333931",
        (12345678, "0000-0000"): "1234-5678",
        (42, '"SKU-"0000'): "SKU-0042",
        (1234567, "00000"): "1234567",
        (0.19, "0%"): "19%",
        (0.075, "0.0%"): "7.5%",
        (1234.5, "#,##0.00"): "1234.5",
        (12.5, '0.00 "€"'): "12.5",
        (dt.date(2026, 2, 13), "dd.mm.yyyy"): "2026-02-13",
        (dt.datetime(2026, 2, 13, 10, 15), "dd.mm.yyyy hh:mm"): "2026-02-13 10:15:00",  # noqa: DTZ001
        (0.5, "hh:mm"): "12:00:00",
        (1.5, "[h]:mm"): "36:00:00",
        1234567890123456: "1.23456789012346E+15",
    }
    found = cells(workbook([["what"], *[[value] for value in values]]))
    assert [row[0] for row in found] == list(values.values())


def test_the_first_sheet_with_rows_is_read_and_another_can_be_said() -> None:
    content = workbook(Empty=[], Prices=[HEADER, ["A", "a", 1]], Old=[HEADER, ["B", "b", 2]])
    dialect, rows = read(content)
    assert (dialect.sheet, dialect.header, rows[0].cells) == ("Prices", HEADER, ["A", "a", "1"])
    assert cells(content, sheet="Old") == [["B", "b", "2"]]
    with unpacked(io.BytesIO(content)) as source:
        assert isinstance(source, Workbook)
        assert source.sheets == ["Empty", "Prices", "Old"]
    assert refusal(content, "New") == (
        "The workbook has no sheet “New”. Choose one of: Empty, Prices, Old."
    )
    assert refusal(content, "Empty") == "The sheet “Empty” is empty. Choose another one."


def test_lines_are_those_of_the_sheet_and_blank_rows_are_none() -> None:
    dialect, rows = read(workbook([[], ["Price list"], [], HEADER, [], ["A", "a", 1], ["B", "b"]]))
    assert (dialect.header, dialect.header_line) == (HEADER, 4)
    assert [(row.number, row.line, row.cells) for row in rows] == [
        (1, 6, ["A", "a", "1"]),
        (2, 7, ["B", "b", ""]),
    ]


def test_a_table_may_begin_in_any_column() -> None:
    dialect, rows = read(workbook([[None, *HEADER], [None, "A", "a", 1]]))
    assert dialect.header == ["Column 1", *HEADER]
    assert rows[0].cells == ["", "A", "a", "1"]


def test_a_cell_beside_the_table_is_a_problem_of_its_row() -> None:
    _dialect, rows = read(workbook([HEADER, ["A", "a", 1, None, "note"], ["B", "b", 2]]))
    assert [row.problem for row in rows] == ["beside_table", ""]


def test_errors_are_named_and_not_blank() -> None:
    data = io.BytesIO()
    with xlsxwriter.Workbook(data) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["sku", "price"])
        sheet.write_formula(1, 0, "=NA()", None, "#N/A")
        sheet.write_formula(1, 1, "=1/0", None, "#DIV/0!")
        sheet.write_formula(2, 0, '=""', None, "")
        sheet.write_formula(2, 1, "=2+3", None, 5)
    part = "xl/worksheets/sheet1.xml"
    with zipfile.ZipFile(data) as packed:
        xml = packed.read(part)
    # Excel itself says of a formula with an empty text as its result that it is a text.
    told = xml.replace(b'<c r="A3">', b'<c r="A3" t="str">')
    assert told != xml
    assert cells(changed(data.getvalue(), {part: told})) == [["#N/A", "#DIV/0!"], ["", "5"]]
    assert refusal(data.getvalue()) == (
        "Cell A3 has a formula without a result. Open the workbook in a spreadsheet program, "
        "save it, and upload it again."
    )


def test_a_cell_too_long_and_rows_and_columns_too_many_are_refused(settings: Any) -> None:
    settings.EXCHANGE_MAX_CELL_CHARACTERS = 10
    assert [row.problem for row in read(workbook([["a"], ["1234567890"], ["12345678901"]]))[1]] == [
        "", "cell_too_long",
    ]  # fmt: skip
    settings.EXCHANGE_MAX_ROWS, settings.EXCHANGE_MAX_COLUMNS = 1, 2
    assert "EXCHANGE_MAX_ROWS" in refusal(workbook([["a"], ["x"], ["y"]]))
    assert "EXCHANGE_MAX_COLUMNS" in refusal(workbook([["a", "b", "c"], ["x"]]))
