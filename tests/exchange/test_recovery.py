"""A checked file that is read anew, and cannot be, stays as it was, with the reason shown."""

import json
from typing import Any

import pytest
from django.test import Client

from backoffice.accounts.models import User
from backoffice.exchange import background
from backoffice.exchange.models import ImportJob
from backoffice.exchange.read_as import ReadAs
from inventory.models import Product
from tests.console.pages import signed_in

from .files import staging_tables
from .pages import text_of, the_page
from .workers import ROWS, State, apply, checked, run_worker

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _everything_is_large(settings: Any) -> None:
    settings.EXCHANGE_BACKGROUND_BYTES = 10
    settings.EXCHANGE_BACKGROUND_ROWS = 1


@pytest.fixture
def client(catalogue_manager: User) -> Client:
    return signed_in(catalogue_manager)


def facts(job: ImportJob) -> str:
    found = ImportJob.objects.filter(pk=job.pk).values().get()
    return json.dumps(found, default=str, sort_keys=True)


def test_what_a_worker_cannot_read_so_stays_as_it_was(client: Client) -> None:
    job = checked(client)
    before, tables = facts(job), staging_tables()
    # There is nothing below the last line.
    background.read_again(job=job, read_as=ReadAs(header_line=3))
    job.refresh_from_db()
    assert job.state == State.READING
    run_worker()
    assert (facts(job), staging_tables()) == (before, tables)
    assert "The file has a header and no rows below it." in text_of(the_page(client, job))
    apply(client, job)
    run_worker()
    assert Product.objects.count() == 2


def test_a_reading_that_is_cancelled_leaves_the_one_before(client: Client) -> None:
    job = checked(client)
    before = facts(job)
    background.read_again(job=job, read_as=ReadAs(delimiter=";"))
    assert facts(job) != before
    assert background.cancel(job=job)
    assert facts(job) == before


def test_what_can_be_read_anew_is(client: Client) -> None:
    job = checked(client, "note\n" + ROWS)
    background.read_again(job=job, read_as=ReadAs(header_line=3))
    run_worker()
    job.refresh_from_db()
    assert (job.header, job.rows) == (["A", "Cup", "2"], 1)
    assert "before" not in job.reading
