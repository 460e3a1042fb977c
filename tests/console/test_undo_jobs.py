"""Undos of many rows, which a worker carries out."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client

from backoffice.accounts.models import User
from backoffice.accounts.notifications.models import Notification
from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import ChangeSet
from backoffice.audit.undo.services import undone_by
from backoffice.console.bulk import jobs
from backoffice.console.bulk.working import work
from backoffice.console.models import BulkJob
from inventory.models import Product
from tests.console.pages import page, said, signed_in
from tests.inventory.factories import make_product

pytestmark = pytest.mark.django_db
State = BulkJob.State


@pytest.fixture(autouse=True)
def _few_are_many(settings: Any) -> None:
    settings.BULK_BACKGROUND_ROWS = 2


@pytest.fixture
def raised(catalogue_manager: User) -> ChangeSet:
    """Four prices raised from 10 to 20."""
    for number in range(4):
        make_product(sku=f"S{number}", name=f"Mug {number}", price=Decimal(10))
    with audit_context(
        source=Source.ADMIN, actor=catalogue_manager, action="Prices of March", reason="Copper"
    ):
        Product.objects.update(price=20)
    return ChangeSet.objects.get(action="Prices of March")


def prices() -> list[Decimal]:
    return list(Product.objects.order_by("sku").values_list("price", flat=True))


def previewed(client: Client, change_set: ChangeSet, query: str = "") -> tuple[str, str]:
    """The address of the preview, and what it showed."""
    address = page("audit_changeset_undo", change_set.pk) + query
    shown = client.get(address).text
    found = re.search(r'name="previewed" value="(\w+)"', shown)
    assert found
    assert "they are put back in the background" in shown
    return address, found[1]


def handed_over(client: Client, change_set: ChangeSet, query: str = "") -> BulkJob:
    address, seen = previewed(client, change_set, query)
    return job_led_to(client.post(address, {"reason": "a mistake", "previewed": seen}))


def handed_over_now(client: Client, change_set: ChangeSet) -> BulkJob:
    """By the Undo of a message."""
    return job_led_to(client.post(page("audit_changeset_undo_now", change_set.pk)))


def job_led_to(response: Any) -> BulkJob:
    return next(
        job
        for job in BulkJob.objects.select_related("undoes", "user")
        if page("console_bulkjob_change", job.pk) == response["Location"]
    )


def done(job: BulkJob) -> BulkJob:
    found = work(job.pk)
    assert found is not None
    found.refresh_from_db()
    return found


def test_what_was_previewed_is_handed_over_and_done_by_a_worker(
    catalogue_manager: User, raised: ChangeSet
) -> None:
    client = signed_in(catalogue_manager)
    job = handed_over(client, raised)
    assert (job.state, job.user, job.undoes, job.reason) == (
        State.WORKING, catalogue_manager, raised, "a mistake",
    )  # fmt: skip
    assert prices() == [Decimal(20)] * 4

    job = done(job)
    assert (job.state, job.changed, job.skipped) == (State.DONE, 4, {})
    assert prices() == [Decimal(10)] * 4
    assert job.change_set == undone_by(raised).get()
    assert (job.change_set.source, job.change_set.actor_id, job.change_set.reason) == (
        "task", catalogue_manager.pk, "a mistake",
    )  # fmt: skip
    assert job.change_set.action == "Undo of: Prices of March"
    assert Product.history.filter(change_set=job.change_set).count() == 4


def test_what_cannot_go_back_is_kept_and_told_with_the_reason(
    catalogue_manager: User, raised: ChangeSet
) -> None:
    Product.objects.filter(sku="S0").update(price=99)
    client = signed_in(catalogue_manager)
    job = done(handed_over(client, raised))
    assert prices() == [Decimal(99), *[Decimal(10)] * 3]
    assert (job.changed, job.skipped) == (3, {"changed": 1})
    shown = client.get(page("console_bulkjob_change", job.pk))
    assert shown.context["title"] == "Undo of: Prices of March"
    assert shown.context["result"] == "3 undone. 1 kept: changed since."
    told = Notification.objects.get(user=catalogue_manager)
    assert (told.kind, told.link) == ("bulk_done", page("console_bulkjob_change", job.pk))
    assert "Undo of: Prices of March: done." in client.get(page("notifications")).text


def test_the_page_shows_how_far_it_is_and_leads_on_to_the_record(
    administrator: User, raised: ChangeSet
) -> None:
    client = signed_in(administrator)
    job = handed_over(client, raised)
    address = page("console_bulkjob_change", job.pk)
    assert "Waiting for a worker" in client.get(address).text
    assert client.get(page("console_bulkjob_progress", job.pk)).json()["ended"] is False
    assert "Undo of: Prices of March" in client.get(page("console_bulkjob_changelist")).text

    job = done(job)
    shown = client.get(address).text
    assert page("audit_changeset_change", job.change_set_id) in shown
    assert page("audit_changeset_change", raised.pk) in shown
    # The undo can be undone as well, and that is many rows again.
    assert job.change_set is not None
    again = done(handed_over_now(client, job.change_set))
    assert prices() == [Decimal(20)] * 4
    assert again.undoes == job.change_set
    assert "It was undone since." in client.get(address).text


def test_the_undo_of_a_message_is_handed_over_as_well(
    catalogue_manager: User, raised: ChangeSet
) -> None:
    job = handed_over_now(signed_in(catalogue_manager), raised)
    assert prices() == [Decimal(20)] * 4
    Product.objects.filter(sku="S3").update(price=99)
    job = done(job)  # nothing was previewed: what still stands goes back
    assert (job.changed, job.skipped) == (3, {"changed": 1})
    assert prices() == [*[Decimal(10)] * 3, Decimal(99)]
    assert job.reason == "Undone right after it was done"


def test_one_object_of_many_is_put_back_alone(catalogue_manager: User, raised: ChangeSet) -> None:
    client, product = signed_in(catalogue_manager), Product.objects.get(sku="S1")
    job = handed_over(client, raised, f"?object=inventory.product/{product.pk}")
    job = done(job)
    assert (job.state, job.changed) == (State.DONE, 1)
    assert prices() == [Decimal(20), Decimal(10), Decimal(20), Decimal(20)]
    shown = client.get(page("console_bulkjob_change", job.pk))
    assert shown.context["only"] == "Product “Mug 1 (S1)”"


def test_a_second_click_is_the_same_job_and_undoes_nothing_twice(
    catalogue_manager: User, administrator: User, raised: ChangeSet
) -> None:
    client = signed_in(catalogue_manager)
    first = handed_over(client, raised)
    assert handed_over(client, raised) == first
    now, others = handed_over_now(client, raised), handed_over(signed_in(administrator), raised)
    assert handed_over_now(client, raised) == now
    assert BulkJob.objects.count() == 3

    assert done(first).state == State.DONE
    assert work(first.pk) is None
    assert (done(others).state, done(now).state) == (State.FAILED, State.FAILED)
    assert undone_by(raised).count() == 1
    assert prices() == [Decimal(10)] * 4
    shown = signed_in(catalogue_manager).get(page("console_bulkjob_change", now.pk))
    assert "Nothing is left to undo here." in shown.text


def test_what_changed_since_the_preview_is_not_undone(
    catalogue_manager: User, raised: ChangeSet
) -> None:
    client = signed_in(catalogue_manager)
    job = handed_over(client, raised)
    Product.objects.filter(sku="S0").update(price=99)
    job = done(job)
    assert (job.state, job.changed) == (State.FAILED, 0)
    assert job.problem.startswith("What can be undone is not what you saw last.")
    assert prices() == [Decimal(99), *[Decimal(20)] * 3]
    assert Notification.objects.get(user=catalogue_manager).kind == "bulk_failed"
    shown = client.get(page("console_bulkjob_change", job.pk)).text
    assert f'href="{page("audit_changeset_undo", raised.pk)}"' in shown


def test_nothing_is_undone_that_no_preview_showed(
    catalogue_manager: User, raised: ChangeSet
) -> None:
    client = signed_in(catalogue_manager)
    client.post(page("audit_changeset_undo", raised.pk), {"reason": "a mistake"})
    assert done(BulkJob.objects.get()).state == State.FAILED
    assert prices() == [Decimal(20)] * 4


def test_without_a_reason_nothing_is_handed_over(
    catalogue_manager: User, raised: ChangeSet
) -> None:
    client = signed_in(catalogue_manager)
    address, seen = previewed(client, raised)
    assert client.post(address, {"previewed": seen, "reason": " "}).status_code == 200
    assert not BulkJob.objects.exists()


@pytest.mark.parametrize("lost", ["role", "account"])
def test_rights_are_those_of_the_moment_when_it_is_done(
    catalogue_manager: User, raised: ChangeSet, lost: str
) -> None:
    job = handed_over(signed_in(catalogue_manager), raised)
    if lost == "role":
        catalogue_manager.groups.set([Group.objects.get(name="Warehouse")])
    else:
        User.objects.filter(pk=catalogue_manager.pk).update(is_active=False)
    job = done(job)
    assert (job.state, job.problem) == (
        State.FAILED,
        "You may not do this any more. Ask somebody who may.",
    )
    assert prices() == [Decimal(20)] * 4


def test_rows_that_their_user_may_no_longer_change_stay(
    catalogue_manager: User, raised: ChangeSet
) -> None:
    job = handed_over_now(signed_in(catalogue_manager), raised)
    catalogue_manager.groups.clear()
    catalogue_manager.user_permissions.add(Permission.objects.get(codename="undo_changeset"))
    job = done(job)
    assert (job.state, job.changed) == (State.FAILED, 0)
    assert job.problem.startswith("Nothing is left to undo here.")
    assert prices() == [Decimal(20)] * 4


def test_a_job_is_its_users_and_for_who_may_view_all(
    catalogue_manager: User, auditor: User, administrator: User, warehouse: User, raised: ChangeSet
) -> None:
    job = handed_over(signed_in(catalogue_manager), raised)
    other = User.objects.create_user("second@stockbook.test", "x", is_staff=True)
    other.groups.add(Group.objects.get(name="Catalogue manager"))
    address = page("console_bulkjob_change", job.pk)
    for user, status in ((other, 404), (warehouse, 403), (auditor, 200), (administrator, 200)):
        assert signed_in(user).get(address).status_code == status
    for name in ("cancel", "again", "here"):
        for user in (other, auditor, administrator):
            refused = signed_in(user).post(page(f"console_bulkjob_{name}", job.pk))
            assert refused.status_code == 404
    job.refresh_from_db()
    assert job.state == State.WORKING
    assert prices() == [Decimal(20)] * 4


def test_who_may_not_undo_hands_nothing_over(auditor: User, raised: ChangeSet) -> None:
    for name in ("undo", "undo_now"):
        address = page(f"audit_changeset_{name}", raised.pk)
        refused = signed_in(auditor).post(address, {"reason": "x", "previewed": "x"})
        assert refused.status_code == 403
    assert not BulkJob.objects.exists()


def test_it_is_cancelled_and_done_after_all(catalogue_manager: User, raised: ChangeSet) -> None:
    client = signed_in(catalogue_manager)
    job = handed_over(client, raised)
    client.post(page("console_bulkjob_cancel", job.pk))
    job.refresh_from_db()
    assert job.state == State.CANCELLED
    assert work(job.pk) is None
    assert prices() == [Decimal(20)] * 4
    client.post(page("console_bulkjob_again", job.pk))
    assert done(job).state == State.DONE
    assert prices() == [Decimal(10)] * 4


def test_without_a_worker_it_is_done_in_the_request(
    catalogue_manager: User, raised: ChangeSet
) -> None:
    client = signed_in(catalogue_manager)
    job = handed_over(client, raised)
    response = client.post(page("console_bulkjob_here", job.pk))
    assert response["Location"] == page("console_bulkjob_change", job.pk)
    assert prices() == [Decimal(10)] * 4
    assert undone_by(raised).count() == 1


def test_a_worker_that_died_is_replaced(catalogue_manager: User, raised: ChangeSet) -> None:
    job = handed_over(signed_in(catalogue_manager), raised)
    BulkJob.objects.filter(pk=job.pk).update(backend_pid=1)  # it had begun, and nobody holds it
    assert jobs.reap_all() == 1
    assert done(job).state == State.DONE
    assert prices() == [Decimal(10)] * 4


def test_few_rows_are_undone_in_the_request(
    catalogue_manager: User, raised: ChangeSet, settings: Any
) -> None:
    settings.BULK_BACKGROUND_ROWS = 4
    client = signed_in(catalogue_manager)
    address = page("audit_changeset_undo", raised.pk)
    shown = client.get(address)
    assert "in the background" not in shown.text
    seen = shown.context["plan"].fingerprint
    response = client.post(address, {"reason": "a mistake", "previewed": seen})
    assert said(response) == ["Products: 4 put back."]
    assert prices() == [Decimal(10)] * 4
    assert not BulkJob.objects.exists()
