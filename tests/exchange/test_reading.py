"""What a file is found to be, and its rows; nothing here touches the database."""

import hashlib
from typing import Any

import pytest

from backoffice.exchange.exceptions import FileRefused
from backoffice.exchange.reading import detect, fingerprint, read_rows

from .reads import HEADER, ROWS, lines, opened, read, refusal


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_delimiter_and_line_ending_is_found(delimiter: str, end: str) -> None:
    dialect, rows = read(lines(delimiter, end))
    assert (dialect.delimiter, dialect.header) == (delimiter, HEADER)
    assert [(row.number, row.line, row.cells) for row in rows] == [(1, 2, ROWS[0]), (2, 3, ROWS[1])]


def test_a_delimiter_is_voted_for_by_all_rows_not_by_the_header_alone() -> None:
    dialect, rows = read("sku;name;price, net\nA;cup, red;1,50\nB;plate;2,50\n")
    assert dialect.delimiter == ";"
    assert rows[0].cells == ["A", "cup, red", "1,50"]


def test_a_named_delimiter_overrules_what_would_be_found() -> None:
    dialect, _rows = read("a,b|c\n1,2|3\n", delimiter="|")
    assert dialect.header == ["a,b", "c"]


@pytest.mark.parametrize("before", ["", "\n", " \n\n"])
@pytest.mark.parametrize("line", ["sep=;", "SEP=;\r"])
def test_a_spreadsheets_separator_line_is_believed_and_is_no_header(before: str, line: str) -> None:
    dialect, rows = read(f"{before}{line}\n" + lines(";"))
    assert (dialect.delimiter, dialect.header) == (";", HEADER)
    assert [row.cells for row in rows] == ROWS


@pytest.mark.parametrize("line", ['sep="', "sep=x", "sep=", "sep=\n", "sep=;;"])
def test_a_separator_line_that_cannot_be_one_is_a_header_like_any_other(line: str) -> None:
    dialect, _rows = read(f"{line}\n")
    assert dialect.header[0].startswith("sep=")


@pytest.mark.parametrize(
    ("encoded", "encoding"),
    [
        (lines().encode(), "utf-8-sig"),
        (lines().encode("utf-8-sig"), "utf-8-sig"),
        (lines().encode("utf-16"), "utf-16"),
        (b"\xfe\xff" + lines().encode("utf-16-be"), "utf-16"),
        (b"\xff\xfe" + lines().encode("utf-16-le"), "utf-16"),
    ],
)
def test_utf_8_and_byte_order_marks_are_told(encoded: bytes, encoding: str) -> None:
    dialect, rows = read(encoded)
    assert (dialect.encoding, dialect.header) == (encoding, HEADER)
    assert [row.cells for row in rows] == ROWS


def test_another_encoding_is_refused_with_the_line_and_read_once_named() -> None:
    encoded = lines().encode("cp1252")
    assert refusal(encoded) == (
        "Line 2 is not UTF-8 (byte 0xC4). Save the file as “CSV UTF-8”, or choose the encoding "
        "that it has. As Windows-1252 it would read “A-1,Änne’s cup,1.50”."
    )
    dialect, rows = read(encoded, encoding="cp1252")
    assert dialect.encoding == "cp1252"
    assert [row.cells for row in rows] == ROWS


def test_a_bad_byte_far_into_the_file_is_found_with_its_line() -> None:
    encoded = b"sku,name\n" + b"A,aaaaaaaaaaaaaaaa\n" * 200_000 + b"B,\xe4\n"
    assert refusal(encoded).startswith("Line 200002 is not UTF-8 (byte 0xE4).")


def test_a_byte_order_mark_beats_an_encoding_that_somebody_named_by_mistake() -> None:
    dialect, rows = read(lines().encode("utf-8-sig"), encoding="cp1252")
    assert (dialect.encoding, dialect.header) == ("utf-8-sig", HEADER)
    assert rows[0].cells == ROWS[0]


