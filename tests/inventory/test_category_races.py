"""Two people move categories at the same moment, each below what the other one moves."""

from threading import Barrier, Thread

import pytest
from django.db import DatabaseError, connection, transaction

from inventory.models import Category
from tests.inventory.factories import make_category

ROUNDS = 20

pytestmark = pytest.mark.django_db(transaction=True)


def in_a_circle() -> list[str]:
    """The names of the categories that have no way up to the top level."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE reached(id) AS (
                SELECT id FROM inventory_category WHERE parent_id IS NULL
                UNION
                SELECT c.id FROM inventory_category c JOIN reached r ON c.parent_id = r.id
            )
            SELECT name FROM inventory_category WHERE id NOT IN (SELECT id FROM reached) ORDER BY 1
            """
        )
        return [name for (name,) in cursor.fetchall()]


def move_at_once(first: tuple[Category, Category], second: tuple[Category, Category]) -> int:
    """Make both moves (what, below what) in two connections, and return how many went through."""
    barrier = Barrier(2)
    moved = []

    def move(what: Category, below: Category) -> None:
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SET LOCAL deadlock_timeout = '20ms'")
                barrier.wait(timeout=10)
                Category.objects.filter(pk=what.pk).update(parent=below)
            moved.append(what)
        except DatabaseError:
            pass  # refused, or chosen to give way
        finally:
            connection.close()

    threads = [Thread(target=move, args=pair) for pair in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return len(moved)


def test_moves_below_each_other_close_no_circle() -> None:
    a, b = make_category("A"), make_category("B")
    for _round in range(ROUNDS):
        assert move_at_once((a, b), (b, a)) <= 1
        assert in_a_circle() == []
        Category.objects.update(parent=None)


def test_moves_below_what_hangs_on_the_other_close_no_circle() -> None:
    a1, b1 = make_category("A > A1"), make_category("B > B1")
    a, b = Category.objects.get(name="A"), Category.objects.get(name="B")
    for _round in range(ROUNDS):
        assert move_at_once((a, b1), (b, a1)) <= 1
        assert in_a_circle() == []
        Category.objects.filter(name__in=["A", "B"]).update(parent=None)


def test_a_circle_would_be_seen() -> None:
    """The negative control: with the triggers set aside the same moves do close one."""
    a, b = make_category("A"), make_category("B")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        Category.objects.filter(pk=a.pk).update(parent=b)
        Category.objects.filter(pk=b.pk).update(parent=a)
    assert in_a_circle() == ["A", "B"]
    # Nothing may follow its way up for ever, the flush after the test included.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        Category.objects.update(parent=None)
