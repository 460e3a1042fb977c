"""The pages of an import, from the file to what it wrote."""

from typing import Any

import pytest
from django.test import Client

from backoffice.accounts.models import User
from backoffice.exchange.models import ImportJob
from inventory.models import Product
from tests.console.pages import page, said, signed_in
from tests.inventory.factories import make_product

from .files import imported, staging_tables
from .pages import UPLOAD, text_of, the_page, upload

pytestmark = pytest.mark.django_db

ROWS = "sku,name,price,note\nA,Cup,2,x\nB,Mug,2,y\nC,Jug,x,z\n"


@pytest.fixture
def client(catalogue_manager: User) -> Client:
    return signed_in(catalogue_manager)


def test_the_whole_way_through_the_pages(client: Client, catalogue_manager: User) -> None:
    make_product(sku="A", name="Cup", price=1)
    make_product(sku="B", name="Mug", price=2)
    response = upload(client, ROWS)
    job = ImportJob.objects.get()
    assert response["Location"] == page("exchange_importjob_change", job.pk)
    assert (job.user, job.file_name, job.size) == (catalogue_manager, "march.csv", len(ROWS))
    shown = text_of(the_page(client, job))
    assert "3 of 4 are imported . Not imported: note" in shown.replace("imported.", "imported .")
    assert "“x” is not a number." in shown
    assert "1.00 2.00" in shown  # old and new

    address = page("exchange_importjob_apply", job.pk)
    response = client.post(address, {"reason": ""})
    assert "Say why: an import needs a reason." in text_of(response)
    response = client.post(address, {"reason": "March", "rows": "all"})
    assert "1 row is invalid, so nothing was written." in text_of(response)
    assert response.context["apply_form"]["reason"].value() == "March"
    assert Product.objects.get(sku="A").price == 1
    response = client.post(address, {"reason": "March", "rows": "valid"})
    assert said(response)[-1] == "march.csv was imported: 1 change."
    assert Product.objects.get(sku="A").price == 2

    job.refresh_from_db()
    assert (job.state, job.reason) == (ImportJob.State.APPLIED, "March")
    done = the_page(client, job)
    assert page("exchange_importjob_errors", job.pk).encode() in done.content
    assert address.encode() not in done.content
    errors: Any = client.get(page("exchange_importjob_errors", job.pk))
    assert errors["Content-Disposition"] == 'attachment; filename="march.csv.errors.csv"'
    assert b"C,Jug,x,z," in b"".join(errors.streaming_content)
    file: Any = client.get(page("exchange_importjob_file", job.pk))
    assert b"".join(file.streaming_content) == ROWS.encode()
    assert file["Content-Type"] == "application/octet-stream"


def test_job_and_change_set_lead_to_each_other(catalogue_manager: User, auditor: User) -> None:
    job = imported("sku,name,price\nA,Cup,1\n", user=catalogue_manager)
    client = signed_in(auditor)
    change_set = page("audit_changeset_change", job.change_set_id)
    assert f'href="{change_set}"' in the_page(client, job).content.decode()
    response = client.get(change_set)
    assert page("exchange_importjob_change", job.pk) in response.content.decode()


def test_columns_are_chosen_by_hand(client: Client) -> None:
    upload(client, "Ref,What,Amount\nA,Cup,1\n")
    job = ImportJob.objects.get()
    assert "No column was recognised as SKU, by which rows are told apart." in text_of(
        the_page(client, job)
    )
    address = page("exchange_importjob_map", job.pk)
    response = client.post(address, {"column_0": "name", "column_1": "name"})
    assert "More than one column goes to “Name”. Choose one of them." in text_of(response)
    response = client.post(address, {"column_1": "name", "column_2": "price"})
    assert "No column is mapped to “SKU”, by which rows are recognised." in text_of(response)
    response = client.post(address, {"column_0": "sku", "column_1": "name", "column_2": "price"})
    assert response.status_code == 302
    job.refresh_from_db()
    assert job.mapping == {"sku": 0, "name": 1, "price": 2}


@pytest.mark.parametrize(
    "forged",
    [
        {"column_0": "created_by"},
        {"column_0": "id"},
        {"column_0": "version"},
        {"column_0": "'; DROP TABLE inventory_product; --"},
        {"column_0": "sku", "column_99": "name"},
        {"column_0": "sku", "column_-1": "name"},
        {"column_0": "sku", "column_x": "name"},
    ],
)
def test_a_forged_choice_of_columns_does_no_more_than_the_form_offers(
    client: Client, forged: dict[str, str]
) -> None:
    upload(client, "Ref,What\nA,Cup\n")
    job = ImportJob.objects.get()
    response = client.post(page("exchange_importjob_map", job.pk), forged)
    assert response.status_code in {200, 302}
    job.refresh_from_db()
    assert job.mapping in ({}, {"sku": 0})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is empty. Export it again."),
        (b"\n \n", "The file has no rows: it holds nothing but blank lines."),
        (b"PK\x03\x04rest", "The file is damaged or not what its first bytes say"),
        (b"sku\nA\xe4\n", "Line 2 is not UTF-8 (byte 0xE4)."),
        (b"sku\nA\0\n", "Line 2 has a NUL character"),
        (b'"sku"x\nA\n', "The first row, which names the columns, cannot be read."),
    ],
)
def test_a_file_that_cannot_be_read_says_why_and_leaves_nothing(
    client: Client, content: bytes, message: str, settings: Any
) -> None:
    response = upload(client, content)
    assert response.status_code == 200
    assert message in text_of(response)
    assert (ImportJob.objects.count(), staging_tables()) == (0, [])
    assert [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()] == []


def test_too_many_rows_leave_nothing_either(client: Client, settings: Any) -> None:
    settings.EXCHANGE_MAX_ROWS = 2
    response = upload(client, ROWS)
    assert "The file has more than 2 rows." in text_of(response)
    assert (ImportJob.objects.count(), staging_tables()) == (0, [])
    assert [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()] == []


def test_a_file_in_another_encoding_goes_in_once_it_is_named(client: Client) -> None:
    content = "sku,name,price\nA,Täßchen,1\n".encode("cp1252")
    assert "choose the encoding that it has" in text_of(upload(client, content))
    assert upload(client, content, encoding="cp1252").status_code == 302
    assert upload(client, content, encoding="rot13").status_code == 200
    assert "Täßchen" in text_of(the_page(client, ImportJob.objects.get()))


def test_a_file_is_wanted(client: Client) -> None:
    response = client.post(UPLOAD, {})
    assert response.status_code == 200
    assert ImportJob.objects.count() == 0


def test_giving_up(client: Client) -> None:
    upload(client, ROWS)
    job = ImportJob.objects.get()
    response = client.post(page("exchange_importjob_discard", job.pk))
    assert said(response) == ["The import was given up. Nothing was written."]
    assert (Product.objects.count(), staging_tables()) == (0, [])
    for name in ("apply", "again", "discard", "map"):
        response = client.post(page(f"exchange_importjob_{name}", job.pk), {"reason": "x"})
        assert response.status_code in {200, 302}
    job.refresh_from_db()
    assert (job.state, Product.objects.count()) == (ImportJob.State.DISCARDED, 0)
    assert the_page(client, job).context["rows"] == []


def test_checking_again_sees_what_changed(client: Client) -> None:
    upload(client, "sku,name,price\nA,Cup,1\n")
    job = ImportJob.objects.get()
    make_product(sku="A", name="Cup", price=1)
    client.post(page("exchange_importjob_again", job.pk))
    job.refresh_from_db()
    assert (job.new, job.unchanged) == (0, 1)
