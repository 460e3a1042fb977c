"""A file that is older than the data overwrites nothing unless its user says so."""

import re

import pytest
from django.utils import timezone

from backoffice.audit.context import Source, audit_context
from backoffice.exchange.choices import decide
from backoffice.exchange.exceptions import PlanStale, WrongState
from backoffice.exchange.exporting import export_rows
from backoffice.exchange.models import ImportJob
from backoffice.exchange.preview import preview_rows
from backoffice.exchange.resources import get_resource
from inventory.models import Category, Discount, Product, ProductImage
from tests.inventory.factories import make_product, make_tag

from .choosing import choose
from .files import apply, bring, counts, problems, statuses

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_work")]


@pytest.fixture
def stale() -> str:
    """A file of three products, renamed in it, of which the first was renamed by another since."""
    for sku in "ABC":
        make_product(sku=sku, name="as it was", price=1)
    rows = [
        f"{p.sku},in the file,{p.price + 1},{p.version}" for p in Product.objects.order_by("pk")
    ]
    with audit_context(source=Source.SHELL, action="correction", actor_name="Ada Admin"):
        Product.objects.filter(sku="A").update(name="corrected")
    return "sku,name,price,version\n" + "\n".join(rows) + "\n"


def names() -> list[str]:
    return list(Product.objects.order_by("pk").values_list("name", flat=True))


def test_a_row_changed_since_the_export_is_a_conflict_and_left_alone(stale: str) -> None:
    job = bring(stale)
    assert statuses(job) == ["conflict", "changed", "changed"]
    assert (counts(job), job.conflicts) == ((0, 2, 0, 0), 1)
    apply(job)
    assert names() == ["corrected", "in the file", "in the file"]
    assert [p.price for p in Product.objects.order_by("pk")] == [1, 2, 2]


def test_it_shows_both_values_and_who_changed_it_when(stale: str) -> None:
    [row] = preview_rows(bring(stale), get_resource("products"), status="conflict")
    name = next(cell for cell in row.cells if cell.name == "name")
    assert (name.old, name.new, name.is_changed) == ("corrected", "in the file", True)
    [dispute] = row.disputes  # not the price: only the file has another one
    assert (dispute.name, dispute.now, dispute.file) == ("name", "corrected", "in the file")
    assert dispute.change is not None
    assert (dispute.change.who, dispute.change.is_rename) == ("Ada Admin", False)
    assert abs((timezone.now() - dispute.change.at).total_seconds()) < 60


def test_it_is_overwritten_if_the_user_says_so(stale: str) -> None:
    job = apply(decide(job=bring(stale), overwrite_conflicts=True))
    assert names() == ["in the file"] * 3
    assert (job.changed, job.conflicts, job.overwrite_conflicts) == (2, 1, True)


def test_a_conflict_that_moved_on_once_more_is_not_overwritten(stale: str) -> None:
    job = decide(job=bring(stale), overwrite_conflicts=True)
    Product.objects.filter(sku="A").update(name="corrected twice")
    with pytest.raises(PlanStale) as error:
        apply(job)
    assert error.value.row_numbers == [1]
    assert names()[0] == "corrected twice"


def test_a_conflict_that_moved_on_does_not_hold_up_the_rest(stale: str) -> None:
    job = bring(stale)
    Product.objects.filter(sku="A").update(name="corrected twice")
    apply(job)
    assert names()[0] == "corrected twice"


def test_what_is_the_same_after_all_is_no_conflict(stale: str) -> None:
    Product.objects.filter(sku="A").update(name="in the file", price=2)
    assert statuses(bring(stale)) == ["unchanged", "changed", "changed"]


def test_a_row_without_a_version_is_not_compared(stale: str) -> None:
    make_product(sku="D", name="d", price=1)
    assert statuses(bring("sku,name,version\nD,e,\nN,n,7\n"))[0] == "changed"


def test_categories_are_made_for_conflicts_only_if_they_are_written(stale: str) -> None:
    lines = stale.splitlines()
    content = f"{lines[0]},category\n{lines[1]},Kitchen\n{lines[2]},\n"
    apply(bring(content))
    assert Category.objects.count() == 0
    Product.objects.filter(sku="B").update(price=1)
    job = bring(content)
    assert job.summary["creates"] == {}
    assert job.summary["creates_if_overwritten"]["category"]["first"] == ["Kitchen"]
    apply(decide(job=job, overwrite_conflicts=True))
    assert str(Product.objects.get(sku="A").category) == "Kitchen"


def test_a_version_that_is_none_is_told_if_the_column_was_chosen_by_hand() -> None:
    job = bring("sku,name,price,state\nA,a,1,1\nB,b,1,two\n")
    job = choose(job, mapping={**job.mapping, "version": 3})
    assert [(line, column) for line, column, *_rest in problems(job)] == [(3, "Version")]


