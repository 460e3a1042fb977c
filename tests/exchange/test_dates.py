"""Dates of files: any usual order that the file proves or the user says, and no other."""

import datetime as dt
import io
from typing import Any

import pytest

from backoffice.exchange.models import ImportJob
from backoffice.exchange.preview import preview_rows
from backoffice.exchange.read_as import ReadAs
from backoffice.exchange.resources import get_resource
from backoffice.exchange.services import apply_import, start_import
from inventory.models import Discount

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_work")]

UNCLEAR = " can be read as two dates. Say under “Read as” which order the dates have."


def discounts(*cells: str, **said: Any) -> ImportJob:
    """One discount for each date on which it starts."""
    rows = "".join(f"D{number};5;{cell}\n" for number, cell in enumerate(cells))
    return start_import(
        resource="discounts",
        file=io.BytesIO(f"name;value;starts_at\n{rows}".encode()),
        file_name="d.csv",
        user=None,
        read_as=ReadAs(**said),
    )


def starts(*cells: str, **said: Any) -> list[str]:
    job = discounts(*cells, **said)
    assert job.invalid == 0
    apply_import(job=job, reason="x")
    found = Discount.objects.order_by("name").values_list("starts_at", flat=True)
    return [f"{start.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S}" for start in found if start]


def refused(*cells: str, **said: Any) -> list[tuple[str, str]]:
    rows = preview_rows(discounts(*cells, **said), get_resource("discounts"), limit=100)
    return [
        (problem.value, problem.message.removeprefix(f"“{problem.value}”"))
        for row in rows
        for problem in row.problems
    ]


@pytest.fixture(autouse=True)
def _in_utc(settings: Any) -> None:
    settings.TIME_ZONE = "UTC"


@pytest.mark.parametrize(
    ("cell", "start"),
    [
        ("2026-02-13", "2026-02-13 00:00:00"),
        ("2026-2-3", "2026-02-03 00:00:00"),
        ("2026/02/13", "2026-02-13 00:00:00"),
        ("20260213", "2026-02-13 00:00:00"),
        ("13.02.2026", "2026-02-13 00:00:00"),
        ("13/2/2026", "2026-02-13 00:00:00"),
        ("02/13/2026", "2026-02-13 00:00:00"),
        ("5.5.2026", "2026-05-05 00:00:00"),
        ("2026-02-13T10:15:30Z", "2026-02-13 10:15:30"),
        ("2026-02-13 10:15:30.5", "2026-02-13 10:15:30"),
        ("2026-02-13 10:15:00 -0400", "2026-02-13 14:15:00"),
        ("2026-02-13 10:15+01", "2026-02-13 09:15:00"),
        ("13.02.2026 22:05", "2026-02-13 22:05:00"),
        ("02/13/2026 10:05 PM", "2026-02-13 22:05:00"),
    ],
)
def test_a_date_that_only_one_order_explains_is_read(cell: str, start: str) -> None:
    assert starts(cell) == [start]


def test_a_time_without_a_zone_is_of_the_shop(settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    assert starts("2026-07-01 10:00", "2026-07-01 10:00Z", "2026-01-01") == [
        "2026-07-01 08:00:00", "2026-07-01 10:00:00", "2025-12-31 23:00:00",
    ]  # fmt: skip


def test_what_two_orders_explain_is_asked() -> None:
    assert refused("03/04/2026", "2026-01-01", "05.05.2026") == [("03/04/2026", UNCLEAR)]
    assert ImportJob.objects.get().reading["dates"]["how"] == "asked"


def test_one_date_that_proves_the_order_settles_all() -> None:
    assert starts("03.04.2026", "13.04.2026") == ["2026-04-03 00:00:00", "2026-04-13 00:00:00"]
    assert ImportJob.objects.get().date_order == "dmy"


def test_what_the_user_says_settles_it() -> None:
    assert starts("03/04/2026", date_order="mdy") == ["2026-03-04 00:00:00"]
    assert refused("03/04/2026", "13/04/2026", date_order="mdy") == [
        ("13/04/2026", " is no date. Write year, month and day: 2026-02-13."),
    ]


def test_dates_that_contradict_each_other_leave_the_others_to_be_asked() -> None:
    assert refused("13/04/2026", "04/13/2026", "03/04/2026") == [("03/04/2026", UNCLEAR)]


@pytest.mark.parametrize(
    "cell",
    ["2026-02-30", "31.11.2026", "45000", "0000-01-01", "yesterday", "2026-13-01", "13.02.", "now",
     "2026-02-13 25:00", "2026-02-13 10:15 CEST", "13.02/2026 x", "infinity", "00.00.0000"],
)  # fmt: skip
def test_what_is_no_date_is_refused(cell: str) -> None:
    assert refused(cell) == [(cell, " is no date. Write year, month and day: 2026-02-13.")]


def test_a_year_of_two_digits_is_not_completed() -> None:
    assert refused("13.02.26") == [("13.02.26", " has a year of two digits. Write all four.")]
