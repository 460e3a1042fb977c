from decimal import Decimal
from threading import Event, Thread
from typing import Any

import pytest
from django.db import connection, transaction

from backoffice.accounts.models import User
from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import ChangeSet
from backoffice.audit.reasons import ReasonMissing
from backoffice.bulk import Outcome
from inventory.exceptions import PercentOutOfRange
from inventory.models import Product, ProductTag
from inventory.selectors import SkipReason
from inventory.services.catalogue import (
    activate_products,
    add_tag,
    change_prices_by_percent,
    deactivate_products,
    set_category,
)
from tests.inventory.factories import make_category, make_product, make_tag

pytestmark = pytest.mark.django_db


def on_the_record(action: str) -> ChangeSet:
    """The one change set of this action."""
    return ChangeSet.objects.get(action=action)


def test_activating_leaves_alone_what_is_active(catalogue_manager: User) -> None:
    make_product(sku="A", is_active=False)
    make_product(sku="B", is_active=False)
    make_product(sku="C")
    make_product(sku="D", is_active=False)

    outcome = activate_products(
        products=Product.objects.exclude(sku="D"), actor=catalogue_manager, reason="Spring"
    )

    assert outcome == Outcome(done=2, skipped={SkipReason.ALREADY_ACTIVE: 1})
    assert sorted(Product.objects.active().values_list("sku", flat=True)) == ["A", "B", "C"]
    change_set = on_the_record("2 products activated")
    assert (change_set.reason, change_set.actor_id) == ("Spring", catalogue_manager.pk)
    history = Product.history.filter(change_set=change_set)
    assert sorted(history.values_list("sku", "history_type", "is_active")) == [
        ("A", "~", True),
        ("B", "~", True),
    ]


def test_what_a_change_takes_out_of_its_own_filter_is_changed_and_counted(
    catalogue_manager: User,
) -> None:
    make_product(sku="A")
    make_product(sku="B")
    outcome = deactivate_products(
        products=Product.objects.active(), actor=catalogue_manager, reason="Sold out"
    )
    assert outcome == Outcome(done=2)
    assert Product.objects.active().count() == 0
    assert on_the_record("2 products deactivated").source == Source.SHELL


def test_a_service_keeps_the_source_of_whoever_called_it(catalogue_manager: User) -> None:
    make_product()
    with audit_context(source=Source.COMMAND, action="tidy up"):
        deactivate_products(products=Product.objects.all(), actor=catalogue_manager, reason="x")
    assert on_the_record("1 product deactivated").source == Source.COMMAND


def test_setting_a_category(catalogue_manager: User) -> None:
    radios = make_category("Audio > Radios")
    make_product(sku="A")
    make_product(sku="B", category=radios)
    make_product(sku="C", category=make_category("Kitchen"))
    outcome = set_category(
        products=Product.objects.all(), category=radios, actor=catalogue_manager, reason="Sorted"
    )
    assert outcome == Outcome(done=2, skipped={SkipReason.ALREADY_THERE: 1})
    assert Product.objects.filter(category=radios).count() == 3
    assert on_the_record("2 products moved to Audio > Radios").reason == "Sorted"


def test_adding_a_tag(catalogue_manager: User) -> None:
    summer = make_tag("Summer")
    make_product(sku="A")
    make_product(sku="B").tags.add(summer)
    make_product(sku="C").tags.add(make_tag("Red"))
    outcome = add_tag(
        products=Product.objects.all(), tag=summer, actor=catalogue_manager, reason="Season"
    )
    assert outcome == Outcome(done=2, skipped={SkipReason.ALREADY_TAGGED: 1})
    assert Product.objects.tagged("Summer").count() == 3
    assert Product.objects.tagged("Red").count() == 1
    links = ProductTag.history.filter(change_set=on_the_record("Tag “Summer” added to 2 products"))
    assert sorted(links.values_list("product__sku", "history_type")) == [("A", "+"), ("C", "+")]


@pytest.mark.parametrize(
    ("price", "percent", "new"),
    [
        ("10.00", "5", "10.50"),
        ("0.30", "5", "0.32"),  # 0.315
        ("0.10", "-5", "0.10"),  # 0.095
        ("9.99", "-100", "0.00"),
        ("10.00", "1000", "110.00"),
        ("0.0040", "5", "0.0042"),  # below the cent
        ("19.99", "3.33", "20.66"),  # 20.655667
    ],
)
def test_prices_are_rounded_to_the_cent_and_a_half_upwards(
    price: str, percent: str, new: str, catalogue_manager: User
) -> None:
    product = make_product(price=Decimal(price))
    change_prices_by_percent(
        products=Product.objects.all(),
        percent=Decimal(percent),
        actor=catalogue_manager,
        reason="x",
    )
    product.refresh_from_db()
    assert product.price == Decimal(new)