def test_it_is_decided_before_applying_and_not_after(stale: str) -> None:
    job = apply(bring(stale))
    with pytest.raises(WrongState):
        decide(job=job, overwrite_conflicts=True)
    assert ImportJob.objects.get(pk=job.pk).overwrite_conflicts is False


def test_conflicts_that_were_left_come_back_as_a_file(stale: str) -> None:
    job = apply(bring(stale.replace("B,in the file,2", "B,in the file,x")), valid_rows_only=True)
    with job.errors_file.open() as file:
        content = file.read().decode("utf-8-sig")
    head, first, second = content.splitlines()
    assert head == "sku,name,price,version,Error"
    assert first.startswith('A,in the file,2.0000,1,"Somebody changed this row after')
    assert second.startswith('B,in the file,x.0000,1,"Price: ')
    assert bring(content).conflicts == 1  # nothing is overwritten by bringing it as it is
    apply(bring(f"{head}\n{first.replace(',1,"', ',,"')}\n"))
    assert names() == ["in the file", "as it was", "in the file"]


def test_a_conflict_that_was_overwritten_is_in_no_such_file(stale: str) -> None:
    assert not apply(decide(job=bring(stale), overwrite_conflicts=True)).errors_file


# Lists: they raise no number


@pytest.fixture
def listed() -> str:
    """An export of three products with two tags each, of which the first two got a third since."""
    for sku in "ABC":
        product = Product.objects.create_with_tags(sku=sku, name=sku, price=1, tags=["red", "big"])
        ProductImage.objects.create(product=product, url=f"https://shop.test/{sku}.png")
    content = export("sku", "name", "tags", "version")
    with audit_context(source=Source.SHELL, action="tagged", actor_name="Ada Admin"):
        new = make_tag("new")
        for product in Product.objects.filter(sku__in="AB"):
            product.tags.add(new)
    return content


def export(*columns: str) -> str:
    products = Product.objects.order_by("pk")
    rows = export_rows(get_resource("products"), products, user=None, columns=columns)
    return b"".join(rows).decode("utf-8-sig")


def tags() -> list[str]:
    return [
        ",".join(sorted(p.tags.values_list("name", flat=True)))
        for p in Product.objects.order_by("pk")
    ]


def test_an_old_list_does_not_take_away_what_was_added_since(listed: str) -> None:
    content = listed.replace("A,A", "A,Cup").replace("C,C", "C,Pot").replace('"big', '"tiny')
    job = bring(content)
    assert statuses(job) == ["conflict", "conflict", "changed"]
    apply(job)
    assert tags() == ["big,new,red", "big,new,red", "red,tiny"]
    assert names() == ["A", "B", "Pot"]


def test_it_says_who_changed_the_list(listed: str) -> None:
    [row, _other] = preview_rows(bring(listed), get_resource("products"), status="conflict")
    assert [cell.name for cell in row.cells if cell.is_changed] == ["tags"]
    assert [d.change and d.change.who for d in row.disputes] == ["Ada Admin"]


def test_a_conflict_of_lists_is_overwritten_if_the_user_says_so(listed: str) -> None:
    apply(decide(job=bring(listed), overwrite_conflicts=True))
    assert tags() == ["big,red"] * 3


def test_a_list_that_the_file_would_leave_alone_is_no_conflict(listed: str) -> None:
    without_tags = "\n".join(
        ",".join((sku, f"new {sku}", line.rpartition(",")[2]))
        for sku, line in zip("ABC", listed.splitlines()[1:], strict=True)
    )
    assert statuses(bring(f"sku,name,version\n{without_tags}\n")) == ["changed"] * 3
    blank = listed.replace('"big, red"', "").replace("A,A", "A,Cup")
    assert statuses(bring(blank)) == ["changed", "unchanged", "unchanged"]


def test_another_list_of_the_row_counts_as_well(listed: str) -> None:
    content = export("sku", "images", "version").replace("https://shop.test/A", "/other")
    assert statuses(bring(content)) == ["changed", "unchanged", "unchanged"]
    ProductImage.objects.filter(product__sku="A").update(alt_text="A cup")
    assert statuses(bring(content)) == ["conflict", "unchanged", "unchanged"]


def test_a_version_that_is_a_number_alone_is_understood(listed: str) -> None:
    older = re.sub(r"-[a-z]{6}", "", listed)
    assert older != listed
    assert statuses(bring(older)) == ["changed", "changed", "unchanged"]
    Product.objects.filter(sku="A").update(price=2)
    assert statuses(bring(older)) == ["conflict", "changed", "unchanged"]


def test_rows_without_lists_have_a_number_for_a_version() -> None:
    Discount.objects.create(name="Summer", value=10)
    rows = export_rows(
        get_resource("discounts"), Discount.objects.all(), user=None, columns=["name", "version"]
    )
    assert b"".join(rows).decode("utf-8-sig").split() == ["name,version", "Summer,1"]
