"""Work that goes on at once is never put down to somebody else."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from backoffice.accounts.models import User
from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import ChangeSet
from inventory.models import Product
from tests.personas import Persona, make_user

ROUNDS = 20
pytestmark = pytest.mark.django_db(transaction=True)


def in_threads(*works: Callable[[], None]) -> None:
    """Run each in a thread and connection of its own; raise what any of them raised."""
    errors: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised again below, in the test's thread
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    if errors:
        raise errors[0]


@pytest.fixture
def people() -> list[User]:
    return [make_user(persona) for persona in list(Persona)[:4]]


@pytest.fixture
def products(people: list[User]) -> list[Product]:
    """One for each person, who is named in it."""
    made = [Product(sku=f"of-{user.pk}", name=user.email, price=1) for user in people]
    return list(Product.objects.bulk_create(made))


def attributed_to_another(since: int) -> list[Any]:
    """Changes of a product that somebody else than its person is said to have made."""
    rows = Product.history.filter(history_type="~", history_id__gt=since)
    return [row for row in rows if row.sku != f"of-{row.history_user_id}"]


def newest() -> int:
    return int(Product.history.latest("history_id").history_id)


@pytest.mark.parametrize("atomic", [True, False], ids=["in transactions", "in autocommit"])
def test_connections_never_mix_their_actors(
    people: list[User], products: list[Product], atomic: bool
) -> None:
    barrier = threading.Barrier(len(people))
    since = newest()
    last_set = ChangeSet.objects.latest("pk").pk

    def work(user: User) -> Callable[[], None]:
        def many_rounds() -> None:
            for number in range(ROUNDS):
                with audit_context(
                    source=Source.ADMIN, actor=user, request_id=f"{number}", reason="Theirs"
                ):
                    barrier.wait(timeout=30)
                    if atomic:
                        with transaction.atomic():
                            update(user, price=number * 10 + 2)
                            barrier.wait(timeout=30)  # all are in the middle of theirs
                            update(user, price=number * 10 + 3)
                    else:
                        update(user, price=number * 10 + 2)
                        update(user, price=number * 10 + 3)

        return many_rounds

    def update(user: User, price: int) -> None:
        assert Product.objects.filter(sku=f"of-{user.pk}").update(price=price) == 1

    in_threads(*(work(user) for user in people))

    rows = Product.history.filter(history_id__gt=since)
    assert rows.count() == len(people) * ROUNDS * 2
    assert attributed_to_another(since) == []
    sets = ChangeSet.objects.in_bulk(rows.values_list("change_set_id", flat=True))
    assert len(sets) == ChangeSet.objects.filter(pk__gt=last_set).count()
    assert len(sets) == len(people) * ROUNDS * (1 if atomic else 2)
    assert all(sets[row.change_set_id].actor_id == row.history_user_id for row in rows)


def test_one_connection_serves_one_after_the_other(
    people: list[User], products: list[Product]
) -> None:
    since = newest()
    backend = connection.connection
    for _ in range(ROUNDS):
        for user in people:
            with audit_context(source=Source.ADMIN, actor=user, reason="Theirs"):
                Product.objects.filter(sku=f"of-{user.pk}").update(price=newest())
    assert connection.connection is backend
    assert attributed_to_another(since) == []


def test_a_setting_for_the_session_does_leak(people: list[User], products: list[Product]) -> None:
    """The negative control: what the context avoids, this test would see."""
    since = newest()
    first, second = people[:2]
    with (
        audit_context(source=Source.ADMIN, actor=first, reason="Theirs") as context,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT set_config('audit.context', %s, false)", [context.as_json()])
    with connection.cursor() as cursor:  # the next request, whose context nobody announced
        cursor.execute("UPDATE inventory_product SET price = 7 WHERE sku = %s", [f"of-{second.pk}"])
        cursor.execute("RESET audit.context")

    (row,) = attributed_to_another(since)
    assert (row.sku, row.history_user_id) == (f"of-{second.pk}", first.pk)
