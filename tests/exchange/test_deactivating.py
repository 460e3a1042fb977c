"""A supplier's full list takes what it does not name out of use."""

from collections.abc import Callable

import pytest

from backoffice.audit.undo.services import undo_change_set
from backoffice.exchange.choices import decide
from backoffice.exchange.deactivating import missing_rows
from backoffice.exchange.exceptions import MappingRefused, PlanStale, TooManyMissing
from backoffice.exchange.models import ImportJob
from backoffice.exchange.resources import get_resource
from inventory.models import Product
from tests.inventory.factories import make_product

from .choosing import brought, choose
from .files import apply, bring

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_work")]

LIST = "sku,price\nA,2\nb,1\n"


@pytest.fixture(autouse=True)
def _shop() -> None:
    for sku, brand in ("AX", "BX", "CX", "DY", "EY"):
        make_product(sku=sku, brand=brand, price=1)
    make_product(sku="Z", brand="X", is_active=False)


def active() -> list[str]:
    return list(Product.objects.active().order_by("sku").values_list("sku", flat=True))


def of_x(content: str = LIST, **chosen: object) -> ImportJob:
    chosen = {"deactivate_scope": {"brand": "x"}, **chosen}
    return brought(content, deactivate_missing=True, **chosen)


def test_nothing_is_deactivated_unasked() -> None:
    job = apply(bring(LIST))
    assert (job.deactivated, active()) == (0, ["A", "B", "C", "D", "E"])


def test_what_the_list_of_a_brand_does_not_name_is_deactivated_with_the_rest() -> None:
    job = of_x()
    assert (job.deactivated, job.changed, active()) == (1, 1, ["A", "B", "C", "D", "E"])
    [row] = missing_rows(job, get_resource("products"))
    assert (row.key, row.cells[-1].old, row.cells[-1].new) == ("C", "yes", "no")
    job = apply(job)
    assert (job.deactivated, active()) == (1, ["A", "B", "D", "E"])
    newest = Product.history.filter(sku="C").latest("history_id")
    assert (newest.change_set_id, newest.history_change_reason) == (
        job.change_set_id, "Prices of March",
    )  # fmt: skip
    assert job.change_set is not None
    undo_change_set(change_set=job.change_set, actor=None, reason="wrong list")
    assert active() == ["A", "B", "C", "D", "E"]


def test_more_than_half_has_to_be_confirmed_for_this_very_plan() -> None:
    job = of_x("sku,price\nA,2\n")
    assert job.deactivated == 2
    with pytest.raises(TooManyMissing, match="2 of 3 are not in the file"):
        apply(job)
    assert len(active()) == 5
    decide(job=job, confirm_deactivation=True)
    with pytest.raises(TooManyMissing):
        apply(choose(job))  # planned anew
    apply(decide(job=job, confirm_deactivation=True))
    assert active() == ["A", "D", "E"]


def test_of_the_whole_table_if_it_is_of_no_part() -> None:
    job = of_x("sku,price\nA,2\nB,1\nC,1\n", deactivate_scope={})
    assert job.deactivated == 2
    apply(job)
    assert active() == ["A", "B", "C"]


def test_invalid_rows_are_named_all_the_same() -> None:
    job = of_x("sku,price\nA,2\nB,x\n")
    assert (job.deactivated, job.invalid) == (1, 1)
    apply(job, valid_rows_only=True)
    assert active() == ["A", "B", "D", "E"]


@pytest.mark.parametrize("row", ["", ",1", 'B,"x"y', "<clear>,1"])
def test_a_row_that_might_name_anything_keeps_everything(row: str) -> None:
    job = of_x(f"sku,price\nA,2\n{row or 'B'}\n")
    assert (job.deactivated, job.summary["unnamed"]) == (0, 1)
    apply(job, valid_rows_only=True)
    assert len(active()) == 5


@pytest.mark.parametrize(
    "change",
    [
        lambda: make_product(sku="N", brand="X"),
        lambda: Product.objects.filter(sku="C").update(is_active=False),
        lambda: Product.objects.filter(sku="C").update(name="other"),
        lambda: Product.objects.filter(sku="C").update(sku="A2"),
        lambda: Product.objects.filter(sku="D").update(brand="X"),
        lambda: Product.objects.filter(sku="C").delete(),
    ],
)
def test_what_was_added_deactivated_or_changed_since_is_told(change: Callable[[], object]) -> None:
    job = of_x()
    change()
    before = active()
    with pytest.raises(PlanStale):
        apply(job)
    assert (active(), Product.objects.get(sku="A").price) == (before, 1)


def test_only_declared_fields_tell_a_part_and_only_declared_resources_do_it() -> None:
    for scope in ({"price": "1"}, {"id": "1"}, {"brand'; --": "x"}):
        with pytest.raises(MappingRefused, match="cannot be told by this field"):
            of_x(deactivate_scope=scope)