def test_an_encoding_that_does_not_exist_is_refused_with_those_that_do() -> None:
    assert refusal(lines(), encoding="klingon") == (
        "There is no encoding “klingon”. Choose one of: utf-8, utf-16, cp1252, cp1250, "
        "iso-8859-1, iso-8859-15, mac_roman."
    )


def test_half_a_character_at_the_end_is_refused() -> None:
    assert refusal(lines().encode("utf-16") + b"x").startswith("Line 4 is not UTF-16 (byte 0x78).")


def test_quotes_hold_delimiters_line_breaks_and_doubled_quotes() -> None:
    _dialect, rows = read('a,b\n"x, ""y""","1\r\n2\n3"\nu,v\n')
    assert [(row.line, row.cells) for row in rows] == [
        (2, ['x, "y"', "1\r\n2\n3"]),
        (5, ["u", "v"]),
    ]


def test_a_quote_inside_a_cell_is_text() -> None:
    _dialect, rows = read('a,b\n5" pipe,x\n')
    assert [(row.cells, row.problem) for row in rows] == [(['5" pipe', "x"], "")]


def test_text_after_a_closing_quote_is_a_problem_of_its_row_alone() -> None:
    _dialect, rows = read('a,b\n1,2\n"x"y,3\n4,5\n')
    assert [(row.line, row.problem, row.cells) for row in rows] == [
        (2, "", ["1", "2"]),
        (3, "bad_quotes", ['"x"y,3\n']),
        (4, "", ["4", "5"]),
    ]


@pytest.mark.parametrize("below", ["4,5\n6,7\n", '4,"5"\n6,7\n', '"4",5\n6,7\n'])
def test_a_quote_that_is_never_closed_takes_no_other_row_along(below: str) -> None:
    _dialect, rows = read(f'a,b\n1,2\nx,"3\n{below}')
    assert [(row.number, row.line, row.problem) for row in rows] == [
        (1, 2, ""),
        (2, 3, "bad_quotes"),
        (3, 4, ""),
        (4, 5, ""),
    ]
    assert rows[3].cells == ["6", "7"]


def test_a_quote_left_open_at_the_top_of_a_long_file_costs_one_row() -> None:
    _dialect, rows = read('a,b\n"x,1\n' + "y,2\n" * 60_000)
    assert len(rows) == 60_001
    assert [row.line for row in rows if row.problem] == [2]
    assert (rows[-1].number, rows[-1].line) == (60_001, 60_002)


def test_a_header_with_a_broken_quote_is_refused() -> None:
    assert refusal('"a"x,b\n1,2\n') == (
        "The first row, which names the columns, cannot be read. Check its quotes."
    )


def test_a_nul_is_refused_with_its_line() -> None:
    assert refusal("a,b\n1,2\n3,\0\n") == (
        "Line 3 has a NUL character: this is not a text file in UTF-8."
    )


@pytest.mark.parametrize("content", ["\n\n \n\r\n", "\ufeff\n", " ", ",,\n , \n"])
def test_blank_lines_alone_are_no_file(content: str) -> None:
    assert refusal(content) == "The file has no rows: it holds nothing but blank lines."


def test_a_header_alone_has_no_rows() -> None:
    dialect, rows = read("sku,name,price\n")
    assert (dialect.header, rows) == (HEADER, [])


def test_blank_lines_are_no_rows_and_lines_keep_their_numbers() -> None:
    dialect, rows = read("\n \n,,\nsku,name\n\nA,a\n\n\n,\nB,b\n\n")
    assert (dialect.header, dialect.header_line) == (["sku", "name"], 4)
    assert [(row.number, row.line, row.cells) for row in rows] == [
        (1, 6, ["A", "a"]),
        (2, 10, ["B", "b"]),
    ]


