"""A file read from memory, and the refusal of one."""

import io
from typing import Any

import pytest

from backoffice.exchange.exceptions import FileRefused
from backoffice.exchange.reading import Dialect, Row, detect, read_rows

HEADER = ["sku", "name", "price"]
ROWS = [["A-1", "Änne’s cup", "1.50"], ["007", "x", "2"]]


def opened(content: str | bytes) -> io.BytesIO:
    return io.BytesIO(content.encode() if isinstance(content, str) else content)


def read(content: str | bytes, **said: Any) -> tuple[Dialect, list[Row]]:
    file = opened(content)
    dialect = detect(file, **said)
    return dialect, list(read_rows(file, dialect))


def lines(delimiter: str = ",", end: str = "\n") -> str:
    return "".join(delimiter.join(cells) + end for cells in [HEADER, *ROWS])


def refusal(content: str | bytes, **said: Any) -> str:
    with pytest.raises(FileRefused) as refused:
        read(content, **said)
    return str(refused.value)
