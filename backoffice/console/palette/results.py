"""What the palette answers."""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Result:
    """One line. `key` names it to the browser, which remembers keys and no titles."""

    title: str
    link: str
    icon: str
    note: str = ""
    key: str = ""


@dataclass(frozen=True, kw_only=True)
class Group:
    """Lines under a heading, and how many more the list holds."""

    title: str
    results: list[Result]
    more: str = ""  # "and 214 more", as a whole sentence
    more_link: str = ""


@dataclass(frozen=True, kw_only=True)
class Answer:
    groups: list[Group] = field(default_factory=list)
    is_similar: bool = False  # nothing has the words that were typed; these are like them
    notes: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        return sum(len(group.results) for group in self.groups)

    @property
    def titles(self) -> list[str]:
        return [result.title for group in self.groups for result in group.results]


def numbered(groups: Iterable[Group]) -> list[tuple[Group, list[tuple[int, Result]], int]]:
    """The groups with the place of each line among all; the last is that of "more", if any."""
    place, found = 0, []
    for group in groups:
        lines = []
        for result in group.results:
            place += 1
            lines.append((place, result))
        if group.more_link:
            place += 1
        found.append((group, lines, place))
    return found
