"""What happened between preview and apply is never overwritten, and nothing half is written."""

from collections.abc import Callable
from typing import Any

import pytest

from backoffice.accounts.models import User
from backoffice.audit.models import ChangeSet
from backoffice.exchange.exceptions import PlanStale
from backoffice.exchange.models import ImportJob
from backoffice.exchange.services import apply_import, plan_again, start_import
from inventory.models import Category, Discount, Product, ProductTag, Tag
from tests.console.pages import page, said, signed_in
from tests.inventory.factories import make_category, make_product

from .files import apply, bring, counts, imported, statuses

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_work")]


def stale(job: ImportJob, **said: Any) -> PlanStale:
    """Apply, be refused, and find nothing written."""

    def everything() -> list[Any]:
        models = (Product, Category, Tag, ProductTag, Discount)
        return [list(model.objects.order_by("pk").values()) for model in models]

    before, sets = everything(), ChangeSet.objects.count()
    with pytest.raises(PlanStale) as refused:
        apply(job, **said)
    assert (everything(), ChangeSet.objects.count()) == (before, sets)
    job.refresh_from_db()
    assert (job.state, job.reason, job.change_set_id) == (ImportJob.State.CHECKED, "", None)
    return refused.value


@pytest.fixture
def job() -> ImportJob:
    """One changed row, one unchanged, one new."""
    make_product(sku="A", name="a", price=1)
    make_product(sku="B", name="b", price=1)
    return bring("sku,name,price\nA,a,2\nB,b,1\nC,c,1\n")


def test_a_row_that_was_changed_is_not_overwritten(job: ImportJob) -> None:
    Product.objects.filter(sku="A").update(name="edited")
    error = stale(job)
    assert error.row_numbers == [1]
    assert str(error) == (
        "The data changed since the preview, so nothing was written. Rows concerned: 1. Look at "
        "the new preview and apply again."
    )
    job = plan_again(job=job)
    assert job.summary["fields"] == {"name": 1, "price": 1}
    apply(job)
    assert Product.objects.get(sku="A").name == "a"


def test_an_unchanged_row_that_was_changed_meanwhile_is_told_too(job: ImportJob) -> None:
    Product.objects.filter(sku="B").update(price=9)
    assert stale(job).row_numbers == [2]
    assert statuses(plan_again(job=job)) == ["changed", "changed", "new"]


def test_a_row_that_was_deleted(job: ImportJob) -> None:
    Product.objects.filter(sku="A").delete()
    assert stale(job).row_numbers == [1]
    assert statuses(plan_again(job=job)) == ["new", "unchanged", "new"]


def test_a_row_that_was_added(job: ImportJob) -> None:
    make_product(sku="c")
    assert stale(job).row_numbers == [3]
    assert statuses(plan_again(job=job)) == ["changed", "unchanged", "changed"]


def test_an_edit_that_changed_nothing_is_none(job: ImportJob) -> None:
    Product.objects.get(sku="A").save()
    apply(job)
    assert Product.objects.get(sku="A").price == 2


def test_many_rows_are_named_up_to_twenty() -> None:
    for number in range(30):
        make_product(sku=f"S{number}")
    job = bring("sku,price\n" + "".join(f"S{number},99\n" for number in range(30)))
    Product.objects.update(price=3)
    assert stale(job).row_numbers == list(range(1, 21))


