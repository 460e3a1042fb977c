"""What the page of an import says of the software that a file is from."""

from typing import Any

import pytest
from django.test import Client

from backoffice.exchange.models import ImportJob
from backoffice.exchange.working import work
from tests.console.pages import page
from tests.personas import Persona, make_user

from .files import counts
from .pages import text_of, the_page, upload
from .shops import CLASSIC, INVENTORY_LAYOUTS, file_of
from .test_formats import MUG, SHIRT

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(carla: Client) -> ImportJob:
    upload(carla, file_of(CLASSIC, *SHIRT, MUG))
    return ImportJob.objects.get()


@pytest.fixture
def carla(client: Client) -> Client:
    client.force_login(make_user(Persona.CATALOGUE_MANAGER))
    return client


def test_the_page_says_what_was_recognised_and_what_has_no_home(
    carla: Client, job: ImportJob
) -> None:
    text = text_of(the_page(carla, job))
    assert "Recognised as Shopify products" in text
    assert "3 columns are not, or not wholly, imported" in text
    assert "Google Shopping / Gender : not imported (1 cell)" in text
    assert "Variant Inventory Qty : not imported (2 cells)" in text


def test_it_can_be_read_as_a_plain_table_and_back(carla: Client, job: ImportJob) -> None:
    address = page("exchange_importjob_format", job.pk)
    carla.post(address, {"source_format": "plain"})
    text = text_of(the_page(carla, job))
    assert "Read as a plain table, although it has the columns of Shopify products" in text
    job.refresh_from_db()
    assert job.header == CLASSIC
    carla.post(address, {"source_format": "shopify"})
    job.refresh_from_db()
    assert (job.source_format, counts(job)) == ("shopify", (4, 0, 0, 0))


def test_a_large_file_is_read_so_by_a_worker(carla: Client, job: ImportJob, settings: Any) -> None:
    settings.EXCHANGE_BACKGROUND_ROWS = 1
    carla.post(page("exchange_importjob_format", job.pk), {"source_format": "plain"})
    job.refresh_from_db()
    assert (job.state, job.source_format) == (ImportJob.State.READING, "plain")
    assert "Waiting for a worker" in text_of(the_page(carla, job))
    work(job.pk)
    job.refresh_from_db()
    assert (job.state, job.rows, job.header) == (ImportJob.State.CHECKED, 4, CLASSIC)


def test_a_format_that_the_file_has_not_is_refused(carla: Client, job: ImportJob) -> None:
    response = carla.post(
        page("exchange_importjob_format", job.pk), {"source_format": "spree"}, follow=True
    )
    assert "The file has not the columns of this format." in text_of(response)
    job.refresh_from_db()
    assert job.source_format == "shopify"


def test_reading_anew_takes_a_post_by_the_user_of_the_job(carla: Client, job: ImportJob) -> None:
    address = page("exchange_importjob_format", job.pk)
    assert carla.get(address).status_code == 404
    for persona, status in ((Persona.ADMINISTRATOR, 403), (Persona.WAREHOUSE, 403)):
        other = Client()
        other.force_login(make_user(persona))
        assert other.post(address, {"source_format": "plain"}).status_code == status
    job.refresh_from_db()
    assert job.source_format == "shopify"


def test_an_export_of_our_own_is_recognised(carla: Client) -> None:
    upload(carla, "sku,name,price,version\nA-1,Lamp,3,\n")
    text = text_of(the_page(carla, ImportJob.objects.get()))
    assert "Recognised as an export of Stockbook" in text


def test_a_table_of_any_other_kind_is_not_said_to_be_anything(carla: Client) -> None:
    upload(carla, "Product Code,Product Name,Unit Price\nA-1,Lamp,3\n")
    assert "Recognised as" not in text_of(the_page(carla, ImportJob.objects.get()))


def test_an_inventory_file_is_refused_where_it_was_chosen(carla: Client) -> None:
    content = file_of(INVENTORY_LAYOUTS[1], {"Handle": "mug", "Title": "Mug", "SKU": "M-1"})
    text = text_of(upload(carla, content))
    assert "This is a Shopify inventory file: it holds quantities" in text
    assert not ImportJob.objects.exists()
