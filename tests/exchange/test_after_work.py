"""What is left of an import that has ended: what it wrote, its file, its place in the list."""

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from backoffice.accounts.models import User
from backoffice.audit.context import Source, audit_context
from backoffice.audit.undo.services import undo_change_set
from backoffice.exchange.models import ImportJob
from tests.console.pages import page, signed_in
from tests.inventory.factories import make_product

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


def test_the_result_leads_to_what_was_written_and_says_that_it_was_undone(
    client: Client, catalogue_manager: User
) -> None:
    make_product(sku="Z", name="Jug", price=1)
    job = checked(client)
    apply(client, job)
    run_worker()
    job.refresh_from_db()
    shown = the_page(client, job)
    address = f"{page('inventory_product_changelist')}?import={job.pk}"
    assert address in shown.content.decode()
    found = client.get(address).context["cl"].queryset
    assert sorted(found.values_list("sku", flat=True)) == ["A", "B"]
    assert client.get(address.replace(str(job.pk), "999999")).context["cl"].queryset.count() == 0
    assert "was undone" not in text_of(shown)
    assert job.change_set is not None
    with audit_context(source=Source.ADMIN, actor=catalogue_manager):
        undo_change_set(change_set=job.change_set, actor=catalogue_manager, reason="wrong list")
    assert "This import was undone by" in text_of(the_page(client, job))


def test_files_are_kept_for_a_set_time(client: Client, settings: Any) -> None:
    job = checked(client)
    apply(client, job)
    run_worker()
    young, waiting = checked(client, ROWS + "C,Jug,3\n"), checked(client, ROWS + "D,Pot,3\n")
    stored = Path(settings.MEDIA_ROOT) / str(ImportJob.objects.get(pk=job.pk).file.name)
    assert stored.exists()
    old = timezone.now() - timedelta(days=settings.EXCHANGE_KEEP_FILES_DAYS + 1)
    ImportJob.objects.filter(pk__in=[job.pk, waiting.pk]).update(created_at=old)
    said = io.StringIO()
    call_command("exchange_tidy", stdout=said)
    assert "files of 2 imports" in said.getvalue()
    assert not stored.exists()
    assert "The file is kept for a set time, which is over" in text_of(the_page(client, job))
    assert client.get(page("exchange_importjob_file", job.pk)).status_code == 404
    waiting.refresh_from_db()
    assert waiting.state == State.DISCARDED
    assert {name.rpartition("_")[2] for name in staging_tables()} == {str(young.pk)}
    assert young.file.storage.exists(str(young.file.name))


def test_the_list_is_filtered_by_what_who_and_state(client: Client, auditor: User) -> None:
    job = checked(client)
    address = page("exchange_importjob_changelist")
    other = signed_in(auditor)
    for query, count in (
        ("", 1), ("?resource=products", 1), ("?resource=tags", 0), (f"?user={job.user_id}", 1),
        ("?user=999", 0), ("?state__exact=checked", 1), ("?state__exact=applied", 0),
        ("?q=march", 1), ("?q=nothing", 0),
    ):  # fmt: skip
        assert other.get(address + query).context["cl"].result_count == count, query
