"""Files that other software writes: recognised by their headers, their rows turned into ours.

A resource lists its formats and, beside them, the files that are taken for one of its own by
mistake. What a format has no home for is counted, never dropped unsaid.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from .reading import Row
from .reading.headers import normalised

# Says of an upload that no format is to be looked for.
PLAIN = "plain"
# The rows of one product in a file. Above that, memory would depend on the file.
LONGEST_GROUP = 5_000

type Cells = Mapping[str, str]


@dataclass(slots=True)
class TranslatedRow(Row):
    """A row of ours; one with a problem keeps the cells of the file, to be given back."""

    as_read: Sequence[str] = ()


class Translation(ABC):
    """One file on its way from the columns of another software to those of a resource.

    `header` names the resource's fields in the order in which `rows` fills them; a name that is
    no field is staged beside them for `settled`.
    """

    header: ClassVar[Sequence[str]]

    def __init__(self, source: Sequence[str]) -> None:
        self.source = list(source)
        self.index: dict[str, int] = {}
        for place, name in enumerate(source):
            self.index.setdefault(normalised(name), place)
        # Column, or column and what of it: how many cells that hold something found no home.
        self.left_out: Counter[str] = Counter()
        # By the names that the translation uses: to normalise each for each row would cost most.
        self._places: dict[str, int] = {}
        self._homeless: list[int] = []
        self._number = 0

    @abstractmethod
    def rows(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows of the file as rows under `header`; each names a line of the user's file."""

    def settled(self, table: str, column: Mapping[str, str]) -> Sequence[str]:
        """SQL over the staged rows for what no row knows by itself, such as a price of others."""
        return ()

    def claim(self, names: Iterable[str]) -> None:
        """Say which columns have a home; the others are counted wherever they hold something."""
        claimed = {self.index.get(normalised(name)) for name in names}
        self._homeless = [place for place in range(len(self.source)) if place not in claimed]

    def leave_out(self, what: str) -> None:
        self.left_out[what] += 1

    def count_homeless(self, row: Row) -> None:
        cells = row.cells
        for place in self._homeless:
            if cells[place] and cells[place].strip():
                self.left_out[self.source[place]] += 1

    def cell(self, row: Row, name: str) -> str:
        """The trimmed cell below this header, "" where the file has no such column."""
        place = self._places.get(name)
        if place is None:
            place = self._places[name] = self.index.get(normalised(name), -1)
        return row.cells[place].strip() if place >= 0 else ""

    def made(self, line: int, cells: Cells) -> Row:
        """A row of ours, for a line of the user's file."""
        self._number += 1
        return Row(self._number, line, [cells.get(name, "") for name in self.header])

    def refused(self, row: Row, problem: str = "") -> Row:
        """A row that cannot become one of ours: for its own problem, or for this one, in words."""
        self._number += 1
        cells = row.cells
        # Given back below our header, it must not fit by chance and pass for a row of ours.
        if len(cells) == len(self.header):
            cells = [*cells, "…"]
        blank = ["" for _name in self.header]
        told = row.problem or f"={problem}"
        return TranslatedRow(self._number, row.line, blank, told, as_read=cells)


class GroupedTranslation(Translation):
    """Several rows make one thing: those that follow each other and have the same handle."""

    @abstractmethod
    def handle(self, row: Row, before: str) -> str:
        """What the rows of one thing have in common; `before` is that of the row above."""

    @abstractmethod
    def things(self, group: Sequence[Row]) -> Iterator[Row]:
        """The rows of ours that the rows of one thing become."""

    def rows(self, rows: Iterable[Row]) -> Iterator[Row]:
        group: list[Row] = []
        unreadable: list[Row] = []
        handle = ""
        for row in rows:
            if row.problem:
                # It may stand among the rows of a thing, and does not end them.
                unreadable.append(row)
                if len(unreadable) < LONGEST_GROUP:
                    continue
            else:
                self.count_homeless(row)
            own = handle if row.problem else self.handle(row, handle)
            if own != handle or not own or len(group) + len(unreadable) >= LONGEST_GROUP:
                yield from self._closed(group, unreadable)
                group, unreadable, handle = [], [], own
            if not row.problem:
                group.append(row)
        yield from self._closed(group, unreadable)

    def _closed(self, group: Sequence[Row], unreadable: Sequence[Row]) -> Iterator[Row]:
        if group:
            yield from self.things(group)
        for row in unreadable:
            yield self.refused(row)


@dataclass(frozen=True)
class SourceFormat:
    """What a software writes: told by its header, whatever the case and order of its columns.

    `needs` are columns that such a file always has, `one_of` those of which it has at least one.
    """

    name: str
    label: Any
    translation: type[Translation]
    needs: frozenset[str]
    one_of: frozenset[str] = frozenset()
    lacks: frozenset[str] = frozenset()

    def recognises(self, header: Collection[str]) -> bool:
        return _has(header, self.needs, self.one_of, self.lacks)


@dataclass(frozen=True)
class ForeignFile:
    """A file of something else that is brought here by mistake, or too early.

    `words` of which it has at least `enough` tell it; `refusal` says what it is, with the columns
    that told it. Unless `always`, a file with a column for our key is believed to be ours.
    """

    words: frozenset[str]
    enough: int
    refusal: Callable[[Sequence[str]], str]
    lacks: frozenset[str] = frozenset()
    always: bool = False

    def told_by(self, header: Sequence[str]) -> list[str]:
        """The columns by which a header is recognised; none if it is not."""
        if not _has(header, frozenset(), frozenset(), self.lacks):
            return []
        found = [name for name in header if normalised(name) in self.words]
        return found if len(found) >= self.enough else []


def _has(
    header: Collection[str], needs: Collection[str], one_of: Collection[str], lacks: Collection[str]
) -> bool:
    names = {normalised(name) for name in header}
    return (
        names.issuperset(map(normalised, needs))
        and (not one_of or not names.isdisjoint(map(normalised, one_of)))
        and names.isdisjoint(map(normalised, lacks))
    )
