"""What a card says: whose it is, what it counts, where it leads, and how old its figure may be."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest

from backoffice.accounts.roles import RoleName

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

# How old a figure may be that is costly to count; a worker counts it anew much sooner.
UNHURRIED = 300


def everyone(request: HttpRequest) -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Attention:
    """A number that leads to the list of exactly what it counts.

    It is counted among what the user's own list of `model` holds, and shown to who may see that
    list and is `allowed`. `title` takes the number: `ngettext_lazy("product without a price",
    "products without a price")`. Counted anew once a row of `changed_by` (or of `model`) changed,
    whatever wrote it; `patience` is for how many seconds an old figure will do even so.
    """

    name: str
    title: Any
    icon: str
    model: type[models.Model]
    rows: Callable[[Any], QuerySet]
    query: str | Callable[[], str] = ""
    roles: Sequence[RoleName] = ()
    allowed: Callable[[HttpRequest], bool] = everyone
    changed_by: Sequence[type[models.Model]] = ()
    patience: int = 0
    is_trouble: bool = True  # then 0 is what one would like to see, and nothing is shown
    page: str = "changelist"
    field: str = ""  # a secret field that it is about
    # False if what it counts changes without being recorded: then it is counted each time.
    is_on_record: bool = True


@dataclass(frozen=True, kw_only=True)
class Trend:
    """Numbers by day: how many rows of `model` have their `moment` on each, by `series` if named.

    `link` makes the address of the list of a day's rows (of one value of the series, or of all:
    None) from the first moment of the day and the first of the next.
    """

    name: str
    title: "StrOrPromise"
    model: type[models.Model]
    moment: str
    link: Callable[[datetime, datetime, str | None], str]
    rows: Callable[[Any], QuerySet] = lambda rows: rows
    series: str = ""
    label: Callable[[str], str] = str
    days: int = 14
    roles: Sequence[RoleName] = ()
    allowed: Callable[[HttpRequest], bool] = everyone
    patience: int = UNHURRIED
    empty: "StrOrPromise" = ""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One entry of recent work."""

    title: str
    at: datetime
    link: str = ""
    note: str = ""
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Recent:
    """The latest of something, for who is `allowed`: a few rows by an index, read each time."""

    name: str
    title: "StrOrPromise"
    lines: Callable[[HttpRequest], list[Line]]
    empty: "StrOrPromise"
    allowed: Callable[[HttpRequest], bool]
    link: Callable[[HttpRequest], str] = lambda request: ""
    link_text: "StrOrPromise" = ""
    roles: Sequence[RoleName] = ()
    is_wide: bool = False


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A sentence on how something stands, and whether it is as it should be."""

    name: str
    title: "StrOrPromise"
    text: Callable[[], tuple[str, bool]]
    allowed: Callable[[HttpRequest], bool]
    link: Callable[[HttpRequest], str]
    link_text: "StrOrPromise"
    roles: Sequence[RoleName] = ()


type Card = Attention | Trend | Recent | Notice


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A card of a number, as one user sees it.

    `value` is None while it is counted; `since` is the time of an old one meanwhile.
    """

    title: str
    value: int | None
    since: datetime | None
    link: str
    icon: str
    wanting: bool


@dataclass(frozen=True, kw_only=True)
class Point:
    value: int
    link: str


@dataclass(frozen=True, kw_only=True)
class Day:
    day: date
    total: Point
    points: list[Point]  # one for each series


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A trend as one user sees it: the table of its numbers, and the same as a drawing."""

    name: str
    title: str
    series: list[str]
    days: list[Day]
    total: int
    empty: str
    key: str  # of what it shows: the same for all who see the same numbers
    drawing: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Recent work, or a notice, as one user sees it."""

    name: str
    title: str
    lines: list[Line]
    empty: str
    link: str
    link_text: str
    is_wide: bool = False
    is_wrong: bool = False