def test_ragged_rows_are_told_apart_and_empty_cells_too_many_are_forgiven() -> None:
    _dialect, rows = read("a,b,c\n1,2,3\n1,2\n1,2,3,4\n1,2,3,,,\n1\n")
    assert [(row.line, row.problem) for row in rows] == [
        (2, ""),
        (3, "too_few_cells"),
        (4, "too_many_cells"),
        (5, ""),
        (6, "too_few_cells"),
    ]
    assert rows[3].cells == ["1", "2", "3"]


def test_blank_and_repeated_headers_get_the_number_of_their_column() -> None:
    dialect, _rows = read("a,,a, ,a (3),a\n1,2,3,4,5,6\n")
    assert dialect.header == ["a (1)", "Column 2", "a (3)", "Column 4", "a (3) (5)", "a (6)"]
    assert len(set(dialect.header)) == 6


def test_one_column_needs_no_delimiter() -> None:
    dialect, rows = read("sku\nA\nB\n")
    assert (dialect.header, [row.cells for row in rows]) == (["sku"], [["A"], ["B"]])


def test_nothing_is_taken_for_a_number() -> None:
    _dialect, rows = read("sku,ean\n007,0012345678905\n1E5,NA\n+1,2024-01-02\n")
    assert [row.cells for row in rows] == [
        ["007", "0012345678905"],
        ["1E5", "NA"],
        ["+1", "2024-01-02"],
    ]


def test_reading_twice_gives_the_same() -> None:
    file = opened(lines())
    dialect = detect(file)
    assert list(read_rows(file, dialect)) == list(read_rows(file, dialect))


# The limits: each is named in the refusal.


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(FileRefused, match=r"^The file is empty\. Export it again from where"):
        fingerprint(opened(b""))


def test_a_fingerprint_is_of_the_bytes_wherever_the_file_stands() -> None:
    file = opened(b"abc")
    file.seek(2)
    assert fingerprint(file) == (3, hashlib.sha256(b"abc").hexdigest())


def test_a_file_too_large_is_refused_by_its_limit(settings: Any) -> None:
    settings.EXCHANGE_MAX_BYTES = 3_000_000
    fingerprint(opened(b"x" * 3_000_000))
    with pytest.raises(FileRefused) as refused:
        fingerprint(opened(b"x" * 3_000_001))
    assert str(refused.value) == (
        "The file is larger than 3 MB. Split it, or raise EXCHANGE_MAX_BYTES."
    )


def test_too_many_rows_are_refused_by_their_limit(settings: Any) -> None:
    settings.EXCHANGE_MAX_ROWS = 2
    assert len(read("a\n1\n\n2\n")[1]) == 2
    assert refusal("a\n1\n2\n3\n") == (
        "The file has more than 2 rows. Split it, or raise EXCHANGE_MAX_ROWS."
    )


def test_too_many_columns_are_refused_by_their_limit(settings: Any) -> None:
    settings.EXCHANGE_MAX_COLUMNS = 3
    assert len(read("a,b,c\n")[0].header) == 3
    assert refusal("a,b,c,d\n") == (
        "The file has 4 columns; at most 3 can be read. Remove some, or raise EXCHANGE_MAX_COLUMNS."
    )


def test_a_cell_too_long_is_a_problem_of_its_row(settings: Any) -> None:
    settings.EXCHANGE_MAX_CELL_CHARACTERS = 10
    _dialect, rows = read("a,b\n1234567890,x\n12345678901,x\n2,y\n")
    assert [(row.line, row.problem) for row in rows] == [(2, ""), (3, "cell_too_long"), (4, "")]


def test_a_line_without_end_is_not_held_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backoffice.exchange.reading.text.LONGEST_LINE", 100)
    _dialect, rows = read("a,b\n1,2\n" + "x" * 1_000 + "\n3,4\n" + "y" * 100)
    assert [(row.line, row.problem) for row in rows] == [
        (2, ""),
        (3, "cell_too_long"),
        (4, ""),
        (5, "cell_too_long"),
    ]