CHANGES: dict[str, tuple[str, Callable[[], Any]]] = {
    "a category was renamed": (
        "sku,name,price,category\nN,n,1,Home\n",
        lambda: Category.objects.filter(name="Home").update(name="House"),
    ),
    "a category to be made was made": (
        "sku,name,price,category\nN,n,1,Garden\n",
        lambda: make_category("Garden"),
    ),
    "a tag was renamed": (
        "sku,name,price,tags\nN,n,1,red\n",
        lambda: Tag.objects.filter(name="red").update(name="crimson"),
    ),
    "a tag to be made was made": (
        "sku,name,price,tags\nN,n,1,green\n",
        lambda: Tag.objects.create(name="GREEN"),
    ),
    "a discount was renamed": (
        "sku,name,price,discount\nN,n,1,Summer\n",
        lambda: Discount.objects.update(name="Winter"),
    ),
    "a discount was deleted, and the row is changed": (
        "sku,discount\nP,Summer\n",
        lambda: Discount.objects.all().delete(),
    ),
    "a parent got another SKU": (
        "sku,name,price,variant_of\nN,n,1,P\n",
        lambda: Product.objects.filter(sku="P").update(sku="Q"),
    ),
    "a parent was deleted": (
        "sku,name,price,variant_of\nN,n,1,P\n",
        lambda: Product.objects.filter(sku="P").delete(),
    ),
    "a parent became a variant": (
        "sku,name,price,variant_of\nN,n,1,P\n",
        lambda: Product.objects.filter(sku="P").update(variant_of=make_product()),
    ),
    "a slug was taken, and the row is new": (
        "sku,name,price,slug\nN,n,1,mine\n",
        lambda: make_product(slug="mine"),
    ),
    "a slug was taken, and the row is changed": (
        "sku,slug\nP,mine\n",
        lambda: make_product(slug="mine"),
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_a_row_speaks_of_may_change_too(what: str) -> None:
    content, change = CHANGES[what]
    make_product(sku="P")
    make_category("Home")
    Tag.objects.create(name="red")
    Discount.objects.create(name="Summer", value=10)
    job = bring(content)
    assert job.invalid == 0
    change()
    stale(job)


def test_rights_that_were_taken_away_since_the_preview_count(catalogue_manager: User) -> None:
    make_product(sku="A", name="a", price=1)
    adding = bring("sku,name,price\nN,n,1\n", user=catalogue_manager)
    changing = bring("sku,price\nA,2\n", user=catalogue_manager)
    catalogue_manager.groups.clear()
    for job in (adding, changing):
        assert "You may no longer add or change all of these rows." in str(stale(job))
        assert counts(plan_again(job=job)) == (0, 0, 0, 1)


def test_a_right_to_make_categories_that_was_taken_away_counts(catalogue_manager: User) -> None:
    job = bring("sku,name,price,category\nN,n,1,New\n", user=catalogue_manager)
    role = catalogue_manager.groups.get()
    role.permissions.remove(role.permissions.get(codename="add_category"))
    stale(job)
    assert counts(plan_again(job=job)) == (0, 0, 0, 1)


def test_tags_that_were_changed_are_not_overwritten() -> None:
    product = Product.objects.create_with_tags(sku="A", name="a", price=1, tags=["old"])
    job = bring("sku,tags\nA,new\n")
    product.tags.add(Tag.objects.create(name="urgent"))
    stale(job)


def test_the_page_shows_a_new_preview_and_says_why(catalogue_manager: User) -> None:
    make_product(sku="A", name="a", price=1)
    job = bring("sku,name,price\nA,a,2\n", user=catalogue_manager)
    Product.objects.filter(sku="A").update(price=2)
    client = signed_in(catalogue_manager)
    response = client.post(page("exchange_importjob_apply", job.pk), {"reason": "March"})
    assert response["Location"] == page("exchange_importjob_change", job.pk)
    [message] = said(response)
    assert message.startswith("The data changed since the preview, so nothing was written.")
    job.refresh_from_db()
    assert (job.state, counts(job)) == (ImportJob.State.CHECKED, (0, 0, 1, 0))
    assert b"0 changes." in client.get(page("exchange_importjob_change", job.pk)).content


def test_two_jobs_over_the_same_rows_go_one_after_the_other() -> None:
    imported("sku,name,price\nA,a,1\n")
    first, second = bring("sku,price\nA,2\n"), bring("sku,price\nA,3\n")
    apply(first)
    assert stale(second).row_numbers == [1]
    apply(plan_again(job=second))
    assert Product.objects.get().price == 3


def test_services_work_at_a_python_prompt_too(tmp_path: Any) -> None:
    from contextvars import Context

    def at_the_prompt() -> ImportJob:
        path = tmp_path / "x.csv"
        path.write_text("sku,name,price\nA,a,1\n")
        with path.open("rb") as file:
            job = start_import(resource="products", file=file, file_name=path.name, user=None)
        return apply_import(job=job, reason="by hand")

    job = Context().run(at_the_prompt)
    assert job.change_set is not None
    assert job.change_set.source == "import"
