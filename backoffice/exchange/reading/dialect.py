"""What a file was found to be, or said to be, and a row of it."""

from dataclasses import dataclass

# What `Dialect.encoding` says of a workbook, whose cells have none.
WORKBOOK = "xlsx"


@dataclass(frozen=True)
class Dialect:
    """How to read a file: what was detected, or what the user said.

    `header_line` is the line of the header; 0 if the file has none, and its columns are
    "Column 1", "Column 2" and so on. `first_line` is the first line that may hold data.
    """

    encoding: str
    delimiter: str
    header: list[str]
    header_line: int
    has_header: bool = True
    sheet: str = ""

    @property
    def is_workbook(self) -> bool:
        return self.encoding == WORKBOOK


@dataclass(slots=True)  # not frozen: there are millions, and a frozen one takes thrice as long
class Row:
    """One row of the file. `number` counts data rows from 1, `line` the file's lines.

    `problem` is a code of `preview.ROW_PROBLEMS`, or "" for a row that could be read.
    """

    number: int
    line: int
    cells: list[str]
    problem: str = ""
