"""Workbooks that something went wrong with: a job or a refusal in words, never a traceback."""

import contextlib
import io
import zipfile
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from backoffice.exchange.exceptions import FileRefused
from backoffice.exchange.reading import detect, read_rows, unpacked

from .books import archive, changed, workbook

# Each example starts a process.
FUZZ = settings(max_examples=60, derandomize=True, deadline=None)
GOOD = workbook([["sku", "name", "price"], ["007", "Cup", 12.5], [4006381333931, None, True]])
PARTS = zipfile.ZipFile(io.BytesIO(GOOD)).namelist()


def tried(content: bytes) -> list[list[str]] | None:
    with contextlib.suppress(FileRefused), unpacked(io.BytesIO(content)) as source:
        return [row.cells for row in read_rows(source, detect(source))]
    return None


def test_the_good_one_is_read() -> None:
    assert tried(GOOD) == [["007", "Cup", "12.5"], ["4006381333931", "", "TRUE"]]


@FUZZ
@given(st.data())
def test_bytes_put_in_anywhere(data: Any) -> None:
    content = bytearray(GOOD)
    for _time in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=6))
    tried(bytes(content))


@FUZZ
@given(st.sampled_from(PARTS), st.data())
def test_parts_that_are_cut_changed_or_missing(name: str, data: Any) -> None:
    part = zipfile.ZipFile(io.BytesIO(GOOD)).read(name)
    start, end = sorted(data.draw(st.integers(0, len(part))) for _end in range(2))
    middle = data.draw(
        st.one_of(
            st.binary(max_size=20),
            st.sampled_from([b"", b"<", b'"', b'r="ZZZ9999999"', b's="99"', b't="e"', b"</c>",
                             b"<v>1e400</v>", b"<v>nan</v>", b"&#0;", b"]]>", b"\xff\xfe"]),
        )
    )  # fmt: skip
    tried(
        changed(
            GOOD, {name: data.draw(st.sampled_from([part[:start] + middle + part[end:], None]))}
        )
    )


@FUZZ
@given(st.binary(max_size=200))
def test_any_bytes_that_begin_as_an_archive(rest: bytes) -> None:
    for start in (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b\x08"):
        tried(start + rest)
    tried(archive({"prices.csv": rest}))
    tried(archive({"prices.xlsx": rest}))
