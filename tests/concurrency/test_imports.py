"""What must hold while imports run beside each other, beside edits, and when they are killed."""

import io
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import OperationalError, connection, connections, transaction

from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import ChangeSet
from backoffice.exchange.applying import Applier
from backoffice.exchange.exceptions import PlanStale
from backoffice.exchange.models import ImportJob
from backoffice.exchange.services import apply_import, discard_import, plan_again, start_import
from inventory.models import Category, Product, ProductTag, Tag
from tests.exchange.processes import start
from tests.inventory.factories import make_product

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 20


@pytest.fixture(autouse=True)
def _no_staging_left() -> Iterator[None]:
    """Staging tables are no models', so that the flush after a test does not know them."""
    yield
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'exchange'")
        for (name,) in cursor.fetchall():
            cursor.execute(f'DROP TABLE exchange."{name}"')


def at_once(*jobs: Callable[[], Any]) -> list[Any]:
    """Run the jobs in a thread each, on connections of their own, as close together as can be."""
    barrier = Barrier(len(jobs))

    def run(job: Callable[[], Any]) -> Any:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=20)
            return job()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def bring(content: str) -> ImportJob:
    with audit_context(source=Source.COMMAND):
        return start_import(
            resource="products", file=io.BytesIO(content.encode()), file_name="x.csv", user=None
        )


def apply(job: ImportJob) -> str:
    """ "applied", or "stale" if somebody was faster."""
    try:
        with audit_context(source=Source.COMMAND):
            apply_import(job=job, reason="x")
    except PlanStale:
        return "stale"
    return "applied"


def prices(skus: list[str], price: int, extra: str = "") -> str:
    header = "sku,name,price" + (",category,tags" if extra else "")
    return "\n".join([header, *(f"{sku},n,{price}{extra}" for sku in skus)]) + "\n"


def everything() -> tuple[int, ...]:
    models = (Product, Category, Tag, ProductTag)
    return tuple(m.objects.count() for m in models) + tuple(m.history.count() for m in models)


def test_two_imports_of_the_same_rows_neither_deadlock_nor_lose_an_update() -> None:
    skus = [f"S{number:02}" for number in range(40)]
    for sku in skus:
        make_product(sku=sku, name="n", price=1)
    for round_number in range(ROUNDS):
        low, high = 1_000 + round_number, 2_000 + round_number
        # In opposite orders, and only half of the rows in common.
        first, second = bring(prices(skus[:30], low)), bring(prices(skus[:9:-1], high))
        results = at_once(partial(apply, first), partial(apply, second))
        assert sorted(results) == ["applied", "stale"]
        price, mine = (low, skus[:30]) if results[0] == "applied" else (high, skus[10:])
        assert Product.objects.filter(price=price).count() == 30
        assert set(Product.objects.filter(price=price).values_list("sku", flat=True)) == set(mine)
        loser = second if results[0] == "applied" else first
        with audit_context(source=Source.COMMAND):
            assert apply(plan_again(job=loser)) == "applied"


def test_two_imports_of_the_same_new_rows_make_each_once() -> None:
    for round_number in range(ROUNDS):
        skus = [f"{round_number}-{number}" for number in range(10)]
        extra = f",Home > C{round_number},t{round_number}"
        jobs = [bring(prices(skus, 5, extra)) for _ in range(2)]
        results = at_once(*(partial(apply, job) for job in jobs))
        assert sorted(results) == ["applied", "stale"]
        with audit_context(source=Source.COMMAND):
            loser = plan_again(job=jobs[results.index("stale")])
            assert (loser.new, loser.unchanged) == (0, 10)
            discard_import(job=loser)
    assert everything()[:4] == (10 * ROUNDS, ROUNDS + 1, ROUNDS, 10 * ROUNDS)


