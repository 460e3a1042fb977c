"""An undo beside other work: nobody's edit is lost, nothing is undone twice."""

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from backoffice.audit.context import Source, audit_context
from backoffice.audit.exceptions import NothingToUndo
from backoffice.audit.models import ChangeSet
from backoffice.audit.undo import services
from backoffice.audit.undo.services import Keep, UndoResult, undo_change_set
from inventory.models import Category, Product, ProductTag, Tag

from .test_actors import in_threads

ROUNDS = 20
pytestmark = pytest.mark.django_db(transaction=True)


def work(action: str) -> Any:
    return audit_context(source=Source.ADMIN, action=action, reason="as ordered")


def undo(change_set: ChangeSet) -> UndoResult:
    return undo_change_set(change_set=change_set, actor=None, reason="a mistake")


def change_set_of(action: str, write: Callable[[], Any]) -> ChangeSet:
    with work(action), transaction.atomic():
        write()
    return ChangeSet.objects.filter(action=action).latest("pk")


def make_products(*skus: str) -> list[Product]:
    return list(Product.objects.bulk_create(Product(sku=s, name=s, price=1) for s in skus))


def waiting_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_stat_clear_snapshot(), count(*) "
            "FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
            "WHERE a.datname = current_database() AND NOT l.granted"
        )
        return bool(cursor.fetchone()[1])


def until(condition: Callable[[], bool]) -> None:
    for _attempt in range(1000):
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError("It never came to that.")


def edited_during_an_undo(change_set: ChangeSet, edit: Callable[[], Any]) -> list[UndoResult]:
    """Undo while somebody has an edit open, which they commit when the undo waits for them."""
    edited, results = threading.Event(), []

    def somebody() -> None:
        with work("edit"), transaction.atomic():
            edit()
            edited.set()
            until(waiting_for_a_lock)

    def undoing() -> None:
        assert edited.wait(timeout=30)
        results.append(undo(change_set))

    in_threads(somebody, undoing)
    return results


@pytest.mark.parametrize("round_", range(3))
def test_an_edit_that_comes_between_is_not_overwritten(round_: int) -> None:
    make_products("A", "B")
    raised = change_set_of("raise", lambda: Product.objects.update(price=20))
    (result,) = edited_during_an_undo(
        raised, lambda: Product.objects.filter(sku="A").update(price=30)
    )
    assert dict(Product.objects.values_list("sku", "price")) == {
        "A": Decimal(30), "B": Decimal(1),
    }  # fmt: skip
    assert (result.plan.undone, result.plan.kept(Keep.CHANGED)) == (1, 1)


def test_an_edit_that_comes_between_keeps_what_was_created() -> None:
    made = change_set_of("make", lambda: make_products("A", "B"))
    (result,) = edited_during_an_undo(
        made, lambda: Product.objects.filter(sku="A").update(price=30)
    )
    assert [(p.sku, p.price) for p in Product.objects.all()] == [("A", Decimal(30))]
    assert (result.plan.undone, result.plan.kept(Keep.CHANGED)) == (1, 1)


def test_what_is_put_to_use_at_the_same_moment_stays_or_was_never_used() -> None:
    make_products("A")
    for _round in range(ROUNDS):
        made = change_set_of("make", lambda: Category.objects.get_or_create_path("Audio"))
        category = Category.objects.get()
        barrier = threading.Barrier(2)
        outcome: list[str] = []

        def somebody(
            category: Category = category,
            barrier: threading.Barrier = barrier,
            outcome: list[str] = outcome,
        ) -> None:
            barrier.wait(timeout=30)
            try:
                with work("use"), transaction.atomic():
                    Product.objects.update(category=category)
                outcome.append("used")
            except IntegrityError:
                outcome.append("refused")

        def undoing(
            made: ChangeSet = made,
            barrier: threading.Barrier = barrier,
            outcome: list[str] = outcome,
        ) -> None:
            barrier.wait(timeout=30)
            try:
                undo(made)
                outcome.append("undone")
            except NothingToUndo:
                outcome.append("kept")

        in_threads(somebody, undoing)
        product = Product.objects.get()
        if set(outcome) == {"used", "kept"}:
            assert product.category == category
        else:
            assert set(outcome) == {"refused", "undone"}
            assert (product.category, Category.objects.count()) == (None, 0)
        with work("clear"):
            Product.objects.update(category=None)
            Category.objects.all().delete()


def test_without_the_locks_the_edit_would_be_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: what the locks prevent, these tests would see."""
    monkeypatch.setattr(services, "lock_rows", lambda change_set, tables: None)
    make_products("A", "B")
    raised = change_set_of("raise", lambda: Product.objects.update(price=20))
    edited_during_an_undo(raised, lambda: Product.objects.filter(sku="A").update(price=30))
    assert set(Product.objects.values_list("price", flat=True)) == {Decimal(1)}


def both(change_set: ChangeSet) -> tuple[list[UndoResult], list[NothingToUndo]]:
    """Two people undo the same at once."""
    barrier, results, refused = threading.Barrier(2), [], []

    def one() -> None:
        barrier.wait(timeout=30)
        try:
            results.append(undo(change_set))
        except NothingToUndo as nothing:
            refused.append(nothing)

    in_threads(one, one)
    return results, refused


@pytest.fixture
def catalogue() -> None:
    for product in make_products("A", "B", "C"):
        product.tags.set(Tag.objects.named(["new"]))


@pytest.mark.parametrize(
    "write",
    [
        lambda: Product.objects.update(price=20),
        lambda: Product.objects.all().delete(),
        lambda: make_products("D", "E"),
    ],
    ids=["changed", "deleted", "created"],
)
def test_of_two_undos_at_once_one_does_it(catalogue: None, write: Callable[[], Any]) -> None:
    before = [list(Product.objects.order_by("pk").values("pk", "sku", "price"))]
    links = set(ProductTag.objects.values_list("pk", flat=True))
    change_set = change_set_of("write", write)
    for _round in range(ROUNDS // 2):
        results, refused = both(change_set)
        assert (len(results), len(refused)) == (1, 1)
        assert [list(Product.objects.order_by("pk").values("pk", "sku", "price"))] == before
        assert set(ProductTag.objects.values_list("pk", flat=True)) == links
        assert refused[0].plan.total_kept == results[0].plan.undone
        # And for the next round the other way.
        change_set = undo(results[0].change_set).change_set


def test_undos_that_overlap_do_not_deadlock(catalogue: None) -> None:
    """One goes over products and their tags, the other over the same from another change set."""
    for _round in range(ROUNDS):
        first = change_set_of("first", lambda: Product.objects.update(brand="Acme"))
        second = change_set_of(
            "second", lambda: Product.objects.filter(sku__in=["A", "B"]).update(brand="Other")
        )
        barrier = threading.Barrier(2)

        def run(change_set: ChangeSet, barrier: threading.Barrier = barrier) -> Callable[[], None]:
            def one() -> None:
                barrier.wait(timeout=30)
                undo(change_set)

            return one

        in_threads(run(first), run(second))
        # Whoever came first: C is of the first alone, and what the second did is taken back.
        brands = dict(Product.objects.values_list("sku", "brand"))
        assert brands == {"A": "Acme", "B": "Acme", "C": ""}
        change_set_of("clear", lambda: Product.objects.update(brand=""))
