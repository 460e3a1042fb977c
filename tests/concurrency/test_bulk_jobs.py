"""A bulk change that a worker does: killed, and taken up again by the next."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from backoffice.accounts.models import User
from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import ChangeSet
from backoffice.console.bulk import jobs
from backoffice.console.models import BulkJob
from backoffice.exchange import liveness
from backoffice.exchange.liveness import is_worked_on
from inventory.models import Product
from tests.concurrency.test_background import kill, run_worker, wait_until, worker
from tests.console.pages import act, signed_in

pytestmark = pytest.mark.django_db(transaction=True)
State = BulkJob.State
ROWS = 20_000


@pytest.fixture
def client(catalogue_manager: User, settings: Any) -> Client:
    settings.BULK_BACKGROUND_ROWS = 2
    return signed_in(catalogue_manager)


def make_rows(number: int = ROWS) -> None:
    rows = (Product(sku=f"S{n}", name=f"Mug {n}", price=10) for n in range(number))
    with audit_context(source=Source.COMMAND, action="Mugs", reason="as ordered"):
        Product.objects.bulk_create(rows, batch_size=5_000)


def change(client: Client) -> BulkJob:
    """Prices from 10 to 20, of all rows."""
    ticked = Product.objects.all()[:1]
    sent: dict[str, Any] = {"do_price": "set", "to_price": "20", "select_across": 1}
    seen = act(client, "bulk_edit", ticked, preview="1", **sent).context["preview"]
    act(client, "bulk_edit", ticked, apply="1", reason="Copper", previewed=seen.fingerprint, **sent)
    return BulkJob.objects.get()


def written() -> tuple[set[Decimal], int, int]:
    return (
        set(Product.objects.values_list("price", flat=True)),
        Product.history.count(),
        ChangeSet.objects.filter(kind="change").count(),
    )


@contextmanager
def a_worker_at_it(job: BulkJob) -> Iterator[Any]:
    process = worker("--queue-name", "*")
    try:
        # It has begun, and said so.
        wait_until(lambda: BulkJob.objects.exclude(backend_pid=None).exists())
        yield process
    finally:
        kill(process)


def test_a_worker_that_is_killed_leaves_nothing_and_the_next_takes_it_up(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_rows()
    job, before = change(client), written()
    assert before[0] == {Decimal(10)}
    moment = random.uniform(0, 0.5)  # noqa: S311 - no secret
    print(f"killed after {moment} s")  # noqa: T201 - shown when the test fails
    with a_worker_at_it(job):
        time.sleep(moment)
        was_at_work = is_worked_on(job)
    wait_until(lambda: not is_worked_on(job))
    assert was_at_work
    assert written() == before
    job.refresh_from_db()
    assert (job.state, job.change_set) == (State.WORKING, None)

    monkeypatch.setattr(liveness, "_BEGINNING_TAKES_AT_MOST", timedelta(0))
    with audit_context(source=Source.COMMAND):
        assert jobs.reap(job)
        assert not jobs.reap(job)
    job.refresh_from_db()
    assert job.problem.startswith("The worker died in the middle of the work.")
    run_worker("--queue-name", "*")
    job.refresh_from_db()
    assert (job.state, job.changed) == (State.DONE, ROWS)
    _prices, entries, change_sets = before
    assert written() == ({Decimal(20)}, entries + ROWS, change_sets + 1)
