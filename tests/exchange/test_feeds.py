"""Suppliers' files that come in by themselves, from a folder or an address."""

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from backoffice.accounts.models import Notification, User
from backoffice.audit.context import Source, audit_context
from backoffice.exchange.exceptions import FeedRefused
from backoffice.exchange.feed_files import opened
from backoffice.exchange.feeds import run_feed
from backoffice.exchange.housekeeping import Housekeeper
from backoffice.exchange.models import ImportFeed, ImportJob
from backoffice.exchange.profiles import keep_profile
from backoffice.exchange.scheduling import hand_over_due_feeds
from backoffice.exchange.tasks import fetch_feed, work_on_import
from inventory.models import Product

from .files import bring

CSV = b"sku,name,price\nA,Cup,1.50\n"


# The folder


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    folder = tmp_path / "feeds"
    folder.mkdir()
    settings.EXCHANGE_FEED_FOLDER = str(folder)
    return folder


def in_folder(location: str) -> bytes:
    with opened(location) as (_name, file):
        return file.read()


@pytest.mark.parametrize(
    "location", ["../secret.csv", "/etc/passwd", "a/b.csv", "..", ".hidden", "..\\x", "", "x\0y"]
)
def test_only_a_name_in_the_folder_is_a_location(folder: Path, location: str) -> None:
    (folder.parent / "secret.csv").write_bytes(b"secret")
    (folder / ".hidden").write_bytes(b"secret")
    with pytest.raises(FeedRefused, match="Give the name of a file"):
        in_folder(location)


def test_links_are_no_files_of_the_folder(folder: Path) -> None:
    (folder.parent / "secret.csv").write_bytes(b"secret")
    (folder / "link.csv").symlink_to(folder.parent / "secret.csv")
    for location in ("link.csv", "*.csv"):
        with pytest.raises(FeedRefused, match="There is no file"):
            in_folder(location)


def test_the_newest_file_that_matches_is_taken(folder: Path) -> None:
    import os

    for number, name in enumerate(["b.csv", "a.csv", "c.txt", ".d.csv"]):
        (folder / name).write_bytes(name.encode())
        os.utime(folder / name, (number, number))
    assert in_folder("*.csv") == b"a.csv"
    assert in_folder("?.csv") == b"a.csv"
    with pytest.raises(FeedRefused, match="There is no file"):
        in_folder("*.xlsx")


# The whole way


@pytest.fixture
def feed(folder: Path, catalogue_manager: User) -> ImportFeed:
    with audit_context(source=Source.COMMAND):
        profile = keep_profile(
            job=bring(CSV), name="Contoso", is_shared=True, user=catalogue_manager
        )
    ImportJob.objects.all().delete()
    return ImportFeed.objects.create(
        name="Contoso prices",
        profile=profile,
        location="prices*.csv",
        every="day",
        user=catalogue_manager,
        reason="Contoso's prices",
    )


def run(feed: ImportFeed) -> ImportJob | None:
    fetch_feed.call(feed.pk, due=timezone.now().isoformat())
    feed.refresh_from_db()
    return ImportJob.objects.order_by("-pk").first()


@pytest.mark.django_db
def test_a_feed_brings_a_file_in_once(feed: ImportFeed, folder: Path) -> None:
    (folder / "prices.csv").write_bytes(CSV)
    job = run(feed)
    assert job is not None
    assert (job.state, job.feed, job.user, job.reason) == (
        ImportJob.State.APPLIED,
        feed,
        feed.user,
        "Contoso's prices",
    )
    assert Product.objects.get().sku == "A"
    assert Product.history.get().history_user_id == feed.user.pk
    assert (feed.last_problem, feed.last_run_at is None) == ("", False)
    assert timedelta(hours=23) < feed.next_run_at - timezone.now() < timedelta(hours=24)

    run(feed)
    assert ImportJob.objects.count() == 1
    (folder / "prices.csv").write_bytes(CSV + b"B,Mug,2\n")
    run(feed)
    assert [ImportJob.objects.count(), Product.objects.count()] == [2, 2]


