"""The rows that are invalid: refused together, or left out and given back."""

import csv

import pytest

from backoffice.exchange.errors_file import write_errors_file
from backoffice.exchange.exceptions import RowsInvalid
from backoffice.exchange.models import ImportJob
from backoffice.exchange.resources import get_resource
from inventory.models import Product

from .choosing import brought
from .files import apply, bring, counts, imported, table

pytestmark = pytest.mark.django_db

BAD = (
    'sku,name,price,note\nA,Cup,1,x\nB,Mug,free,=1+1\nC,Jug,3,y\n,Pot,4,z\nD,"Pan, flat",-1,\n'
    "E,Lid\nF,Pin,6,u\n"
)


NUMBER = "Write digits and a decimal point, such as 12.50."
CELLS = "Add the missing delimiters, or put text that has line breaks into quotes."


def test_nothing_is_written_unless_all_rows_are_valid() -> None:
    job = bring(BAD)
    with pytest.raises(RowsInvalid) as refused:
        apply(job)
    assert refused.value.count == 4
    assert (Product.objects.count(), Product.history.count()) == (0, 0)
    job.refresh_from_db()
    assert (job.state, job.change_set_id) == (ImportJob.State.CHECKED, None)
    with pytest.raises(RowsInvalid) as one:
        apply(bring("sku,name,price\nA,a,x\n"))
    assert str(one.value).startswith("1 row is invalid, so nothing was written.")


def test_valid_rows_go_in_and_the_others_come_back_with_reasons() -> None:
    job = imported(BAD, valid_rows_only=True)
    assert counts(job) == (3, 0, 0, 4)
    assert list(Product.objects.order_by("sku").values_list("sku", flat=True)) == ["A", "C", "F"]
    with job.errors_file.open() as file:
        content = file.read().decode("utf-8-sig")
    assert list(csv.reader(content.splitlines())) == [
        ["sku", "name", "price", "note", "Error"],
        ["B", "Mug", "free", "'=1+1", f"Price: “free” is not a number. {NUMBER}"],
        ["", "Pot", "4", "z", "SKU: SKU is missing; a new row needs it. Fill it in."],
        ["D", "Pan, flat", "-1", "", "Price: “-1” is below 0, the least that there can be."],
        # As it was, with its reason behind it: still too short, so still invalid.
        ["E", "Lid", f"The row has fewer cells than the header. {CELLS}"],
    ]


def test_the_rows_that_failed_go_back_in_once_corrected() -> None:
    job = imported(BAD, valid_rows_only=True)
    with job.errors_file.open() as file:
        content = file.read().decode("utf-8-sig")
    again = bring(content)
    assert counts(again) == (0, 0, 0, 4)
    assert "Error" not in again.mapping
    corrected = (
        content.replace("free", "2").replace("\n,Pot", "\nP,Pot").replace("-1", "5")
        .replace("E,Lid,", "E,Lid,7,,")
    )  # fmt: skip
    assert counts(imported(corrected)) == (4, 0, 0, 0)
    assert Product.objects.count() == 7


def test_a_row_with_a_broken_quote_comes_back_whole() -> None:
    job = imported('sku,name,price\nA,"C"up,1\nB,b,2\n', valid_rows_only=True)
    with job.errors_file.open() as file:
        content = file.read().decode("utf-8-sig")
    assert 'A,""C""up,1' in content


def test_the_file_of_failed_rows_keeps_the_delimiter_and_every_row() -> None:
    rows = [[f"S{number}", "n", "x"] for number in range(4_500)]
    job = bring(table(["sku", "name", "price"], *rows, delimiter=";"))
    write_errors_file(job, get_resource("products"))
    with job.errors_file.open() as file:
        lines = file.read().decode("utf-8-sig").splitlines()
    assert (len(lines), lines[0]) == (4_501, "sku;name;price;Error")
    assert [lines[1][:3], lines[-1][:6]] == ["S0;", "S4499;"]


def test_a_file_of_invalid_rows_alone_writes_nothing() -> None:
    job = imported("sku,name,price\nA,a,x\nB,b,y\n", valid_rows_only=True)
    assert (counts(job), Product.objects.count()) == ((0, 0, 0, 2), 0)
    assert job.errors_file


def test_a_value_for_every_row_may_have_a_percent_sign() -> None:
    job = brought("sku,name,price\nA,a,x\n", constants={"brand": "100% wool"})
    write_errors_file(job, get_resource("products"))
    with job.errors_file.open() as file:
        assert file.read().decode("utf-8-sig").splitlines()[1].startswith("A,a,x,")
