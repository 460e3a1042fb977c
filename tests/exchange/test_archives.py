"""Archives, and what of a workbook is refused before it is parsed."""

import gzip
import io
import zipfile
from typing import Any

import pytest
import xlsxwriter

from .books import HEADER, archive, cells, changed, refusal, workbook


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
