"""Exports without a worker, with one, and after one has died."""

from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections
from django.test import Client

from backoffice.accounts.models import User
from backoffice.exchange.admin.export_tasks import write_now
from backoffice.exchange.exporting.jobs import make_job
from backoffice.exchange.models import ExportJob
from inventory.models import Product
from tests.console.pages import page, said, signed_in
from tests.inventory.factories import make_product
from tests.personas import Persona, make_user

from .pages import asked_for, exported_skus, text_of

pytestmark = pytest.mark.django_db

State = ExportJob.State


@pytest.fixture(autouse=True)
def _large_from_two_rows_on(settings: Any) -> None:
    settings.EXCHANGE_BACKGROUND_ROWS = 1


@pytest.fixture
def client(catalogue_manager: User) -> Client:
    return signed_in(catalogue_manager)


@pytest.fixture
def products(db: None) -> None:
    for sku in "ABC":
        make_product(sku=sku)


def worked_on() -> None:
    """As the worker of the demo does it."""
    call_command("db_worker", "--batch", "--queue-name", "exchange", "--no-startup-delay")


@pytest.mark.usefixtures("products")
def test_without_a_worker_its_user_writes_it_at_once(client: Client) -> None:
    job = asked_for(client)
    assert client.get(page("exchange_exportjob_now", job.pk)).status_code == 404
    response = client.post(page("exchange_exportjob_now", job.pk))
    assert response["Location"] == page("exchange_exportjob_change", job.pk)
    assert exported_skus(client, job) == ["A", "B", "C"]
    stored = ExportJob.objects.get().file.name
    write_now(job.pk)  # the worker comes late
    assert ExportJob.objects.get().file.name == stored


@pytest.mark.usefixtures("products")
def test_what_a_dead_worker_left_is_written_again(client: Client) -> None:
    job = asked_for(client)
    ExportJob.objects.update(state=State.RUNNING)
    shown = text_of(client.get(page("exchange_exportjob_change", job.pk)))
    assert "Whoever wrote the file stopped half-way." in shown
    client.post(page("exchange_exportjob_again", job.pk))
    job.refresh_from_db()
    assert job.state == State.WAITING
    write_now(job.pk)
    assert exported_skus(client, job) == ["A", "B", "C"]


@pytest.mark.django_db(transaction=True)
def test_what_is_being_written_is_not_begun_anew(catalogue_manager: User) -> None:
    make_product()
    client = signed_in(catalogue_manager)
    job = make_job(
        user=catalogue_manager, resource="products", columns=["sku"], file_format="csv", filters={}
    )
    ExportJob.objects.update(state=State.RUNNING)
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_lock(hashtextextended('exchange.exportjob/' || %s, 0))",
                [str(job.pk)],
            )
        shown = text_of(client.get(page("exchange_exportjob_change", job.pk)))
        assert "The rows are being written." in shown
        response = client.post(page("exchange_exportjob_again", job.pk))
        assert said(response) == ["This export is not to be written again. Export the list anew."]
    finally:
        other.close()
    job.refresh_from_db()
    assert job.state == State.RUNNING


@pytest.mark.django_db(transaction=True)
def test_the_worker_takes_it_from_the_queue() -> None:
    for sku in "AB":
        make_product(sku=sku)
    client = signed_in(make_user(Persona.CATALOGUE_MANAGER))
    job = asked_for(client)
    worked_on()
    assert exported_skus(client, job) == ["A", "B"]


@pytest.mark.usefixtures("products")
def test_what_excel_cannot_hold_is_said_in_words(client: Client) -> None:
    Product.objects.filter(sku="B").update(description="x" * 32_768)
    job = asked_for(client, file_format="xlsx")
    write_now(job.pk)
    job.refresh_from_db()
    assert job.problem == (
        "Row 2 has more than 32,767 characters in “Description”, which is what a cell of Excel "
        "can hold. Leave that column out, or choose CSV."
    )
