"""Files to fill in: with an example that can be imported, and what each column may hold."""

import csv
import io
import zipfile

import pytest
from django.test import Client

from backoffice.accounts.models import User
from backoffice.exchange.compiling import open_columns
from backoffice.exchange.exporting.template_files import template_file
from backoffice.exchange.resources import get_resource, resource_names
from backoffice.exchange.services import start_import
from inventory.models import Discount
from tests.console.pages import page, signed_in

from .files import apply, counts
from .pages import sheet_rows

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_work")]


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
@pytest.mark.parametrize("resource", resource_names())
def test_the_example_can_be_imported_as_it_is(resource: str, file_format: str) -> None:
    declared = get_resource(resource)
    content = template_file(declared, None, file_format)
    job = start_import(
        resource=resource, file=io.BytesIO(content), file_name=f"t.{file_format}", user=None
    )
    assert counts(job) == (1, 0, 0, 0)
    assert job.mapping.keys() == open_columns(declared, None).keys()
    apply(job)
    assert declared.model()._default_manager.count() >= 1


def test_a_workbook_says_what_each_column_may_hold() -> None:
    Discount.objects.create(name="Summer", value=10)
    content = template_file(get_resource("products"), None, "xlsx")
    header, *lines = sheet_rows(content, 1)
    assert header == ["Column", "Field", "New rows need it", "Notes", "Allowed values"]
    about = {line[0]: line[1:] for line in lines}
    assert about["tax_class"][3] == "standard, reduced, zero"
    assert about["is_active"][3] == "yes, no"
    assert about["discount"][3] == "Summer"
    assert about["weight_unit"][3] == "g, kg, oz, lb"
    assert [name for name, line in about.items() if line[1] == "yes"] == ["sku", "name", "price"]
    assert "A number with at most 4 decimals." in about["price"][2]
    assert sheet_rows(content)[1][5] == "0012345678905", "text stays text"


def test_short_lists_can_be_picked_from() -> None:
    content = template_file(get_resource("products"), None, "xlsx")
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
    assert '"standard,reduced,zero"' in sheet
    assert sheet.count('type="list"') >= 4


def test_names_that_a_person_may_not_see_are_not_listed(warehouse: User, outsider: User) -> None:
    Discount.objects.create(name="Secret sale", value=10)
    resource = get_resource("products")
    for user, sees in ((warehouse, True), (outsider, False)):
        lines = sheet_rows(template_file(resource, user, "xlsx"), 1)
        found = next(line for line in lines if line[0] == "discount")
        assert ("Secret sale" in found[4]) is sees


def test_hidden_columns_are_in_no_template_file(seller: User) -> None:
    resource = get_resource("products")
    header = next(
        csv.reader(io.StringIO(template_file(resource, seller, "csv").decode("utf-8-sig")))
    )
    assert "price" in header
    assert "cost" not in header
    workbook = template_file(resource, seller, "xlsx")
    assert "cost" not in [*sheet_rows(workbook)[0], *(line[0] for line in sheet_rows(workbook, 1))]


@pytest.fixture
def seller(catalogue_manager: User) -> User:
    """Who may do everything with products but see what they cost."""
    role = catalogue_manager.groups.get()
    role.permissions.remove(role.permissions.get(codename="view_cost"))
    return catalogue_manager


def test_the_upload_page_links_to_them(catalogue_manager: User) -> None:
    client = signed_in(catalogue_manager)
    shown = client.get(page("inventory_product_import")).content.decode()
    for file_format in ("csv", "xlsx"):
        address = page("inventory_product_template_file", file_format)
        assert f'href="{address}"' in shown
        response = client.get(address)
        assert response.status_code == 200
        assert response["Content-Disposition"] == (
            f'attachment; filename="products-template.{file_format}"'
        )
    assert client.get(page("inventory_product_template_file", "exe")).status_code == 404
    assert client.get(page("inventory_product_template_file", "jsonl")).status_code == 404


def test_who_may_not_import_gets_none(warehouse: User, auditor: User, outsider: User) -> None:
    address = page("inventory_product_template_file", "csv")
    for user in (warehouse, auditor, outsider):
        assert signed_in(user).get(address).status_code == 403
    assert Client().get(address).status_code == 302