def test_two_imports_of_other_rows_both_go_in() -> None:
    for round_number in range(ROUNDS // 2):
        # The same new category and tag in both: whoever comes second finds them made.
        contents = [
            prices([f"{side}{round_number}-{n}" for n in range(5)], 5) for side in ("a", "b")
        ]
        jobs = [bring(content) for content in contents]
        assert at_once(*(partial(apply, job) for job in jobs)) == ["applied", "applied"]
    assert Product.objects.count() == 10 * (ROUNDS // 2)


def test_one_job_applied_by_two_people_at_once_is_applied_once() -> None:
    for round_number in range(ROUNDS // 2):
        job = bring(prices([f"R{round_number}"], 5))

        def attempt(job: ImportJob = job) -> str:
            try:
                return apply(job)
            except Exception as error:  # noqa: BLE001 - its name is what is asserted
                return type(error).__name__

        assert sorted(at_once(attempt, attempt)) == ["WrongState", "applied"]
    assert Product.history.count() == ROUNDS // 2


# An edit between preview and apply


def edited_meanwhile() -> tuple[str, str]:
    """What became of the import, and which name the product has in the end."""
    Product.objects.all().delete()
    product = make_product(sku="A", name="old", price=1)
    job = bring("sku,name,price\nA,from the file,2\n")

    def edit() -> None:
        with transaction.atomic():
            Product.objects.filter(pk=product.pk).update(name="from the form")
            time.sleep(0.02)  # holds its lock while the import looks

    def run() -> str:
        time.sleep(0.01)
        return apply(job)

    _none, result = at_once(edit, run)
    with audit_context(source=Source.COMMAND):
        if result == "stale":
            discard_import(job=job)
    return result, Product.objects.get().name


def test_an_edit_between_preview_and_apply_is_never_overwritten() -> None:
    for _ in range(ROUNDS):
        assert edited_meanwhile() in {("stale", "from the form"), ("applied", "from the form")}


def test_without_the_look_at_the_version_the_edit_would_be_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The negative control: the test above can fail."""
    monkeypatch.setattr(Applier, "_refuse_what_changed_since", lambda self: None)
    assert ("applied", "from the file") in [edited_meanwhile() for _ in range(ROUNDS)]


def test_an_import_and_a_bulk_edit_of_the_same_rows_do_not_deadlock() -> None:
    skus = [f"S{number:03}" for number in range(200)]
    for sku in skus:
        make_product(sku=sku, name="n", price=1)

    def edit() -> None:
        with transaction.atomic():
            rows = Product.objects.order_by("pk").select_for_update(no_key=True)
            keys = [product.pk for product in rows]
            Product.objects.filter(pk__in=keys).update(brand=str(time.monotonic()))

    for round_number in range(ROUNDS // 2):
        job = bring(prices(skus[::-1], 100 + round_number))
        _none, result = at_once(edit, partial(apply, job))
        assert result in {"applied", "stale"}
        with audit_context(source=Source.COMMAND):
            if result == "stale":
                discard_import(job=job)


# Killed in the middle


def big_file(rows: int) -> str:
    lines = [f"K{n},Name {n},1,Home > C{n % 50},t{n % 20}" for n in range(rows)]
    return "\n".join(["sku,name,price,category,tags", *lines]) + "\n"


def asked(statement: str, parameters: list[Any] | None = None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.fetchone()[0])


def test_an_import_whose_backend_is_terminated_leaves_nothing() -> None:
    job = bring(big_file(20_000))
    before, sets = everything(), ChangeSet.objects.count()
    outcome: list[str] = []
    backend: list[int] = []

    def run() -> None:
        try:
            backend.append(asked("SELECT pg_backend_pid()"))
            outcome.append(apply(job))
        except OperationalError as error:
            outcome.append(type(error).__name__)
        finally:
            connections.close_all()

    thread = Thread(target=run)
    thread.start()
    try:
        inserting = False
        while thread.is_alive() and not inserting:
            inserting = bool(
                asked(
                    "SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(%s) AND query LIKE %s",
                    [backend, '%INSERT INTO "inventory_product" (%'],
                )
            )
        time.sleep(0.05)
        asked("SELECT count(pg_terminate_backend(pid)) FROM unnest(%s::int[]) pid", [backend])
    finally:
        thread.join(timeout=60)
    assert inserting
    assert outcome == ["OperationalError"]
    assert (everything(), ChangeSet.objects.count()) == (before, sets)
    job.refresh_from_db()
    assert (job.state, job.change_set_id) == (ImportJob.State.CHECKED, None)
    # It can simply be tried again.
    assert apply(job) == "applied"
    assert Product.objects.count() == 20_000


@pytest.mark.parametrize("delay", [0.1, 0.4, 0.8])
def test_an_import_that_is_killed_leaves_nothing(tmp_path: Path, delay: float) -> None:
    path = tmp_path / "big.csv"
    path.write_text(big_file(20_000))
    before = everything()
    process = start("import_file", "products", str(path), "--apply", "--reason", "x", "--json")
    try:
        while process.poll() is None and not ImportJob.objects.filter(state="checked").exists():
            time.sleep(0.02)
        time.sleep(delay)
        was_running = process.poll() is None
        process.send_signal(signal.SIGKILL)
    finally:
        process.communicate(timeout=60)
    _wait_for_its_backend()
    assert was_running
    assert everything() == before
    job = ImportJob.objects.get()
    assert (job.state, job.new) == (ImportJob.State.CHECKED, 20_000)


def _wait_for_its_backend() -> None:
    """PostgreSQL sees that a client is gone at its next word to it, and then rolls back."""
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND state <> 'idle'"
    )
    deadline = time.monotonic() + 60
    while asked(others) and time.monotonic() < deadline:
        time.sleep(0.05)
