"""Each way in which a cell can be wrong, and each value that is right."""

from decimal import Decimal

import pytest

from backoffice.exchange.exceptions import RowsInvalid
from inventory.models import Category, Product
from tests.inventory.factories import make_product

from .files import apply, bring, cells, counts, imported, judged, problems, said, table

pytestmark = pytest.mark.django_db


def test_a_text_in_the_price() -> None:
    assert said("price", "on request") == (
        "“on request” is not a number. Write digits and a decimal point, such as 12.50."
    )


@pytest.mark.parametrize(
    "value",
    ["NaN", "Infinity", "-inf", "1e3", "1E5", "0x10", "--1", ".", "+", "１２", "1_000", "٣", "(5)"],
)  # fmt: skip
def test_what_is_no_plain_number_is_no_price(value: str) -> None:
    assert said("price", value).startswith(f"“{value}” is not a number.")


@pytest.mark.parametrize(
    ("value", "price"),
    [("0", "0"), ("007", "7"), ("+1.5", "1.5"), (".5", "0.5"), ("5.", "5"), ("12.3456", "12.3456"),
     ("1.50000000", "1.5"), ("-0", "0"), ("9999999999.9999", "9999999999.9999")],
)  # fmt: skip
def test_plain_numbers_are_stored_exactly(value: str, price: str) -> None:
    imported(f"sku,name,price\nA,a,{value}\n")
    assert Product.objects.get().price == Decimal(price)


def test_numbers_with_too_many_digits() -> None:
    remedy = "Round it, or have its column rounded by a step."
    assert said("price", "1.23456") == f"“1.23456” has more than 4 decimals. {remedy}"
    assert said("price", "10000000000") == (
        "“10000000000” is too large: at most 10 digits before the point."
    )
    assert said("weight", "1.2345") == f"“1.2345” has more than 3 decimals. {remedy}"


@pytest.mark.parametrize("value", ["9" * 90_000, "0." + "1" * 20_000, "-" + "9" * 49_999])
def test_a_number_that_the_database_cannot_hold_at_all_is_an_error_like_any_other(
    value: str,
) -> None:
    [(_value, message)] = judged("price", value)
    assert message.endswith(f"has {len(value)} characters; at most 100 fit. Shorten it.")


@pytest.mark.parametrize("column", ["price", "cost", "weight"])
def test_a_negative_amount(column: str) -> None:
    assert said(column, "-0.01") == "“-0.01” is below 0, the least that there can be."


def test_texts_too_long() -> None:
    assert said("name", "n" * 300) == (
        f"“{'n' * 57}...” has 300 characters; at most 200 fit. Shorten it."
    )
    assert said("sku", "s" * 65).endswith("has 65 characters; at most 64 fit. Shorten it.")
    assert judged("name", "n" * 200, "ä" * 200) == []


def test_length_is_in_characters_not_in_bytes() -> None:
    assert judged("brand", "🙂" * 100) == []
    assert len(judged("brand", "🙂" * 101)) == 1


@pytest.mark.parametrize("value", ["maybe", "2", "ja", "-1"])
def test_what_is_neither_yes_nor_no(value: str) -> None:
    assert said("is_active", value) == f"“{value}” is neither yes nor no. Write yes or no."


def test_every_word_for_yes_and_no() -> None:
    yes, no = ["1", "TRUE", "t", "Yes", "y", "on"], ["0", "False", "F", "no", "N", "off"]
    rows = [[f"S{i}", f"n{i}", "1", word] for i, word in enumerate(yes + no)]
    imported(table(["sku", "name", "price", "is_active"], *rows))
    assert list(Product.objects.order_by("id").values_list("is_active", flat=True)) == [
        *[True] * 6,
        *[False] * 6,
    ]


def test_an_unknown_tax_class_and_known_ones_in_any_case() -> None:
    assert said("tax_class", "luxury") == "“luxury” is not one of: standard, reduced, zero."
    assert judged("tax_class", "Standard", "REDUCED", "zero") == []


def test_bad_options() -> None:
    for value in ('{"Size": }', '["M", "L"]', '"M"', "3", "null", "Size: M", '{"a": "\\u0000"}',
                  '{"a": {"b": 1}}', '{"a": null}'):  # fmt: skip
        assert said("options", value) == (
            f'“{value}” is no list of names and values, such as {{"Size": "M"}}.'
        )
    assert judged("options", '{"Size": "M"}', "{}", '{"Size": 38}') == []


def test_options_nested_beyond_reason_are_an_error_like_any_other() -> None:
    value = '{"a":' + "[" * 45_000 + "]" * 45_000 + "}"
    assert len(judged("options", value)) == 1


def test_an_unknown_unit_of_weight_and_the_words_for_known_ones() -> None:
    assert said("weight_unit", "stone") == (
        "“stone” is no unit of weight known here. Write g, kg, oz or lb."
    )
    imported(
        table(
            ["sku", "name", "price", "weight_unit"],
            *([f"S{i}", f"n{i}", "1", w] for i, w in enumerate(["Grams", "KG", "ounces", "lbs."])),
        )
    )
    assert list(Product.objects.order_by("id").values_list("weight_unit", flat=True)) == [
        "g", "kg", "oz", "lb",
    ]  # fmt: skip


