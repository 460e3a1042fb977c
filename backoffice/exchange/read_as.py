"""How a job's file is read: what was found, what the user said instead, and the first rows."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, Self

from .compiling import compile_columns, open_columns
from .dates import settle_dates
from .models import ImportJob
from .numerals import settle_numerals
from .quantities import DateColumn, DecimalColumn
from .reading import Source, Workbook, detect, first_rows
from .reading.headers import normalised
from .resources import Resource
from .translating import choose_format

_ROWS_SHOWN = 10
_CELLS_SHOWN = 60
_CHARACTERS_SHOWN = 60


@dataclass(frozen=True, kw_only=True)
class ReadAs:
    """What is said of how to read a file; what is blank, or None, is found out."""

    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    has_header: bool | None = None
    header_line: int = 0
    decimal_sign: str = ""
    date_order: str = ""
    source_format: str = ""  # PLAIN: that of no other software

    @classmethod
    def of(cls, job: ImportJob) -> Self:
        """What was said when the job's file was read last."""
        return cls.from_choices(job.reading.get("said", {}))

    @classmethod
    def from_choices(cls, choices: Mapping[str, Any]) -> Self:
        """Out of what a profile keeps among other things."""
        return cls(
            **{n: choices[n] for n in cls.__dataclass_fields__ if choices.get(n) is not None}
        )

    def choices(self) -> dict[str, Any]:
        """Only what was said."""
        return {name: value for name, value in asdict(self).items() if value not in ("", None, 0)
                or value is False}  # fmt: skip


FIND_OUT = ReadAs()


def known_names(resource: Resource) -> frozenset[str]:
    """What columns of a file may be called here, as `normalised` has it."""
    names = {
        name
        for column in compile_columns(resource).values()
        for target in column.targets
        for name in (target, column.header, *resource.aliases.get(target, ()))
    }
    for known in resource.formats:
        names |= known.needs | known.one_of
    return frozenset(map(normalised, names))


def put_reading(job: ImportJob, source: Source, resource: Resource, said: ReadAs) -> None:
    """Find out how to read the file and put it on the job, which the caller saves.

    Raises FileRefused.
    """
    dialect = detect(
        source,
        said.encoding,
        said.delimiter,
        has_header=said.has_header,
        header_line=said.header_line,
        known=known_names(resource),
    )
    job.encoding, job.delimiter = dialect.encoding, dialect.delimiter
    choose_format(job, resource, dialect.header, said.source_format)
    job.header_line = dialect.header_line
    job.has_header, job.sheet = dialect.has_header, dialect.sheet
    job.reading = {
        "said": said.choices(),
        "first_rows": [
            [line, [cell[:_CHARACTERS_SHOWN] for cell in islice(cells, _CELLS_SHOWN)]]
            for line, cells in first_rows(source, dialect, _ROWS_SHOWN)
        ],
    }
    if isinstance(source, Workbook):
        job.reading |= {"sheets": source.sheets, "has_decimals": source.has_decimals}


def settle_reading(job: ImportJob, resource: Resource) -> None:
    """Put on the job how its numbers and dates are written; its rows are staged and mapped."""
    columns, said = open_columns(resource, job.user).values(), ReadAs.of(job)
    settle_numerals(job, [c for c in columns if isinstance(c, DecimalColumn)], said.decimal_sign)
    settle_dates(job, [c for c in columns if isinstance(c, DateColumn)], said.date_order)
