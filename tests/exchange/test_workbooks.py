"""Workbooks and archives: examined, opened in a process of their own, read as they are seen."""

import datetime as dt
import gzip
import io
import zipfile
from collections.abc import Mapping
from typing import Any

import pytest
import xlsxwriter

from backoffice.exchange.exceptions import FileRefused
from backoffice.exchange.reading import Dialect, Row, Workbook, detect, read_rows, unpacked

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


# Archives


def test_the_one_table_in_an_archive_is_read() -> None:
    table = "sku;name\nA;Änne\n"
    for content in (
        archive({"prices.csv": table}),
        archive({"folder/prices.TXT": table, "__MACOSX/x": "", "folder/.DS_Store": ""}),
        gzip.compress(table.encode()),
        archive({"prices.xlsx": workbook([["sku", "name"], ["A", "Änne"]])}),
    ):
        assert cells(content) == [["A", "Änne"]]


def test_archives_of_anything_else_are_refused() -> None:
    assert refusal(archive({"a.csv": "x", "b.csv": "y"})) == (
        "The archive holds 2 files (a.csv, b.csv), not exactly one table (CSV or XLSX). Unpack "
        "it, and upload the table itself."
    )
    assert refusal(archive({"a.exe": "x"})).startswith("The archive holds 1 files (a.exe)")
    assert refusal(archive({})).startswith("The archive holds 0 files (none)")
    nested = (
        "There is a file packed inside the file. Take it out, or save the table as CSV (UTF-8)."
    )
    assert refusal(archive({"a.csv": archive({"b.csv": "x"})})) == nested
    assert refusal(gzip.compress(gzip.compress(b"sku\nA\n"))) == nested


@pytest.mark.parametrize(
    ("start", "told"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "This is an old Excel workbook (.xls), or one with"),
        (b"%PDF-1.7", "This is a PDF"),
        (b"\x89PNG\r\n", "This is a picture"),
        (b"\xff\xd8\xff\xe0", "This is a picture"),
        (b"Rar!\x1a", "This is an archive that is not opened here."),
        (b"7z\xbc\xaf\x27", "This is an archive that is not opened here."),
        (b"PK\x03\x04", "The file is damaged"),
        (b"PK\x03\x04" + bytes(range(256)), "The file is damaged"),
        (b"\x1f\x8b", "The file is damaged"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\0xxxx", "The file is damaged"),
    ],
)
def test_other_files_are_told_by_how_they_begin(start: bytes, told: str) -> None:
    assert refusal(start).startswith(told)


def test_a_text_may_begin_with_the_letters_of_an_archive() -> None:
    assert cells(b"PK,name\nA,a\n") == [["A", "a"]]


# What is refused before it is parsed


@pytest.mark.parametrize(
    ("name", "part", "told"),
    [
        ("xl/vbaProject.bin", b"x", "The workbook has macros"),
        ("xl/macrosheets/sheet1.xml", b"<x/>", "The workbook has macros"),
        ("xl/externalLinks/externalLink1.xml", b"<x/>", "The workbook has links to other workb"),
        ("xl/embeddings/oleObject1.bin", b"x", "There is a file packed inside the file."),
        ("xl/media/prices.zip", b"x", "There is a file packed inside the file."),
        ("xl/theme/x.xml", b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a/>',
         "The workbook has a document type (DOCTYPE)"),
        ("xl/theme/y.xml", "<a/>".encode("utf-16"), "The file is damaged"),
        ("xl/workbook.bin", b"x", "This is a binary workbook (.xlsb)."),
    ],
)  # fmt: skip
def test_what_no_price_list_needs_is_not_let_in(name: str, part: bytes, told: str) -> None:
    content = changed(workbook([HEADER, ["A", "a", 1]]), {name: part})
    assert refusal(content).startswith(told)


def test_a_sheet_that_claims_more_cells_than_memory_holds_is_not_parsed() -> None:
    part = "xl/worksheets/sheet1.xml"
    content = workbook([HEADER, ["A", "a", 1]])
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        xml = packed.read(part).replace(b'ref="A1:C2"', b'ref="A1:XFD1048576"')
    assert refusal(changed(content, {part: xml})) == (
        "The sheet says that it has 1048576 rows and 16384 columns. Delete the empty rows and "
        "columns around the table, or raise EXCHANGE_WORKER_BYTES."
    )


def test_a_small_file_that_needs_gigabytes_ends_its_own_process_alone(settings: Any) -> None:
    """Two cells at opposite corners: the parser lays out all that is between them."""
    settings.EXCHANGE_WORKER_BYTES = 512 * 1024**2
    data = io.BytesIO()
    with xlsxwriter.Workbook(data) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "sku")
        sheet.write(1_048_575, 16_383, "x")
    part = "xl/worksheets/sheet1.xml"
    with zipfile.ZipFile(data) as packed:
        xml = packed.read(part).replace(b'ref="A1:XFD1048576"', b'ref="A1:B2"')
    content = changed(data.getvalue(), {part: xml})
    assert len(content) < 20_000
    assert refusal(content) == (
        "To open the file takes more memory than 512.0 MB. Save the sheet as CSV (UTF-8), or "
        "raise EXCHANGE_WORKER_BYTES."
    )


def test_a_process_that_takes_too_long_is_ended(settings: Any) -> None:
    settings.EXCHANGE_WORKER_SECONDS = 1
    rows = [[f"S{number}", "x" * 30, number / 7] for number in range(150_000)]
    assert refusal(workbook([HEADER, *rows])).startswith(
        "To open the file takes longer than 1 seconds."
    )


def test_a_bomb_is_told_by_its_directory_or_ends_at_the_limit(settings: Any) -> None:
    bomb = archive({"a.csv": b"0" * 20_000_000})
    assert "at most 200 times is let through" in refusal(bomb)
    settings.EXCHANGE_MAX_BYTES = 1_000_000
    assert refusal(bomb).startswith("Unpacked, the file is larger than 976.6 KB.")
    assert refusal(gzip.compress(b"0" * 2_000_000)).startswith("Unpacked, the file is larger")
    # The directory says 10 bytes, and there are many more.
    lying = bytearray(archive({"a.csv": b"sku\n" + b"0" * 2_000_000}))
    at = lying.rindex(b"PK\x01\x02") + 24
    lying[at : at + 4] = (10).to_bytes(4, "little")
    assert refusal(bytes(lying)).startswith("The file is damaged")


def test_too_many_files_and_passwords_and_odd_packing_are_refused(settings: Any) -> None:
    settings.EXCHANGE_ARCHIVE_MAX_FILES = 2
    assert "EXCHANGE_ARCHIVE_MAX_FILES" in refusal(archive({"a.csv": "", "b.csv": "", "c.csv": ""}))
    locked = bytearray(archive({"a.csv": "sku\nA\n"}))
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    assert refusal(bytes(locked)).startswith("The file is protected by a password.")
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_LZMA) as packed:
        packed.writestr("a.csv", "sku\nA\n")
    assert refusal(data.getvalue()).startswith("The archive is packed in a way")
