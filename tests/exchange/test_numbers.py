"""Numbers as files write them: what is stored is what a person reads, or the file is asked."""

from decimal import Decimal
from typing import Any

import pytest

from backoffice.exchange.models import ImportJob
from inventory.models import Product

from .files import apply, bring, counts, imported, problems, table

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_work")]

UNCLEAR = (
    " may be more than a thousand, or a number with decimals. Say under “Read as” which decimal "
    "sign the file has."
)
OTHER_SIGN = (
    " is not written as the other numbers of the file are. Correct it, or say under “Read as” "
    "which decimal sign the file has."
)


def prices(*cells: str, **said: str) -> ImportJob:
    rows = [[f"S{number}", "x", cell] for number, cell in enumerate(cells)]
    return bring(table(["sku", "name", "price"], *rows, delimiter=";"), **said)


def stored(*cells: str, **said: str) -> list[Decimal]:
    job = prices(*cells, **said)
    assert job.invalid == 0
    apply(job)
    return list(Product.objects.order_by("sku").values_list("price", flat=True))


def refused(*cells: str, **said: str) -> list[tuple[str, str]]:
    return [
        (value, message.removeprefix(f"“{value}”"))
        for _line, _column, value, message in problems(prices(*cells, **said))
    ]


@pytest.mark.parametrize(
    ("cell", "sign", "value"),
    [
        ("12,5", ",", "12.5"),
        ("1.234,50", ",", "1234.5"),
        ("1.234.567", ",", "1234567"),
        ("0,125", ",", "0.125"),
        ("1234,567", ",", "1234.567"),
        ("1 234,567", ",", "1234.567"),
        ("1'234,5", ",", "1234.5"),
        ("12.5", ".", "12.5"),
        ("1,234.50", ".", "1234.5"),
        ("1,234,567", ".", "1234567"),
        ("0.125", ".", "0.125"),
        (".5", ".", "0.5"),
        ("1’234.50", ".", "1234.5"),
        ("1\u202f234.50", ".", "1234.5"),
        ("1\u00a0234,50", ",", "1234.5"),
        ("€ 12,50", ",", "12.5"),
        ("12.50 EUR", ".", "12.5"),
        ("$1,299.00", ".", "1299"),
        ("12,50\u00a0€", ",", "12.5"),
        ("CHF 1'299.00", ".", "1299"),
        ("12,50 Kč", ",", "12.5"),
        ("+3.5", ".", "3.5"),
    ],
)
def test_a_number_that_proves_its_sign_is_read_as_a_person_reads_it(
    cell: str, sign: str, value: str, settings: Any
) -> None:
    settings.CURRENCY = {"$": "USD", "C": "CHF", "č": "CZK"}.get(
        cell[-1] if cell[-1] == "č" else cell[0], "EUR"
    )
    assert stored(cell) == [Decimal(value)]
    assert ImportJob.objects.get().decimal_sign == sign


@pytest.mark.parametrize(
    "cell", ["$12.50", "12,50 USD", "£ 3", "CHF 5", "kr 100", "12.50 Fr.", "-$4", "€ 12 USD"]
)
def test_an_amount_in_another_currency_is_refused(cell: str) -> None:
    [(value, message)] = refused(cell, "5")
    assert value == cell
    assert message.startswith(" is in another currency than the shop's (EUR).")


@pytest.mark.parametrize("cell", ["1,234", "1.234", "999,000", "€ 1.234", "1,234 EUR"])
def test_what_can_be_read_in_two_ways_is_asked(cell: str) -> None:
    job = prices(cell, "5", "1200")
    assert (job.reading["numerals"]["how"], counts(job)) == ("asked", (2, 0, 0, 1))
    assert [m for *_rest, m in problems(job)] == [f"“{cell}”{UNCLEAR}"]


@pytest.mark.parametrize(
    ("cell", "sign", "value"),
    [
        ("1,234", ",", "1.234"),
        ("1,234", ".", "1234"),
        ("1.234", ",", "1234"),
        ("1.234", ".", "1.234"),
    ],
)
def test_what_the_user_says_settles_it(cell: str, sign: str, value: str) -> None:
    assert stored(cell, decimal_sign=sign) == [Decimal(value)]


def test_one_proof_anywhere_in_the_file_settles_all_of_it() -> None:
    assert stored("1.234", "1.000", "7,5") == [Decimal(1234), Decimal(1000), Decimal("7.5")]


def test_a_proof_in_another_column_of_numbers_counts() -> None:
    imported("sku;name;price;weight\nA;a;1.234;0,5\n")
    product = Product.objects.get()
    assert (product.price, product.weight) == (Decimal(1234), Decimal("0.5"))


def test_numbers_without_any_sign_need_no_answer() -> None:
    assert stored("5", "1200", "+7") == [Decimal(5), Decimal(1200), Decimal(7)]


def test_a_file_with_both_signs_believes_only_what_is_clear() -> None:
    assert refused("1.50", "2.50", "3,5", "1,234", "4.75", "1.234") == [
        ("3,5", OTHER_SIGN),
        ("1,234", UNCLEAR),
        ("1.234", UNCLEAR),
    ]
    job = ImportJob.objects.get()
    assert (job.decimal_sign, job.reading["numerals"]["how"]) == (".", "mixed")


@pytest.mark.parametrize(
    "cell",
    ["1.2.3", "12,34.5", "1,23,456", "abc", "1e5", "NaN", "12.-", "12,-", "(12.50)", "1 2", "1,,5",
     "€", "12 PCS", "1.5E+3", "--5", "0,125.5", "1 234.567 8"],
)  # fmt: skip
def test_what_is_no_number_is_refused_with_what_to_write(cell: str) -> None:
    [(value, message)] = refused("7.5", cell)
    assert value == cell
    assert message in {
        " is not a number. Write digits and a decimal point, such as 12.50.", OTHER_SIGN,
    }  # fmt: skip


def test_a_percentage_is_no_amount() -> None:
    assert refused("19%", "7.5 %") == [
        (cell, " is a percentage, not an amount. Write the amount.") for cell in ("19%", "7.5 %")
    ]


@pytest.mark.parametrize("cell", ["12.50-", "-12.50", "−12.50", "- 12.50", "€ -12.50", "12.50 −"])
def test_a_minus_is_seen_wherever_it_stands(cell: str) -> None:
    [(_value, message)] = refused(cell)
    assert message.startswith(" is below 0")


def test_a_group_that_begins_with_zero_is_none() -> None:
    """“0,125” is an eighth; with a decimal point it is refused, and is not 125."""
    assert refused("0,125", "7.5", "8.5") == [("0,125", OTHER_SIGN)]


def test_a_point_in_a_file_with_a_decimal_comma_is_refused_unless_it_makes_a_group() -> None:
    assert refused("1,50", "2,5", "3,75", "12.50", "1234.567") == [
        ("12.50", OTHER_SIGN), ("1234.567", OTHER_SIGN),
    ]  # fmt: skip
    assert refused("12.50", "1,50", decimal_sign=",") == [("12.50", OTHER_SIGN)]
