"""How a file was read is shown, and can be changed."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from backoffice.accounts.models import User
from backoffice.exchange.exceptions import FileRefused
from backoffice.exchange.models import ImportJob
from backoffice.exchange.read_as import ReadAs
from backoffice.exchange.services import apply_import, read_again
from inventory.models import Product
from tests.console.pages import page, signed_in

from .books import workbook
from .files import bring, counts, problems, statuses
from .pages import text_of, the_page, upload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_work")]


@pytest.fixture
def client(catalogue_manager: User) -> Client:
    return signed_in(catalogue_manager)


def post(client: Client, job: ImportJob, **said: str) -> Any:
    return client.post(page("exchange_importjob_read", job.pk), said)


def test_the_page_shows_the_first_rows_and_what_was_found(client: Client) -> None:
    upload(client, "Prices of March\n\nsku;name;price\nA;Cup;1,50\n")
    job = ImportJob.objects.get()
    shown = text_of(the_page(client, job))
    assert "UTF-8, semicolon, decimal comma" in shown
    assert "1 Prices of March 3 sku name price 4 A Cup 1,50" in shown
    assert "2 lines above the table are not read." in shown
    assert "found: UTF-8" in shown
    assert 'placeholder="found: semicolon"' in the_page(client, job).content.decode()


def test_a_question_is_asked_and_its_answer_makes_the_rows_valid(client: Client) -> None:
    upload(client, "sku;name;price\nA;Cup;1.250\nB;Mug;7\n")
    job = ImportJob.objects.get()
    assert counts(job) == (1, 0, 0, 1)
    assert "1 number can be read in two ways" in text_of(the_page(client, job))
    response = post(client, job, decimal_sign=",")
    assert response.status_code == 302
    job.refresh_from_db()
    assert (counts(job), job.decimal_sign) == ((2, 0, 0, 0), ",")
    assert "can be read in two ways" not in text_of(the_page(client, job))
    apply_import(job=job, reason="x")
    assert Product.objects.get(sku="A").price == 1250


def test_each_choice_can_be_changed_and_taken_back(client: Client) -> None:
    upload(client, "sku^name^price\nA^Cup^1\n")
    job = ImportJob.objects.get()
    assert job.header == ["sku^name^price"]
    post(client, job, delimiter="^")
    job.refresh_from_db()
    assert (job.header, counts(job)) == (["sku", "name", "price"], (1, 0, 0, 0))
    post(client, job, delimiter="^", has_header="no")
    job.refresh_from_db()
    assert (job.header, job.rows) == (["Column 1", "Column 2", "Column 3"], 2)
    assert (job.state, job.mapping) == (ImportJob.State.UPLOADED, {})
    post(client, job, delimiter="^", header_line="1")
    job.refresh_from_db()
    assert counts(job) == (1, 0, 0, 0)
    post(client, job)
    job.refresh_from_db()
    assert job.header == ["sku^name^price"]


def test_another_sheet_is_chosen_on_the_page(client: Client) -> None:
    header = ["sku", "name", "price"]
    upload(client, workbook(March=[header, ["A", "a", 1]], April=[header, ["B", "b", 2]]), "p.xlsx")
    job = ImportJob.objects.get()
    shown = text_of(the_page(client, job))
    assert "Excel workbook, sheet “March”" in shown
    assert "Sheets: March, April. One is read." in shown
    post(client, job, sheet="April")
    job.refresh_from_db()
    assert (job.sheet, counts(job)) == ("April", (1, 0, 0, 0))
    apply_import(job=job, reason="x")
    assert [p.sku for p in Product.objects.all()] == ["B"]


def test_a_workbook_goes_in_with_its_zeros_numbers_and_errors() -> None:
    header, cut = ["sku", "name", "price", "barcode", "description"], "1.23456789012346E+15"
    job = bring(
        workbook(
            [
                header,
                ["007", "Cup", 12.345, 4006381333931, "#N/A"],
                [42, "Mug", 1.234, "0012345678905", None],
                [(7, "0000"), "Jug", "12,50", None, None],
                [1234567890123456, "Pot", 5, None, None],
                ["B", "Pan", (0.19, "0%"), None, None],
                ["C", "Lid", 5, None, None, "note"],
            ]
        ),
        name="p.xlsx",
    )
    assert job.reading["numerals"]["how"] == "workbook"
    assert [
        (line, value, message.split(". ")[0]) for line, _c, value, message in problems(job)
    ] == [
        (2, "#N/A", "“#N/A” is an error of the spreadsheet, not a value"),
        (4, "12,50", "“12,50” is not written as the other numbers of the file are"),
        (5, cut, f"“{cut}” is what a spreadsheet made of a long number; its digits are lost"),
        (6, "19%", "“19%” is a percentage, not an amount"),
        (7, "", "A cell stands to the right of the last header"),
    ]
    apply_import(job=job, reason="x", valid_rows_only=True)
    product = Product.objects.get()
    assert (product.sku, product.price) == ("42", Decimal("1.234"))
    assert product.barcode == "0012345678905"


@pytest.mark.parametrize("column", ["sku", "barcode", "slug", "brand", "category", "description"])
@pytest.mark.parametrize("cell", ["4.00638E+12", "4,00638E+12", "1.5e+3"])
def test_what_a_spreadsheet_made_of_a_long_number_is_never_stored(column: str, cell: str) -> None:
    row = {"sku": "A", "name": "a", "price": "1", column: cell}
    job = bring(f"{';'.join(row)}\n{';'.join(row.values())}\n")
    assert counts(job) == (0, 0, 0, 1)
    [(_line, _column, value, message)] = problems(job)
    assert value == cell
    assert message.startswith(f"“{cell}” is what a spreadsheet made of a long number; its digits")


def test_a_sku_may_look_like_an_exponent() -> None:
    assert counts(bring("sku,name,price\n1E5,a,1\n4E+12,b,1\n")) == (2, 0, 0, 0)


def test_a_refusal_stands_on_the_form_and_nothing_changes(client: Client) -> None:
    upload(client, "sku,name,price\nA,Änne,1\n")
    job = ImportJob.objects.get()
    for said, told in (
        ({"encoding": "cp1252"}, "The file is UTF-8: as Windows-1252 (Western Europe) its “Ä”"),
        ({"delimiter": "ab"}, "“ab” cannot be a delimiter."),
        ({"delimiter": '"'}, "cannot be a delimiter."),
        ({"header_line": "99"}, "Line 99 cannot begin the table"),
    ):
        assert told in text_of(post(client, job, **said))
        after = ImportJob.objects.get()
        assert (after.header, after.rows, statuses(after)) == (job.header, 1, ["new"])


def test_others_cannot_read_a_file_anew(client: Client, auditor: User) -> None:
    upload(client, "sku,name,price\nA,a,1\n")
    job = ImportJob.objects.get()
    assert post(signed_in(auditor), job, delimiter=";").status_code == 403
    assert client.get(page("exchange_importjob_read", job.pk)).status_code == 404
    assert ImportJob.objects.get().delimiter == ","


def test_doubled_headers_are_shown_and_none_is_taken(client: Client) -> None:
    upload(client, "sku,name,price,Price \nA,a,1,2\n")
    job = ImportJob.objects.get()
    assert job.header == ["sku", "name", "price (3)", "Price (4)"]
    assert set(job.mapping) == {"sku", "name"}
    assert "unless you choose it: price (3), Price (4)." in text_of(the_page(client, job))


def test_what_was_chosen_stays_while_only_signs_change() -> None:
    job = bring("sku;name;uvp\nA;a;1,250\n")
    job.mapping["price"] = 2
    job.save()
    job = read_again(job=job, read_as=ReadAs(decimal_sign="."))
    assert (job.mapping["price"], counts(job)) == (2, (1, 0, 0, 0))
    with pytest.raises(FileRefused):
        read_again(job=job, read_as=ReadAs(encoding="utf-16"))
    job.refresh_from_db()
    assert counts(job) == (1, 0, 0, 0)
