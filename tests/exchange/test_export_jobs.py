"""Large exports: written by a worker with the rights of their user, fetched by nobody else."""

import hashlib
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from backoffice.accounts.models import User
from backoffice.accounts.roles import RoleName
from backoffice.audit.models import ChangeSet
from backoffice.exchange.admin.export_tasks import write_now
from backoffice.exchange.exporting.jobs import drop_expired, make_job
from backoffice.exchange.models import ExportJob
from inventory.models import Product
from tests.console.pages import act, page, signed_in
from tests.inventory.factories import make_category, make_product

from .pages import EXPORT, asked_for, export_form, exported_skus, text_of

pytestmark = pytest.mark.django_db

State = ExportJob.State


@pytest.fixture(autouse=True)
def _large_from_two_rows_on(settings: Any) -> None:
    settings.EXCHANGE_BACKGROUND_ROWS = 1


@pytest.fixture
def client(catalogue_manager: User) -> Client:
    return signed_in(catalogue_manager)


@pytest.fixture
def products(db: None) -> list[Product]:
    return [make_product(sku=sku, name=f"Cup {sku}", price=1) for sku in "ABC"]


@pytest.mark.usefixtures("products")
def test_a_large_export_is_written_by_a_worker(client: Client, catalogue_manager: User) -> None:
    response: Any = client.get(EXPORT)
    assert re.search(r"About [\d,]+ products", text_of(response))
    assert "its link is yours alone and works for 7 days" in text_of(response)
    job = asked_for(client)
    assert (job.state, job.user, job.file.name) == (State.WAITING, catalogue_manager, "")
    assert "A worker will take it up in a moment" in text_of(
        client.get(page("exchange_exportjob_change", job.pk))
    )
    write_now(job.pk)
    job.refresh_from_db()
    assert (job.state, job.rows) == (State.DONE, 3)
    response = client.get(page("exchange_exportjob_file", job.pk))
    content = response.getvalue()
    assert (job.size, job.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert job.expires_at is not None
    assert timedelta(days=6.9) < job.expires_at - timezone.now() <= timedelta(days=7)
    shown = text_of(client.get(page("exchange_exportjob_change", job.pk)))
    assert f"SHA-256 {job.sha256}" in shown
    assert "Download" in shown


@pytest.mark.usefixtures("products")
def test_it_is_on_the_record_like_any_other(client: Client, catalogue_manager: User) -> None:
    job = asked_for(client, {"q": "cup"})
    assert not ChangeSet.objects.filter(kind=ChangeSet.Kind.EXPORT).exists()
    write_now(job.pk)
    event = ChangeSet.objects.get(kind=ChangeSet.Kind.EXPORT)
    assert (event.action, event.source) == ("Exported 3 products", "task")
    assert event.actor_id == catalogue_manager.pk
    assert event.reference == f"exchange.exportjob/{job.pk}"
    job.refresh_from_db()
    assert event.facts["sha256"] == job.sha256
    assert event.facts["filter"] == {"q": "cup"}


def test_the_lists_filters_are_replayed_exactly(client: Client, products: list[Product]) -> None:
    kitchen = make_category("Home > Kitchen")
    for product in products[1:]:
        product.category = kitchen
        product.save()
    make_product(sku="D", name="Cup D", category=kitchen, is_active=False)
    query = {
        "q": "CUP", "category__id__exact": str(kitchen.parent_id), "is_active__exact": "1", "o": "1"
    }  # fmt: skip
    job = asked_for(client, query)
    write_now(job.pk)
    assert exported_skus(client, job) == ["B", "C"]


def test_ticked_rows_are_kept_by_their_keys(client: Client, products: list[Product]) -> None:
    asked = act(client, "export_selected", [products[2], products[0]])
    client.post(EXPORT, export_form(asked))
    job = ExportJob.objects.get()
    write_now(job.pk)
    assert exported_skus(client, job) == ["A", "C"]


@pytest.mark.usefixtures("products")
@pytest.mark.parametrize("file_format", ["csv", "xlsx", "jsonl"])
def test_every_format_can_be_written_later(client: Client, file_format: str) -> None:
    job = asked_for(client, file_format=file_format)
    write_now(job.pk)
    job.refresh_from_db()
    assert (job.state, job.rows) == (State.DONE, 3)
    response: Any = client.get(page("exchange_exportjob_file", job.pk))
    assert len(response.getvalue()) == job.size
    assert f'.{file_format}"' in response["Content-Disposition"]


# Whose it is, and for how long


@pytest.mark.usefixtures("products")
def test_nobody_else_gets_the_file(client: Client, administrator: User, auditor: User) -> None:
    job = asked_for(client)
    write_now(job.pk)
    colleague = User.objects.create_user("carl@stockbook.test", is_staff=True)
    colleague.groups.add(Group.objects.get(name=RoleName.CATALOGUE_MANAGER.value))
    for user in (colleague, administrator, auditor):
        other = signed_in(user)
        assert other.get(page("exchange_exportjob_file", job.pk)).status_code == 404
        for name in ("now", "again"):
            assert other.post(page(f"exchange_exportjob_{name}", job.pk)).status_code == 404
    assert signed_in(colleague).get(page("exchange_exportjob_change", job.pk)).status_code == 404
    shown = text_of(signed_in(auditor).get(page("exchange_exportjob_change", job.pk)))
    assert "Only who asked for the file can fetch it." in shown


@pytest.mark.usefixtures("products")
def test_a_file_expires(client: Client) -> None:
    job = asked_for(client)
    write_now(job.pk)
    job.refresh_from_db()
    stored = job.file.path
    ExportJob.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert client.get(page("exchange_exportjob_file", job.pk)).status_code == 404
    assert "The file is no longer kept." in text_of(
        client.get(page("exchange_exportjob_change", job.pk))
    )
    assert job.file.storage.exists(stored)
    drop_expired()
    job.refresh_from_db()
    assert (job.state, job.file.name) == (State.EXPIRED, "")
    assert not job.file.storage.exists(stored)
    assert client.get(page("exchange_exportjob_file", job.pk)).status_code == 404


@pytest.mark.usefixtures("products")
def test_asking_for_an_export_deletes_what_has_expired(client: Client) -> None:
    job = asked_for(client)
    write_now(job.pk)
    ExportJob.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    asked_for(client)
    job.refresh_from_db()
    assert job.state == State.EXPIRED


# What happened since it was asked for


@pytest.mark.usefixtures("products")
def test_who_lost_the_right_gets_nothing(client: Client, catalogue_manager: User) -> None:
    job = asked_for(client)
    role = catalogue_manager.groups.get()
    role.permissions.remove(role.permissions.get(codename="export_product"))
    write_now(job.pk)
    job.refresh_from_db()
    assert (job.state, job.file.name) == (State.FAILED, "")
    assert job.problem == (
        "You may not export these any more. Ask for the right, then export again."
    )
    assert not ChangeSet.objects.filter(kind=ChangeSet.Kind.EXPORT).exists()


@pytest.mark.usefixtures("products")
def test_who_lost_the_right_cannot_fetch_what_was_written_before(
    client: Client, catalogue_manager: User
) -> None:
    job = asked_for(client)
    write_now(job.pk)
    role = catalogue_manager.groups.get()
    role.permissions.remove(role.permissions.get(codename="export_product"))
    assert client.get(page("exchange_exportjob_file", job.pk)).status_code == 403


@pytest.mark.usefixtures("products")
def test_a_column_that_was_hidden_since_is_left_out(
    client: Client, catalogue_manager: User
) -> None:
    job = asked_for(client)
    assert "cost" in job.columns
    role = catalogue_manager.groups.get()
    role.permissions.remove(role.permissions.get(codename="view_cost"))
    write_now(job.pk)
    response: Any = client.get(page("exchange_exportjob_file", job.pk))
    header = response.getvalue().decode("utf-8-sig").splitlines()[0].split(",")
    assert "price" in header
    assert "cost" not in header


def test_a_filter_by_what_is_hidden_now_fails_in_words(catalogue_manager: User) -> None:
    make_product(cost=3)
    role = catalogue_manager.groups.get()
    role.permissions.remove(role.permissions.get(codename="view_cost"))
    job = make_job(
        user=catalogue_manager, resource="products", columns=["sku"], file_format="csv",
        filters={"query": "cost__gte=1"},
    )  # fmt: skip
    write_now(job.pk)
    job.refresh_from_db()
    assert job.state == State.FAILED
    assert job.problem.startswith("The list cannot be filtered like this any more.")


@pytest.mark.usefixtures("products")
def test_somebody_who_was_disabled_gets_nothing(client: Client, catalogue_manager: User) -> None:
    job = asked_for(client)
    User.objects.filter(pk=catalogue_manager.pk).update(is_active=False)
    write_now(job.pk)
    job.refresh_from_db()
    assert job.state == State.FAILED