def test_a_barcode_that_a_spreadsheet_has_ruined() -> None:
    assert said("barcode", "4.00638E+12") == (
        "“4.00638E+12” is what a spreadsheet made of a long number; its digits are lost. Format "
        "the column as text where it came from, and export it again."
    )
    for ruined in ("4E12", "4,00638E+12", "4.00638e12"):
        assert len(judged("barcode", ruined)) == 1
    assert judged("barcode", "0012345678905", "4006381333931", "E12", "4.5") == []


def test_nothing_is_taken_for_a_number_or_a_date() -> None:
    imported(
        "sku,name,price,barcode,brand\n007,1E5,1,0012345678905,NA\n1E5,2024-01-02,1,000,null\n"
    )
    first, second = Product.objects.order_by("id")
    assert (first.sku, first.name, first.barcode, first.brand) == (
        "007", "1E5", "0012345678905", "NA",
    )  # fmt: skip
    assert (second.sku, second.name, second.barcode, second.brand) == (
        "1E5", "2024-01-02", "000", "null",
    )  # fmt: skip


def test_a_slug_with_signs_that_addresses_do_not_have() -> None:
    assert said("slug", "a b") == (
        "“a b”: Enter a valid “slug” consisting of letters, numbers, underscores or hyphens."
    )
    assert judged("slug", "a-b_C-9") == []


@pytest.mark.parametrize("value", ["A\nB", "A\r\nB"])
def test_an_sku_of_two_lines_is_refused_as_the_form_refuses_it(value: str) -> None:
    assert said("sku", value) == f"“{value}”: An SKU has no space around it."


def test_white_space_around_cells_is_not_part_of_them() -> None:
    imported('sku,name,price\n  A ,"\t a  b\u00a0\n", 1.5 \n')
    product = Product.objects.get()
    assert (product.sku, product.name, product.price) == ("A", "a  b", Decimal("1.5"))


def test_what_is_missing_in_a_new_row() -> None:
    job = bring("sku,name,price\n,Cup,1\nA,,1\nB,b,\n")
    assert problems(job) == [
        (2, "SKU", "", "SKU is missing; a new row needs it. Fill it in."),
        (3, "Name", "", "Name is missing; a new row needs it. Fill it in."),
        (4, "Price", "", "Price is missing; a new row needs it. Fill it in."),
    ]


def test_columns_missing_from_the_file_are_missing_in_new_rows_only() -> None:
    make_product(sku="A", price=1)
    job = bring("sku,brand\nA,Acme\nB,Acme\n")
    assert counts(job) == (0, 1, 0, 1)
    assert problems(job) == [
        (3, "Name", "", "Name is missing; a new row needs it. Fill it in."),
        (3, "Price", "", "Price is missing; a new row needs it. Fill it in."),
    ]


def test_a_wrong_price_is_not_called_missing_as_well() -> None:
    assert len(judged("price", "x")) == 1


def test_all_at_once_each_with_its_line_and_nothing_is_written() -> None:
    make_product(sku="LIVE", slug="live")
    job = bring(
        "sku,name,price,cost,is_active,tax_class,options,discount,category,weight_unit,barcode,slug\n"
        f"A,{'n' * 300},x,-1,maybe,luxury,[],Winter,A > A,stone,4E12,a b\n"
        "B,ok,1,1,yes,zero,{},,A > B,kg,123,b\n"
        "C,ragged\n"
        'D,"d"x,1,1,yes,zero,{},,A,kg,1,d\n'
        "E,,,,,,,,,,,live\n"
        "b,dup,1,,,,,,,,,B\n"
    )
    assert counts(job) == (0, 0, 0, 6)
    found = [(line, column) for line, column, _value, _message in problems(job)]
    assert sorted(found) == sorted(
        [
            (2, "Name"), (2, "Price"), (2, "Cost"), (2, "Active"), (2, "Tax class"),
            (2, "Options"), (2, "Discount"), (2, "Category"), (2, "Weight unit"), (2, "Barcode"),
            (2, "Slug"),
            (3, "SKU"), (3, "Slug"),
            (4, ""), (5, ""),
            (6, "Name"), (6, "Price"), (6, "Slug"),
            (7, "SKU"), (7, "Slug"),
        ]
    )  # fmt: skip
    assert all(message for *_rest, message in problems(job))
    with pytest.raises(RowsInvalid) as refused:
        apply(job)
    assert str(refused.value) == (
        "6 rows are invalid, so nothing was written. Correct the file, or choose to import the "
        "valid rows only."
    )
    assert (Product.objects.count(), Category.objects.count()) == (1, 0)


def test_a_wrong_cell_is_shown_as_it_stands_in_the_file() -> None:
    [row] = cells(bring("sku,name,price\nA,a, 1.5O \n"))
    assert row["Price"] == "1.5O"