@pytest.mark.django_db
def test_invalid_rows_stop_a_feed_unless_it_takes_the_others(
    feed: ImportFeed, folder: Path
) -> None:
    (folder / "prices.csv").write_bytes(CSV + b"B,Mug,x\n")
    job = run(feed)
    assert job is not None
    assert (job.state, Product.objects.count()) == (ImportJob.State.CHECKED, 0)
    assert "Rows are invalid" in feed.last_problem
    (told,) = Notification.objects.all()
    assert (told.user, told.kind) == (feed.user, "import_waits")
    assert told.mail_due_at is not None
    feed.valid_rows_only = True
    feed.save()
    (folder / "prices.csv").write_bytes(CSV + b"B,Mug,y\n")
    job = run(feed)
    assert job is not None
    assert (job.state, Product.objects.count()) == (ImportJob.State.APPLIED, 1)
    assert feed.last_problem == ""


@pytest.mark.django_db
def test_a_feed_has_the_rights_of_its_user_and_no_more(
    feed: ImportFeed, folder: Path, warehouse: User
) -> None:
    (folder / "prices.csv").write_bytes(CSV)
    feed.user = warehouse
    feed.save()
    assert run(feed) is None
    assert "may not import" in feed.last_problem
    feed.user = User.objects.exclude(pk=warehouse.pk).get()
    feed.user.is_active = False
    feed.user.save()
    feed.save()
    assert run(feed) is None
    assert "may not import" in feed.last_problem


@pytest.mark.django_db
def test_a_feed_without_a_file_says_so_once(feed: ImportFeed) -> None:
    run(feed)
    run(feed)
    assert "There is no file" in feed.last_problem
    assert Notification.objects.get().kind == "feed_failed"


@pytest.mark.django_db
def test_a_feed_is_handed_over_when_it_is_due_and_not_twice(feed: ImportFeed) -> None:
    assert hand_over_due_feeds() == 1
    assert hand_over_due_feeds() == 0
    feed.next_run_at = timezone.now() - timedelta(days=1)
    feed.is_active = False
    feed.save()
    assert hand_over_due_feeds() == 0


@pytest.mark.django_db
def test_a_feed_whose_worker_died_between_fetching_and_reading_goes_on(
    feed: ImportFeed, folder: Path
) -> None:
    (folder / "prices.csv").write_bytes(CSV)
    job = run_feed(feed)
    assert job is not None
    assert job.state == ImportJob.State.READING
    work_on_import.call(job.pk)
    job.refresh_from_db()
    assert job.state == ImportJob.State.APPLIED
    work_on_import.call(job.pk)
    assert Product.history.count() == 1


@pytest.mark.django_db
def test_a_file_without_a_column_of_the_profile_waits_for_somebody(
    feed: ImportFeed, folder: Path
) -> None:
    (folder / "prices.csv").write_bytes(b"sku,name\nA,Cup\n")
    job = run(feed)
    assert job is not None
    assert job.state == ImportJob.State.CHECKED
    assert "Its columns are not those of the profile" in feed.last_problem


@pytest.mark.django_db
def test_a_file_that_changes_nothing_is_given_up_without_a_word(
    feed: ImportFeed, folder: Path
) -> None:
    (folder / "prices.csv").write_bytes(CSV)
    run(feed)
    Notification.objects.all().delete()
    (folder / "prices.csv").write_bytes(CSV + b"\n")
    job = run(feed)
    assert job is not None
    assert (job.state, feed.last_problem) == (ImportJob.State.DISCARDED, "")
    assert not Notification.objects.exists()


def test_a_worker_keeps_house_beside_its_tasks(
    feed: ImportFeed, folder: Path, transactional_db: None
) -> None:
    (folder / "prices.csv").write_bytes(CSV)
    with Housekeeper(every=60):
        deadline = timezone.now() + timedelta(seconds=20)
        while not DBTaskResult.objects.exists() and timezone.now() < deadline:
            time.sleep(0.05)
    assert DBTaskResult.objects.get().task_path.endswith("fetch_feed")