def test_changing_prices_leaves_alone_what_would_break_a_rule(catalogue_manager: User) -> None:
    make_product(sku="A", price=Decimal("10.00"))
    make_product(sku="B", price=Decimal("10.00"), compare_at_price=Decimal("10.50"))
    make_product(sku="C", price=Decimal("10.00"), compare_at_price=Decimal("10.51"))
    make_product(sku="D", price=Decimal("0.00"))
    make_product(sku="E", price=Decimal("0.05"))
    make_product(sku="F", price=Decimal("9999999999.00"))
    outcome = change_prices_by_percent(
        products=Product.objects.all(),
        percent=Decimal("5.00"),
        actor=catalogue_manager,
        reason="Copper is dearer",
    )
    assert outcome == Outcome(
        done=2,
        skipped={
            SkipReason.COMPARE_AT_NOT_ABOVE: 1,
            SkipReason.SAME_PRICE: 2,
            SkipReason.PRICE_TOO_HIGH: 1,
        },
    )
    assert list(Product.objects.order_by("sku").values_list("price", flat=True)) == [
        Decimal("10.50"),
        Decimal("10.00"),
        Decimal("10.50"),
        Decimal("0.00"),
        Decimal("0.05"),
        Decimal("9999999999.00"),
    ]
    change_set = on_the_record("Price of 2 products changed by 5 %")
    assert change_set.reason == "Copper is dearer"
    assert Product.history.filter(change_set=change_set).count() == 2


@pytest.mark.parametrize("percent", ["-100.01", "1000.01"])
def test_a_percent_out_of_range_is_refused_with_its_limits(
    percent: str, catalogue_manager: User
) -> None:
    product = make_product(price=Decimal("10.00"))
    with pytest.raises(PercentOutOfRange) as caught:
        change_prices_by_percent(
            products=Product.objects.all(),
            percent=Decimal(percent),
            actor=catalogue_manager,
            reason="x",
        )
    assert caught.value.percent == Decimal(percent)
    assert (caught.value.lowest, caught.value.highest) == (Decimal(-100), Decimal(1000))
    product.refresh_from_db()
    assert (product.price, product.version) == (Decimal("10.00"), 1)


def test_a_change_of_many_needs_a_reason(catalogue_manager: User) -> None:
    product = make_product()
    with pytest.raises(ReasonMissing):
        deactivate_products(products=Product.objects.all(), actor=catalogue_manager, reason="  ")
    product.refresh_from_db()
    assert product.is_active


def test_nothing_to_change_leaves_nothing_on_the_record(catalogue_manager: User) -> None:
    make_product()
    before = ChangeSet.objects.count()
    outcome = activate_products(products=Product.objects.all(), actor=catalogue_manager, reason="x")
    assert outcome == Outcome(done=0, skipped={SkipReason.ALREADY_ACTIVE: 1})
    assert ChangeSet.objects.count() == before


def test_a_service_runs_a_fixed_number_of_statements(
    catalogue_manager: User, django_assert_num_queries: Any
) -> None:
    for _number in range(30):
        make_product()
    # Savepoint, lock, count, write, release.
    with django_assert_num_queries(5):
        deactivate_products(products=Product.objects.all(), actor=catalogue_manager, reason="x")


@pytest.mark.django_db(transaction=True)
def test_a_price_is_raised_from_what_the_one_before_left(catalogue_manager: User) -> None:
    """A second change waits for the lock of the first, and starts from its result."""
    product = make_product(price=Decimal("100.00"))
    started = Event()

    def second() -> None:
        started.set()
        change_prices_by_percent(
            products=Product.objects.all(),
            percent=Decimal(10),
            actor=catalogue_manager,
            reason="second",
        )
        connection.close()

    thread = Thread(target=second)
    with transaction.atomic():
        change_prices_by_percent(
            products=Product.objects.all(),
            percent=Decimal(10),
            actor=catalogue_manager,
            reason="first",
        )
        thread.start()
        started.wait(timeout=10)
    thread.join(timeout=30)
    product.refresh_from_db()
    assert product.price == Decimal("121.00")
