"""Work that is handed to a worker, as its pages show it; the worker runs in the test's process."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from backoffice.accounts.models import Notification, User
from backoffice.accounts.notifications.sending import send_mails
from backoffice.exchange import background
from backoffice.exchange.applying import Applier
from backoffice.exchange.exceptions import WrongState
from backoffice.exchange.models import ImportProgress
from backoffice.exchange.services import discard_import, map_columns, plan_again
from backoffice.exchange.tasks import work_on_import
from inventory.models import Product
from tests.console.pages import page, said, signed_in
from tests.inventory.factories import make_product

from .files import staging_tables
from .pages import text_of, the_page
from .workers import State, apply, checked, run_worker, told, uploaded

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _everything_is_large(settings: Any) -> None:
    settings.EXCHANGE_BACKGROUND_BYTES = 10
    settings.EXCHANGE_BACKGROUND_ROWS = 1


@pytest.fixture
def client(catalogue_manager: User) -> Client:
    return signed_in(catalogue_manager)


def told_of(client: Client) -> list[str]:
    """What the user was told, newest first."""
    return [each.text for each in client.get(page("notifications")).context["words"]]


def test_the_whole_way_with_a_worker(client: Client, catalogue_manager: User) -> None:
    job = uploaded(client)
    assert (job.state, job.rows, staging_tables()) == (State.READING, 0, [])
    assert "Waiting for a worker …" in text_of(the_page(client, job))
    assert told(client, job)["ended"] is False
    run_worker()
    job.refresh_from_db()
    assert (job.state, job.new) == (State.CHECKED, 2)
    assert told(client, job) == {"ended": True}
    assert told_of(client) == ["march.csv was read: look at what it would do."]

    apply(client, job)
    job.refresh_from_db()
    assert (job.state, job.reason, Product.objects.count()) == (State.APPLYING, "March", 0)
    assert "Being written" in text_of(the_page(client, job))
    run_worker()
    job.refresh_from_db()
    assert (job.state, Product.objects.count()) == (State.APPLIED, 2)
    assert job.change_set is not None
    assert (job.change_set.source, job.change_set.actor_id) == ("import", catalogue_manager.pk)
    assert told_of(client)[0] == "march.csv was imported: 2 changes."
    # On whatever page is next.
    assert "Notifications: 2 unread" in client.get(page("index")).text
    send_mails.call()
    assert [(m.to, m.subject) for m in mail.outbox] == [
        ([catalogue_manager.email], "march.csv was read: look at what it would do."),
        ([catalogue_manager.email], "march.csv was imported: 2 changes."),
    ]
    assert page("exchange_importjob_change", job.pk) in mail.outbox[1].body


def test_small_files_need_no_worker(client: Client, settings: Any) -> None:
    settings.EXCHANGE_BACKGROUND_BYTES = settings.EXCHANGE_BACKGROUND_ROWS = 10_000
    job = uploaded(client)
    assert job.state == State.CHECKED
    apply(client, job)
    job.refresh_from_db()
    assert (job.state, DBTaskResult.objects.count(), mail.outbox) == (State.APPLIED, 0, [])


def test_what_no_worker_does_is_done_in_the_request(client: Client) -> None:
    job = uploaded(client)
    assert told(client, job)["forsaken"] is False
    long_ago = timezone.now() - timedelta(minutes=5)
    ImportProgress.objects.update(started_at=long_ago)
    assert told(client, job)["forsaken"] is True
    assert "No worker has begun with it: they are busy, or none runs." in text_of(
        the_page(client, job)
    )
    client.post(page("exchange_importjob_here", job.pk))
    job.refresh_from_db()
    assert job.state == State.CHECKED
    run_worker()  # which finds its task and nothing left to do
    job.refresh_from_db()
    assert (job.state, told_of(client)) == (State.CHECKED, [])


def test_a_task_that_runs_twice_does_nothing_the_second_time(client: Client) -> None:
    job = checked(client)
    apply(client, job)
    work_on_import.call(job.pk)
    work_on_import.call(job.pk)
    assert Product.history.count() == 2
    assert len(told_of(client)) == 2


def test_a_mail_server_that_fails_does_not_fail_the_import(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr("backoffice.accounts.notifications.sending.EmailMessage.send", fail)
    job = checked(client)
    apply(client, job)
    run_worker()
    send_mails.call()
    job.refresh_from_db()
    assert job.state == State.APPLIED
    assert Notification.objects.filter(mail_due_at__gt=timezone.now(), mailed_at=None).count() == 2
    assert set(DBTaskResult.objects.values_list("status", flat=True)) == {"SUCCESSFUL"}


def test_what_waits_for_a_worker_can_be_cancelled_and_nothing_else_be_done(client: Client) -> None:
    job = checked(client)
    apply(client, job)
    for service in (plan_again, discard_import):
        with pytest.raises(WrongState, match="being applied"):
            service(job=job)
    with pytest.raises(WrongState, match="being applied"):
        map_columns(job=job, mapping={"sku": 0})
    apply(client, job)
    assert DBTaskResult.objects.filter(status="READY").count() == 1
    response = client.post(page("exchange_importjob_cancel", job.pk))
    assert said(response)[-1] == "The work was cancelled. Nothing was written."
    run_worker()
    job.refresh_from_db()
    assert (job.state, Product.objects.count()) == (State.CHECKED, 0)
    assert "The work was cancelled." in text_of(the_page(client, job))
    response = client.post(page("exchange_importjob_cancel", job.pk))
    assert said(response)[-1] == "The work on this import has ended already."


def test_data_that_changed_meanwhile_end_in_a_new_preview(client: Client) -> None:
    job = checked(client)
    apply(client, job)
    make_product(sku="A", name="Cup", price=1)
    run_worker()
    job.refresh_from_db()
    assert (job.state, job.new, job.changed) == (State.CHECKED, 1, 1)
    assert "The data changed since the preview" in text_of(the_page(client, job))
    assert Product.objects.count() == 1


def test_what_nobody_foresaw_is_said_and_can_be_tried_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = checked(client)
    apply(client, job)
    with monkeypatch.context() as patched:
        patched.setattr(Applier, "run", lambda *_: 1 / 0)
        run_worker()
    job.refresh_from_db()
    assert (job.state, Product.objects.count()) == (State.CHECKED, 0)
    assert "Something went wrong that nobody foresaw." in text_of(the_page(client, job))
    apply(client, job)
    run_worker()
    assert Product.objects.count() == 2


def test_a_file_that_a_worker_cannot_read_says_why(client: Client, settings: Any) -> None:
    job = uploaded(client)
    settings.EXCHANGE_MAX_ROWS = 1
    run_worker()
    job.refresh_from_db()
    assert (job.state, staging_tables()) == (State.FAILED, [])
    assert "more than 1 row" in text_of(the_page(client, job))
    settings.EXCHANGE_MAX_ROWS = 10
    client.post(page("exchange_importjob_resume", job.pk))
    run_worker()
    job.refresh_from_db()
    assert (job.state, job.new, job.progress.problem) == (State.CHECKED, 2, "")


def test_a_job_that_died_twice_is_given_back(client: Client) -> None:
    job = checked(client)
    apply(client, job)
    for restarts in (1, 1):
        # As a worker leaves it that dies: begun, and held by nobody.
        ImportProgress.objects.update(backend_pid=1)
        assert background.reap(job)
        assert job.progress.__class__.objects.get().restarts == restarts
    job.refresh_from_db()
    assert job.state == State.CHECKED
    assert "The worker died again" in text_of(the_page(client, job))
    run_worker()
    assert Product.objects.count() == 0


def test_a_task_that_was_lost_before_it_began_is_handed_over_again(client: Client) -> None:
    job = uploaded(client)
    assert not background.reap(job)
    DBTaskResult.objects.update(status="RUNNING", started_at=timezone.now() - timedelta(minutes=5))
    the_page(client, job)  # whoever looks takes it up
    run_worker()
    job.refresh_from_db()
    assert job.state == State.CHECKED


def test_others_do_not_see_how_far_it_is(client: Client, auditor: User, warehouse: User) -> None:
    job = uploaded(client)
    assert told(signed_in(auditor), job)["ended"] is False
    assert signed_in(warehouse).get(page("exchange_importjob_progress", job.pk)).status_code == 403
    for name in ("cancel", "resume", "here"):
        address = page(f"exchange_importjob_{name}", job.pk)
        assert client.get(address).status_code == 404
        assert signed_in(auditor).post(address).status_code == 403
    job.refresh_from_db()
    assert job.state == State.READING


def test_columns_are_planned_by_a_worker_too(client: Client) -> None:
    job = checked(client)
    background.map_columns(job=job, mapping={"sku": 0, "name": 1})
    job.refresh_from_db()
    assert (job.state, job.mapping) == (State.READING, {"sku": 0, "name": 1})
    assert background.cancel(job=job)
    job.refresh_from_db()
    assert job.state == State.UPLOADED  # the plan that there was is of other columns
    background.map_columns(job=job, mapping={"sku": 0, "name": 1, "price": 2})
    run_worker()
    job.refresh_from_db()
    assert (job.state, job.new) == (State.CHECKED, 2)
