"""What is said of a file by its user, and where its table begins."""

import pytest

from .reads import HEADER, ROWS, lines, read, refusal


@pytest.mark.parametrize("name", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_told_by_its_zeros(name: str) -> None:
    for said in ({}, {"encoding": "utf-16"}):
        dialect, rows = read(lines().encode(name), **said)
        assert (dialect.encoding, dialect.header) == (name, HEADER)
        assert [row.cells for row in rows] == ROWS


@pytest.mark.parametrize("name", ["utf-16-le", "utf-16-be"])
def test_letters_whose_zero_stands_on_the_other_side_do_not_hide_it(name: str) -> None:
    content = "sku;name\n1;Āā\n2;Ā\n" + "3;чайник для воды\n" * 200
    dialect, rows = read(content.encode(name))
    assert (dialect.encoding, rows[0].cells) == (name, ["1", "Āā"])


def test_utf_16_whose_order_nothing_tells_is_refused() -> None:
    assert refusal("名前\n品\n".encode("utf-16-le"), encoding="utf-16").startswith(
        "Nothing in the file says in which order its bytes stand"
    )


@pytest.mark.parametrize("name", ["cp1252", "cp1250", "iso-8859-15", "mac_roman"])
def test_an_encoding_that_would_garble_utf_8_is_refused(name: str) -> None:
    assert "The file is UTF-8: as" in refusal(lines(), encoding=name)
    assert read("sku\nA\n", encoding=name)[0].encoding == name  # plain ASCII is everything


def test_latin_1_has_no_euro() -> None:
    assert read("name\nÄnne\n".encode("latin-1"), encoding="latin-1")[1][0].cells == ["Änne"]
    assert refusal("a,b\n1,5 €\n".encode("cp1252"), encoding="latin-1") == (
        "Line 2 has the byte 0x80, which is no sign of Latin-1. Choose Windows-1252, which has "
        "one there."
    )


@pytest.mark.parametrize("delimiter", ["^", "~", " ", "x", ":", "\x1f", "\\t", "tab"])
def test_any_one_sign_can_be_the_delimiter(delimiter: str) -> None:
    sign = "\t" if delimiter in {"\\t", "tab"} else delimiter
    dialect, rows = read(f"a{sign}b\n1{sign}2\n", delimiter=delimiter)
    assert (dialect.header, rows[0].cells) == (["a", "b"], ["1", "2"])


@pytest.mark.parametrize("delimiter", ['"', "\n", "\r", "ab", "\0"])
def test_what_cannot_be_a_delimiter_is_refused(delimiter: str) -> None:
    assert "cannot be a delimiter" in refusal("a,b\n1,2\n", delimiter=delimiter)


def test_line_breaks_of_every_kind_may_be_mixed() -> None:
    _dialect, rows = read("a,b\r\n1,2\n3,4\r5,6\r\n")
    assert [row.cells for row in rows] == [["1", "2"], ["3", "4"], ["5", "6"]]


# Where the table begins, and whether it has a header


@pytest.mark.parametrize(
    "content",
    [
        "1,Cup,2.50\n2,Mug,3.50\n",
        "A,2026-01-01,x\nB,2026-01-02,y\n",
        "x\t{B2B2A0C4-0001-4B7C-9F6D-0123456789AB}\ny\t{B2B2A0C4-0002-4B7C-9F6D-0123456789AB}\n",
        "Cup,€ 2.50\nMug,€ 3.50\n",
    ],
)
def test_a_first_row_of_values_is_data(content: str) -> None:
    dialect, rows = read(content)
    assert (dialect.has_header, dialect.header_line, len(rows)) == (False, 0, 2)
    assert dialect.header == [f"Column {i}" for i in range(1, len(dialect.header) + 1)]


@pytest.mark.parametrize(
    "content",
    [
        "a,b\nx,y\nz,w\n",  # words alone
        "id,name\n1,Cup\n2,Mug\n",
        "article,2024,2025\nCup,5,7\nMug,6,8\n",  # years name columns
        "5,6\n",  # nothing below tells
        "name,1\nx,2\ny,z\n",
    ],
)
def test_a_first_row_that_may_be_a_header_is_one(content: str) -> None:
    assert read(content)[0].has_header


def test_a_name_that_is_known_makes_a_header_of_numbers() -> None:
    assert not read("5,7\n1,2\n")[0].has_header
    assert read("5,7\n1,2\n", known={"5"})[0].has_header


def test_a_title_above_the_table_is_no_header() -> None:
    content = "Price list of March\n\nsku;name;price;stock\nA;a;1;2\nB;b;3;4\n"
    dialect, rows = read(content)
    assert (dialect.delimiter, dialect.header_line, dialect.header[0]) == (";", 3, "sku")
    assert [row.line for row in rows] == [4, 5]
    dialect, _rows = read("Contoso;March\n" + content, known={"sku", "name"})
    assert dialect.header_line == 4


def test_the_user_says_where_the_table_begins() -> None:
    content = "x,y\nfrom,March\nsku,name\nA,a\n"
    dialect, rows = read(content, header_line=3)
    assert (dialect.header, len(rows)) == (["sku", "name"], 1)
    dialect, rows = read(content, header_line=3, has_header=False)
    assert (dialect.header, len(rows)) == (["Column 1", "Column 2"], 2)
    assert refusal(content, header_line=9) == (
        "Line 9 cannot begin the table: it is blank, or too far down."
    )
