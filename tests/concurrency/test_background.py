"""Imports that workers do: killed, cancelled, done twice at once, and taken up again."""

import io
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from django.core.management import call_command
from django.db import connection

from backoffice.accounts.models import User
from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import ChangeSet
from backoffice.exchange import background
from backoffice.exchange.liveness import is_worked_on
from backoffice.exchange.models import ImportJob, ImportProgress
from backoffice.exchange.services import apply_import, plan_again, start_import
from backoffice.exchange.working import work
from inventory.models import Product
from tests.concurrency.test_imports import at_once, big_file, everything, prices
from tests.exchange.processes import start
from tests.inventory.factories import make_product

pytestmark = pytest.mark.django_db(transaction=True)
State = ImportJob.State
ROWS = 20_000


@pytest.fixture(autouse=True)
def _no_staging_left() -> Iterator[None]:
    yield
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'exchange'")
        for (name,) in cursor.fetchall():
            cursor.execute(f'DROP TABLE exchange."{name}"')


def worker(*arguments: str) -> subprocess.Popen[str]:
    """A real worker in a process of its own, which ends when there is nothing left to do."""
    return start(
        "db_worker", "--queue-name", "exchange", "--batch", "--no-startup-delay", "--no-reload",
        *arguments,
    )  # fmt: skip


def run_worker() -> None:
    with worker() as process:
        _out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err


def handed_over(content: str, user: User | None = None) -> ImportJob:
    with audit_context(source=Source.COMMAND, actor=user):
        job = start_import(
            resource="products",
            file=io.BytesIO(content.encode()),
            file_name="x.csv",
            user=user,
            later=True,
        )
        return background.hand_over_reading(job=job)


def applying(job: ImportJob) -> ImportJob:
    with audit_context(source=Source.COMMAND, actor=job.user):
        return background.hand_over_applying(job=job, reason="Prices of March")


def checked(content: str, user: User | None = None) -> ImportJob:
    with audit_context(source=Source.COMMAND, actor=user):
        return start_import(
            resource="products",
            file=io.BytesIO(content.encode()),
            file_name="x.csv",
            user=user,
        )


def wait_until(found: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)


def test_a_worker_reads_and_applies_a_file_that_was_handed_over(catalogue_manager: User) -> None:
    job = handed_over(big_file(50), catalogue_manager)
    assert (job.state, job.rows) == (State.READING, 0)
    run_worker()
    job.refresh_from_db()
    assert (job.state, job.rows, job.new) == (State.CHECKED, 50, 50)
    applying(job)
    run_worker()
    job.refresh_from_db()
    assert (job.state, Product.objects.count(), job.progress.problem) == (State.APPLIED, 50, "")
    written = ChangeSet.objects.get(pk=job.change_set_id)
    assert (written.source, written.actor_id, written.reason) == (
        "import",
        catalogue_manager.pk,
        "Prices of March",
    )
    assert set(Product.history.values_list("change_set_id", flat=True)) == {written.pk}


@pytest.mark.parametrize("round_number", range(6))
def test_a_worker_that_is_killed_leaves_nothing_and_the_job_resumes(
    round_number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")  # noqa: T201 - shown when the test fails
    moment = random.Random(seed).uniform(0, 0.6)  # noqa: S311 - no secret
    reads = round_number % 2 == 0
    job = handed_over(big_file(ROWS)) if reads else applying(checked(big_file(ROWS)))
    before, sets = everything(), ChangeSet.objects.count()
    process = worker()
    try:
        wait_until(partial(is_worked_on, job))
        time.sleep(moment)
        was_at_work = is_worked_on(job)
    finally:
        kill(process)
    wait_until(lambda: not is_worked_on(job))
    assert was_at_work
    assert (everything(), ChangeSet.objects.count()) == (before, sets)
    job.refresh_from_db()
    assert job.state == (State.READING if reads else State.APPLYING)

    monkeypatch.setattr(background, "_BEGINNING_TAKES_AT_MOST", background.timedelta(0))
    with audit_context(source=Source.COMMAND):
        assert background.reap(job)
        assert not background.reap(job)
    job.refresh_from_db()
    run_worker()
    job.refresh_from_db()
    if reads:
        assert (job.state, job.new) == (State.CHECKED, ROWS)
        assert everything() == before
    else:
        assert job.state == State.APPLIED
        assert Product.objects.count() == Product.history.count() == ROWS
        assert Product.history.values("change_set").distinct().count() == 1
        assert ChangeSet.objects.filter(source="import").count() == 1
