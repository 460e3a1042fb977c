"""Imports that workers do: killed, cancelled, done twice at once, and taken up again."""

import io
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction

from backoffice.accounts.models import User
from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import ChangeSet
from backoffice.exchange import background, liveness
from backoffice.exchange.liveness import hold, is_worked_on
from backoffice.exchange.models import ImportJob, ImportProgress
from backoffice.exchange.services import start_import
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


def run_worker(*arguments: str) -> None:
    with worker(*arguments) as process:
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
    assert job.change_set_id is not None
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
    seed = random.randrange(10**6)  # noqa: S311 - no secret
    print(f"seed {seed}")  # noqa: T201 - shown when the test fails
    moment = random.Random(seed).uniform(0, 0.3)  # noqa: S311 - no secret
    reads = round_number % 2 == 0
    rows = 4 * ROWS  # enough that nobody is done before the end comes
    job = handed_over(big_file(rows)) if reads else applying(checked(big_file(rows)))
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

    monkeypatch.setattr(liveness, "_BEGINNING_TAKES_AT_MOST", timedelta(0))
    with audit_context(source=Source.COMMAND):
        assert background.reap(job)
        assert not background.reap(job)
    job.refresh_from_db()
    run_worker()
    job.refresh_from_db()
    if reads:
        assert (job.state, job.new) == (State.CHECKED, rows)
        assert everything() == before
    else:
        assert job.state == State.APPLIED
        assert Product.objects.count() == Product.history.count() == rows
        assert Product.history.values("change_set").distinct().count() == 1
        assert ChangeSet.objects.filter(source="import").count() == 1


def test_progress_moves_while_the_transaction_is_open() -> None:
    rows = 4 * ROWS  # it is told once a second
    job = applying(checked(big_file(rows)))
    seen: set[tuple[str, bool]] = set()
    process = worker()
    while process.poll() is None:
        progress = ImportProgress.objects.get(job=job)
        seen.add((progress.step, 0 < progress.done < progress.total))
        # Whoever counted the products would wait for the end of a first load.
        assert Product.history.count() in {0, rows}
        time.sleep(0.02)
    process.communicate()
    assert Product.objects.count() == rows
    assert ("Writing", True) in seen
    assert len({step for step, _moved in seen}) > 1


@pytest.mark.parametrize("reads", [True, False])
def test_cancelling_stops_the_work_in_the_middle_and_nothing_is_written(reads: bool) -> None:
    # Whether to stop is asked every second, so the work has to take some.
    rows = 16 * ROWS if reads else 4 * ROWS
    job = handed_over(big_file(rows)) if reads else applying(checked(big_file(rows)))
    before = everything()
    process = worker()
    wait_until(lambda: ImportProgress.objects.filter(job=job).exclude(backend_pid=None).exists())
    assert background.cancel(job=job) is False
    process.communicate(timeout=60)
    job.refresh_from_db()
    assert job.state == (State.FAILED if reads else State.CHECKED)
    assert job.progress.problem == "The work was cancelled. Nothing was written."
    assert everything() == before
    if not reads:
        applying(job)
        run_worker()
        assert Product.objects.count() == rows


def test_two_workers_on_one_job_do_it_once() -> None:
    for round_number in range(10):
        job = applying(checked(prices([f"R{round_number}"], 5)))
        done = at_once(partial(work, job.pk), partial(work, job.pk))
        assert [result for result in done if result and result.state == State.APPLIED]
        assert Product.history.count() == round_number + 1
        assert done.count(None) == 1


def test_without_the_lock_a_second_worker_would_get_to_the_job_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The negative control of the test above: who does not look at the lock gets to the job."""
    monkeypatch.setattr("backoffice.exchange.working.hold", lambda job: True)
    both = 0
    for round_number in range(10):
        job = applying(checked(prices([f"R{round_number}"], 5)))
        both += at_once(partial(work, job.pk), partial(work, job.pk)).count(None) == 0
    assert both


def test_workers_with_overlapping_files_neither_deadlock_nor_lose_an_update() -> None:
    skus = [f"S{number:02}" for number in range(40)]
    for sku in skus:
        make_product(sku=sku, name="n", price=1)
    for round_number in range(10):
        low, high = 1_000 + round_number, 2_000 + round_number
        jobs = [
            applying(checked(prices(skus[:30], low))),
            applying(checked(prices(skus[:9:-1], high))),
        ]
        states = [result.state for result in at_once(*(partial(work, job.pk) for job in jobs))]
        assert sorted(states) == [State.APPLIED, State.CHECKED]
        price = low if states[0] == State.APPLIED else high
        assert Product.objects.filter(price=price).count() == 30
        # Whoever was second sees a new preview, and can apply that.
        loser = ImportJob.objects.get(pk=jobs[states.index(State.CHECKED)].pk)
        assert loser.progress.problem.startswith("The data changed since the preview")
        applying(loser)
        assert work(loser.pk)
        other = high if price == low else low
        assert Product.objects.filter(price=other).count() == 30


def test_a_job_is_only_taken_from_a_worker_that_is_dead() -> None:
    job = applying(checked(prices(["A"], 5)))
    ImportProgress.objects.update(backend_pid=1)

    def hold_it() -> Any:
        with transaction.atomic():
            assert hold(job)
            time.sleep(0.5)

    def look() -> bool:
        time.sleep(0.2)
        return background.reap(job)

    assert at_once(hold_it, look)[1] is False
    assert background.reap(job) is True
