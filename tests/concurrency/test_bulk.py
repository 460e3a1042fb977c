"""Bulk actions beside each other and beside an import: they wait, and none stands in the way."""

import io
import threading
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from django.contrib import admin
from django.db import OperationalError, transaction
from django.db.models import QuerySet

from backoffice import bulk
from backoffice.accounts.models import User
from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import ChangeSet
from backoffice.bulk import Outcome
from backoffice.console.bulk.changes import Change, Deed
from backoffice.console.bulk.editing import BulkEdit
from backoffice.console.bulk.preview import preview
from backoffice.console.bulk.refusals import PreviewOutdated
from backoffice.exchange.exceptions import PlanStale
from backoffice.exchange.services import apply_import, map_columns, start_import
from inventory.models import Product
from inventory.services.catalogue import change_prices_by_percent
from tests.concurrency.test_actors import in_threads
from tests.concurrency.test_undo import make_products, until, waiting_for_a_lock
from tests.personas import Persona, make_user

pytestmark = pytest.mark.django_db(transaction=True)
NUMBER = 30


def _in_the_middle(*works: Callable[[], Any]) -> None:
    """Run the works while somebody holds the row in the middle, until all wait for something."""
    (middle,) = Product.objects.order_by("pk")[NUMBER // 2 : NUMBER // 2 + 1]
    held = threading.Event()

    def somebody() -> None:
        with transaction.atomic():
            Product.objects.select_for_update().get(pk=middle.pk)
            held.set()
            until(waiting_for_a_lock)
            # Those that came later have got as far as they can by then.
            threading.Event().wait(0.5)

    def after(work: Callable[[], Any]) -> Callable[[], None]:
        def run() -> None:
            assert held.wait(timeout=30)
            with audit_context(source=Source.ADMIN, reason="as ordered"):
                work()

        return run

    in_threads(somebody, *map(after, works))


def _raise_prices(order: str = "pk") -> Outcome:
    rows: QuerySet[Product] = Product.objects.order_by(order)
    return change_prices_by_percent(
        products=rows, percent=Decimal(10), actor=User.objects.get(), reason="as ordered"
    )


def _brought() -> Any:
    """An import that changes all products, ready to be applied."""
    lines = [f"P-{n},Brought {n}" for n in reversed(range(NUMBER))]
    with audit_context(source=Source.COMMAND):
        job = start_import(
            resource="products",
            file=io.BytesIO("\n".join(["sku,name", *lines]).encode()),
            file_name="x.csv",
            user=None,
        )
        return map_columns(job=job, mapping={"sku": 0, "name": 1})


@pytest.fixture
def shop() -> list[Product]:
    make_user(Persona.CATALOGUE_MANAGER)
    return make_products(*(f"P-{n}" for n in range(NUMBER)))


def test_two_bulk_actions_and_an_import_wait_for_each_other(shop: list[Product]) -> None:
    job = _brought()

    def bring() -> None:
        # What a bulk action changed meanwhile makes its preview old; that is no deadlock.
        with suppress(PlanStale):
            apply_import(job=job, reason="as ordered")

    _in_the_middle(_raise_prices, lambda: _raise_prices("-pk"), bring)
    assert {p.price for p in Product.objects.all()} == {Decimal("1.21")}
    assert ChangeSet.objects.filter(action="Price of 30 products changed by 10 %").count() == 2


def test_without_the_order_of_keys_they_stand_in_each_others_way(
    shop: list[Product], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: what the order of the locks is for."""

    def as_it_comes(rows: QuerySet[Any]) -> list[Any]:
        return list(rows.select_for_update().values_list("pk", flat=True))

    monkeypatch.setattr(bulk, "lock_in_order", as_it_comes)
    with pytest.raises(OperationalError, match="deadlock detected"):
        _in_the_middle(_raise_prices, lambda: _raise_prices("-pk"))


def _edit() -> tuple[BulkEdit, dict[str, Change], str]:
    action = BulkEdit(admin.site.get_model_admin(Product))
    field = Product._meta.get_field("price")
    asked = {"price": Change(field=field, deed=Deed.PERCENT, value=Decimal(10))}
    return action, asked, preview(action, Product.objects.all(), asked).fingerprint


def _clicked_twice() -> list[str]:
    action, asked, seen = _edit()
    outcomes: list[str] = []

    def click() -> None:
        try:
            action.apply(
                Product.objects.all(), asked, seen=seen, actor=User.objects.get(), reason="x"
            )
            outcomes.append("done")
        except PreviewOutdated:
            outcomes.append("outdated")

    _in_the_middle(click, click)
    return sorted(outcomes)


def test_two_clicks_at_the_same_moment_do_it_once(shop: list[Product]) -> None:
    assert _clicked_twice() == ["done", "outdated"]
    assert {p.price for p in Product.objects.all()} == {Decimal("1.10")}


def test_compared_before_the_lock_two_clicks_do_it_twice(
    shop: list[Product], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: what the lock before the comparison is for."""
    monkeypatch.setattr(
        "backoffice.console.bulk.action.lock_in_order",
        lambda rows: list(rows.values_list("pk", flat=True)),
    )
    assert _clicked_twice() == ["done", "done"]
    assert {p.price for p in Product.objects.all()} == {Decimal("1.21")}
