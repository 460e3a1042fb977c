"""A file that is older than the data: each cell of it is judged for itself."""

import pytest

from backoffice.audit.context import Source, audit_context
from backoffice.exchange.exceptions import PlanStale
from backoffice.exchange.exporting import export_rows
from backoffice.exchange.models import ImportJob
from backoffice.exchange.preview import PreviewRow, preview_rows
from backoffice.exchange.resources import get_resource
from backoffice.exchange.services import choose_in_conflicts, plan_again
from inventory.models import Product, Tag
from tests.inventory.factories import make_product, make_tag

from .files import apply, bring, counts, statuses

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_work")]

HEADER = "sku,name,brand,price,version\n"


@pytest.fixture
def cup() -> Product:
    """Exported in its version 1, and since then given another brand and another price."""
    product = make_product(sku="A", name="Cup", brand="Acme", price=1)
    with audit_context(source=Source.SHELL, action="rebranded", actor_name="Bob Buyer"):
        Product.objects.filter(sku="A").update(brand="Bolt")
    with audit_context(source=Source.SHELL, action="corrected", actor_name="Ada Admin"):
        Product.objects.filter(sku="A").update(price=5)
    return product


def row_of(job: ImportJob) -> PreviewRow:
    [row] = preview_rows(job, get_resource("products"))
    return row


def choose(job: ImportJob, **cells: str) -> ImportJob:
    plan = job.summary["plan"]
    return choose_in_conflicts(job=job, chosen={1: cells}, seen_plan=plan)


def state(product: Product) -> tuple[str, str, int]:
    product.refresh_from_db()
    return product.name, product.brand, int(product.price)


def test_a_cell_that_the_file_has_as_exported_is_kept_as_it_is_now(cup: Product) -> None:
    job = bring(HEADER + "A,Mug,Acme,1,1\n")
    assert (counts(job), job.conflicts) == ((0, 1, 0, 0), 0)
    kept = {cell.name for cell in row_of(job).cells if cell.is_kept}
    assert kept == {"brand", "price"}
    assert job.summary["fields"] == {"name": 1}
    apply(job)
    assert state(cup) == ("Mug", "Bolt", 5)


def test_a_file_that_nobody_edited_changes_nothing(cup: Product) -> None:
    assert counts(bring(HEADER + "A,Cup,Acme,1,1\n")) == (0, 0, 1, 0)


def test_only_what_both_changed_is_in_conflict_and_each_cell_names_its_own_change(
    cup: Product,
) -> None:
    row = row_of(bring(HEADER + "A,Mug,Corp,2,1\n"))
    assert row.status == "conflict"
    assert [(d.name, d.now, d.file, d.change and d.change.who) for d in row.disputes] == [
        ("brand", "Bolt", "Corp", "Bob Buyer"),
        ("price", "5.00", "2.00", "Ada Admin"),
    ]


def test_a_change_after_the_export_alone_is_told_of(cup: Product) -> None:
    [dispute] = row_of(bring(HEADER + "A,Cup,Bolt,2,2\n")).disputes
    assert (dispute.name, dispute.change and dispute.change.who) == ("price", "Ada Admin")


def test_each_cell_can_be_chosen_for_itself(cup: Product) -> None:
    job = choose(bring(HEADER + "A,Mug,Corp,2,1\n"), brand="file", price="theirs")
    assert (job.conflicts, job.changed) == (0, 1)
    assert job.summary["fields"] == {"name": 1, "brand": 1}
    assert [d.choice for d in row_of(job).disputes] == ["file", "theirs"]
    apply(job)
    assert state(cup) == ("Mug", "Corp", 5)


def test_a_row_is_in_conflict_until_all_of_its_cells_are_chosen(cup: Product) -> None:
    job = choose(bring(HEADER + "A,Mug,Corp,2,1\n"), brand="file")
    assert statuses(job) == ["conflict"]
    job = choose(job, brand="", price="theirs")
    assert [d.choice for d in row_of(job).disputes] == ["", "theirs"]
    assert statuses(job) == ["conflict"]


def test_a_choice_holds_for_what_was_seen_and_not_for_what_came_later(cup: Product) -> None:
    job = choose(bring(HEADER + "A,Cup,Bolt,2,1\n"), price="file")
    assert statuses(job) == ["changed"]
    Product.objects.filter(sku="A").update(price=7)
    with pytest.raises(PlanStale):
        apply(job)
    job = plan_again(job=job)
    assert statuses(job) == ["conflict"]
    assert [d.choice for d in row_of(job).disputes] == [""]


def test_a_choice_on_a_preview_that_is_no_more_is_refused(cup: Product) -> None:
    job = bring(HEADER + "A,Mug,Corp,2,1\n")
    plan_again(job=job)
    with pytest.raises(PlanStale):
        choose(job, brand="file")
    assert ImportJob.objects.get().conflict_choices == {}


def test_what_is_no_cell_in_conflict_cannot_be_chosen(cup: Product) -> None:
    job = bring(HEADER + "A,Mug,Corp,2,1\n")
    job = choose_in_conflicts(
        job=job,
        chosen={1: {"name": "theirs", "price": "x"}, 99: {"price": "file"}},
        seen_plan=job.summary["plan"],
    )
    assert job.conflict_choices == {}
    assert statuses(job) == ["conflict"]


def test_the_rules_hold_for_what_is_kept_together_with_what_is_written(cup: Product) -> None:
    """The price stays at 5, so that a former price of 3 would be below it."""
    job = bring("sku,price,compare_at_price,version\nA,1,3,1\n")
    assert counts(job) == (0, 0, 0, 1)


def test_a_version_that_the_record_does_not_know_leaves_every_cell_in_conflict(
    cup: Product,
) -> None:
    row = row_of(bring(HEADER + "A,Mug,Acme,5,9\n"))
    assert (row.status, [d.name for d in row.disputes]) == ("conflict", ["name", "brand"])


def test_a_renamed_tag_says_who_renamed_it() -> None:
    product = Product.objects.create_with_tags(sku="A", name="Cup", price=1, tags=["red"])
    rows = export_rows(
        get_resource("products"),
        Product.objects.filter(pk=product.pk),
        user=None,
        columns=("sku", "tags", "version"),
    )
    content = b"".join(rows).decode("utf-8-sig")
    with audit_context(source=Source.SHELL, action="renamed", actor_name="Tess Tagger"):
        Tag.objects.filter(name="red").update(name="crimson")
    make_tag("red")
    [dispute] = row_of(bring(content)).disputes
    assert (dispute.now, dispute.file) == ("crimson", "red")
    assert dispute.change is not None
    assert (dispute.change.who, dispute.change.is_rename) == ("Tess Tagger", True)
