"""Bulk actions over many rows, which a worker carries out."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.utils import translation

from backoffice.accounts.models import Profile, User
from backoffice.accounts.notifications.models import Notification
from backoffice.audit.models import ChangeSet
from backoffice.console.bulk import jobs
from backoffice.console.bulk.working import work
from backoffice.console.models import BulkJob
from inventory.models import Product
from tests.console.pages import act, page, said, signed_in, undo_offered
from tests.inventory.factories import make_product, make_tag

pytestmark = pytest.mark.django_db
State = BulkJob.State


@pytest.fixture(autouse=True)
def _few_are_many(settings: Any) -> None:
    settings.BULK_BACKGROUND_ROWS = 2


def handed_over(
    client: Client, rows: list[Product], *, query: str = "", across: bool = True, **sent: Any
) -> BulkJob:
    sent = {"do_price": "percent", "by_price": "5", **sent, "select_across": int(across)}
    ticked = rows[:1] if across else rows
    seen = act(client, "bulk_edit", ticked, query=query, preview="1", **sent).context["preview"]
    response = act(
        client, "bulk_edit", ticked, query=query, apply="1", reason="Copper",
        previewed=seen.fingerprint, **sent,
    )  # fmt: skip
    assert response.status_code == 302
    job = BulkJob.objects.latest("pk")
    assert response["Location"] == page("console_bulkjob_change", job.pk)
    return job


def done(job: BulkJob) -> BulkJob:
    found = work(job.pk)
    assert found is not None
    found.refresh_from_db()
    return found


def prices() -> list[Decimal]:
    return list(Product.objects.order_by("pk").values_list("price", flat=True))


def products(number: int = 4) -> list[Product]:
    return [make_product(name=f"Mug {n}") for n in range(number)]


def test_many_rows_are_handed_over_by_the_query_and_not_by_their_keys(
    catalogue_manager: User,
) -> None:
    mugs, tea = products(), make_product(name="Tea")
    job = handed_over(signed_in(catalogue_manager), mugs, query="?q=mug")
    assert job.selection == {"query": "q=mug"}
    assert (job.state, job.user, job.action, job.reason) == (
        State.WORKING, catalogue_manager, "bulk_edit", "Copper",
    )  # fmt: skip
    assert prices() == [Decimal(10)] * 5

    job = done(job)
    assert (job.state, job.changed, job.skipped) == (State.DONE, 4, {})
    assert prices() == [*[Decimal("10.50")] * 4, Decimal(10)]
    assert tea.pk
    change_set = job.change_set
    assert change_set is not None
    assert (change_set.source, change_set.actor_id, change_set.reason, change_set.reference) == (
        "task", catalogue_manager.pk, "Copper", f"console.bulkjob/{job.pk}",
    )  # fmt: skip
    assert Product.history.filter(change_set=change_set).count() == 4


@pytest.mark.parametrize(("language", "percent"), [("de", "2,5"), ("en", "2.5")])
def test_a_worker_reads_numbers_in_the_language_in_which_they_were_entered(
    language: str, percent: str, catalogue_manager: User
) -> None:
    client = signed_in(catalogue_manager)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = language  # which no worker knows of
    job = handed_over(client, products(), by_price=percent)
    with translation.override("fr"):
        job = done(job)
    assert (job.state, job.problem) == (State.DONE, "")
    assert prices() == [Decimal("10.25")] * 4


def test_a_job_says_what_went_wrong_in_the_language_in_which_it_was_asked_for(
    catalogue_manager: User,
) -> None:
    client = signed_in(catalogue_manager)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "de"
    job = handed_over(client, products())
    catalogue_manager.groups.clear()
    assert done(job).problem == "Sie dürfen das nicht mehr. Bitten Sie jemanden, der es darf."


def test_ticked_rows_are_handed_over_by_their_keys(catalogue_manager: User) -> None:
    mugs = products()
    job = handed_over(signed_in(catalogue_manager), mugs[:3], across=False)
    assert job.selection == {"query": "", "keys": [mug.pk for mug in mugs[:3]]}
    assert done(job).changed == 3
    assert prices() == [*[Decimal("10.50")] * 3, Decimal(10)]


def test_the_page_shows_how_far_it_is_then_the_result_with_undo(catalogue_manager: User) -> None:
    client = signed_in(catalogue_manager)
    job = handed_over(client, products())
    address = page("console_bulkjob_change", job.pk)
    shown = client.get(address)
    assert "Waiting for a worker" in shown.text
    assert "<dd>Products: Edit fields</dd>" in shown.text
    told = client.get(page("console_bulkjob_progress", job.pk)).json()
    assert (told["ended"], told["text"]) == (False, "Waiting for a worker …")

    done(job)
    assert client.get(page("console_bulkjob_progress", job.pk)).json() == {"ended": True}
    shown = client.get(address)
    assert shown.context["result"] == "4 changed."
    assert 'form="undo-now"' in shown.text
    undo = page("audit_changeset_undo_now", BulkJob.objects.get().change_set_id)
    assert undo in shown.text
    assert client.post(undo).status_code == 302
    done(BulkJob.objects.exclude(undoes=None).get())
    assert prices() == [Decimal(10)] * 4
    shown = client.get(address)
    assert "It was undone since." in shown.text
    assert "undo/now/" not in shown.text


def test_its_user_is_told_in_their_words(catalogue_manager: User) -> None:
    job = handed_over(signed_in(catalogue_manager), products())
    done(job)
    told = Notification.objects.get(user=catalogue_manager)
    assert (told.kind, told.link) == ("bulk_done", page("console_bulkjob_change", job.pk))
    assert told.parameters["changed"] == 4


def test_a_second_click_is_the_same_job(catalogue_manager: User) -> None:
    client, rows = signed_in(catalogue_manager), products()
    first = handed_over(client, rows)
    assert handed_over(client, rows) == first
    assert BulkJob.objects.count() == 1
    assert done(first).state == State.DONE
    assert work(first.pk) is None
    assert prices() == [Decimal("10.50")] * 4


def test_what_changed_since_it_was_seen_is_left_alone_and_said(catalogue_manager: User) -> None:
    rows = products()
    job = handed_over(signed_in(catalogue_manager), rows)
    Product.objects.filter(pk=rows[0].pk).update(price=20)
    job = done(job)
    assert (job.state, job.changed) == (State.FAILED, 0)
    assert job.problem.startswith("What would change is not what you saw last.")
    assert prices() == [Decimal(20), *[Decimal(10)] * 3]
    assert Notification.objects.get(user=catalogue_manager).kind == "bulk_failed"


def test_rights_are_those_of_the_moment_when_it_is_done(catalogue_manager: User) -> None:
    job = handed_over(signed_in(catalogue_manager), products())
    catalogue_manager.groups.clear()
    catalogue_manager.groups.add(Group.objects.get(name="Warehouse"))
    job = done(job)
    assert (job.state, job.problem) == (
        State.FAILED,
        "You may not do this any more. Ask somebody who may.",
    )
    assert prices() == [Decimal(10)] * 4


def test_a_field_that_its_user_may_no_longer_see_is_not_changed(catalogue_manager: User) -> None:
    job = handed_over(
        signed_in(catalogue_manager), products(), do_price="", do_cost="set", to_cost="3"
    )
    catalogue_manager.groups.clear()
    codes = ["view_product", "change_product"]
    catalogue_manager.user_permissions.add(*Permission.objects.filter(codename__in=codes))
    assert done(job).state == State.FAILED
    assert not Product.objects.exclude(cost=None).exists()


def test_its_user_reads_their_language_and_the_record_its_own(catalogue_manager: User) -> None:
    Profile.objects.update_or_create(user=catalogue_manager, defaults={"language": "de"})
    client = signed_in(catalogue_manager)
    job = done(handed_over(client, products()))
    assert job.change_set is not None
    assert job.change_set.action == "4 products edited: price"
    job = handed_over(client, list(Product.objects.all()))
    Product.objects.filter(name="Mug 0").update(price=99)
    assert done(job).problem.startswith("Was sich ändern würde, ist nicht mehr das")


def test_who_left_changes_nothing(catalogue_manager: User) -> None:
    job = handed_over(signed_in(catalogue_manager), products())
    User.objects.filter(pk=catalogue_manager.pk).update(is_active=False)
    assert done(job).state == State.FAILED
    assert prices() == [Decimal(10)] * 4


def test_a_job_is_its_users_and_for_who_may_view_all(
    catalogue_manager: User, auditor: User, administrator: User, warehouse: User
) -> None:
    job = handed_over(signed_in(catalogue_manager), products())
    other = User.objects.create_user("second@stockbook.test", "x", is_staff=True)
    other.groups.add(Group.objects.get(name="Catalogue manager"))
    address = page("console_bulkjob_change", job.pk)
    for user, status in ((other, 404), (warehouse, 403), (auditor, 200), (administrator, 200)):
        assert signed_in(user).get(address).status_code == status
    for name in ("cancel", "again", "here"):
        for user in (other, auditor, administrator):
            path = page(f"console_bulkjob_{name}", job.pk)
            assert signed_in(user).post(path).status_code == 404
        assert signed_in(catalogue_manager).get(path).status_code == 404
    job.refresh_from_db()
    assert job.state == State.WORKING
    assert prices() == [Decimal(10)] * 4


def test_what_no_worker_has_begun_is_cancelled_at_once_and_begun_again(
    catalogue_manager: User,
) -> None:
    client = signed_in(catalogue_manager)
    job = handed_over(client, products())
    client.post(page("console_bulkjob_cancel", job.pk))
    job.refresh_from_db()
    assert job.state == State.CANCELLED
    assert work(job.pk) is None
    refused = client.post(page("console_bulkjob_cancel", job.pk))
    assert said(refused) == ["The work has ended already."]
    client.post(page("console_bulkjob_again", job.pk))
    assert done(job).state == State.DONE
    assert prices() == [Decimal("10.50")] * 4
    again = client.post(page("console_bulkjob_again", job.pk))
    assert said(again)[-1] == "Only what was not done can be begun again."


def test_what_was_asked_for_anew_is_not_begun_again_besides(catalogue_manager: User) -> None:
    client, rows = signed_in(catalogue_manager), products()
    first = handed_over(client, rows)
    client.post(page("console_bulkjob_cancel", first.pk))
    assert handed_over(client, rows) != first
    refused = client.post(page("console_bulkjob_again", first.pk))
    assert said(refused)[-1] == "The same was asked for anew, and is under way."
    first.refresh_from_db()
    assert first.state == State.CANCELLED


def test_without_a_worker_it_is_done_in_the_request(catalogue_manager: User) -> None:
    client = signed_in(catalogue_manager)
    job = handed_over(client, products())
    response = client.post(page("console_bulkjob_here", job.pk))
    assert response["Location"] == page("console_bulkjob_change", job.pk)
    assert prices() == [Decimal("10.50")] * 4
    again = client.post(page("console_bulkjob_here", job.pk))
    assert said(again) == ["A worker has begun with it meanwhile."]


def test_a_worker_that_died_is_replaced_once_then_its_user_is_asked(
    catalogue_manager: User,
) -> None:
    client = signed_in(catalogue_manager)
    job = handed_over(client, products())
    BulkJob.objects.filter(pk=job.pk).update(backend_pid=1)  # it had begun, and nobody holds it
    assert jobs.reap_all() == 1
    job.refresh_from_db()
    assert (job.state, job.restarts, job.backend_pid) == (State.WORKING, 1, None)
    BulkJob.objects.filter(pk=job.pk).update(backend_pid=1)
    client.get(page("console_bulkjob_progress", job.pk))
    job.refresh_from_db()
    assert (job.state, job.restarts) == (State.FAILED, 1)
    assert "The worker died again" in client.get(page("console_bulkjob_change", job.pk)).text
    client.post(page("console_bulkjob_again", job.pk))
    assert done(job).state == State.DONE


def test_what_breaks_in_the_middle_leaves_nothing_behind(
    catalogue_manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    tag = make_tag("Red")
    job = handed_over(signed_in(catalogue_manager), products(), do_tags="add", to_tags=[tag.pk])

    def broken(*_: Any) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("backoffice.console.bulk.changes.Change.link", broken)
    job = done(job)
    assert job.state == State.FAILED
    assert job.problem.startswith("Something went wrong that nobody foresaw.")
    assert prices() == [Decimal(10)] * 4
    assert not ChangeSet.objects.filter(reason="Copper", kind="change").exists()


def test_in_blocks_it_is_still_one_change_set(
    catalogue_manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backoffice.bulk.BLOCK", 2)
    job = done(handed_over(signed_in(catalogue_manager), products(5)))
    assert job.changed == 5
    assert prices() == [Decimal("10.50")] * 5
    assert Product.history.filter(change_set=job.change_set).count() == 5
    assert ChangeSet.objects.filter(reason="Copper").count() == 1


def test_few_rows_are_changed_in_the_request(catalogue_manager: User) -> None:
    rows = products(2)
    client = signed_in(catalogue_manager)
    sent = {"do_price": "percent", "by_price": "5"}
    seen = act(client, "bulk_edit", rows, preview="1", **sent).context["preview"]
    response = act(
        client, "bulk_edit", rows, apply="1", reason="x", previewed=seen.fingerprint, **sent
    )
    assert said(response) == ["2 changed."]
    assert undo_offered(response)
    assert not BulkJob.objects.exists()
