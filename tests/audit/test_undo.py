"""What an undo puts back, and that it is on the record and can be undone itself."""

from decimal import Decimal

import pytest
from django.db.models import Max

from backoffice.accounts.models import User
from backoffice.audit.exceptions import (
    NotAChange,
    NothingToUndo,
    PlanOutdated,
    UndoNotPermitted,
    UndoReasonMissing,
)
from backoffice.audit.models import ChangeSet
from backoffice.audit.undo.services import Act, Keep, undo_change_set, undone_by
from inventory.models import Category, Discount, Product, ProductImage, ProductTag, Tag
from tests.audit.conftest import Record, a_product

from .undoing import done, planned, undo, work

pytestmark = pytest.mark.django_db


def test_changed_rows_return_to_the_version_before(product: Product) -> None:
    with work("raise"):
        Product.objects.update(price=20, brand="Acme")
    result = undo(done("raise"))
    product.refresh_from_db()
    assert (product.price, product.brand, product.version) == (Decimal(10), "", 3)
    assert (result.plan.acts(Act.PUT_BACK), result.plan.undone) == (1, 1)


def test_created_rows_go_with_all_that_was_made_for_them(db: None) -> None:
    with work("make"):
        product = a_product(category=Category.objects.get_or_create_path("Audio > Speakers"))
        product.save()
        product.tags.set(Tag.objects.named(["new", "sale"]))
        ProductImage.objects.create(product=product, url="/a.jpg")
    result = undo(done("make"))
    assert result.plan.acts(Act.REMOVE) == result.plan.undone == 8
    for model in (Product, Category, Tag, ProductTag, ProductImage):
        assert not model.objects.exists()


def test_deleted_rows_return_with_their_key(product: Product) -> None:
    product.tags.set(Tag.objects.named(["new"]))
    before = [*Product.objects.values(), *ProductTag.objects.values()]
    with work("delete"):
        Product.objects.all().delete()
    result = undo(done("delete"))
    assert result.plan.acts(Act.BRING_BACK) == 2
    assert [*Product.objects.values(), *ProductTag.objects.values()] == before


def test_the_undo_of_an_undo_brings_everything_back(db: None) -> None:
    with work("make"):
        parent = a_product("P", category=Category.objects.get_or_create_path("A > B > C"))
        parent.save()
        a_product("V", variant_of=parent, options={"Size": "M"}).save()
        parent.tags.set(Tag.objects.named(["new", "sale"]))
    models = (Product, Category, Tag, ProductTag)
    before = [list(model.objects.order_by("pk").values()) for model in models]
    first = undo(done("make"))
    assert not any(model.objects.exists() for model in models)
    second = undo(first.change_set)
    assert [list(model.objects.order_by("pk").values()) for model in models] == before
    third = undo(second.change_set)
    assert third.plan.acts(Act.REMOVE) == 9
    assert not any(model.objects.exists() for model in models)


def test_keys_that_came_back_are_not_given_away_again(db: None) -> None:
    with work("make"):
        a_product().save()
    undo(undo(done("make")).change_set)
    a_product("S-2").save()
    assert Product.objects.count() == 2


def test_what_was_changed_and_deleted_in_one_go_returns_to_what_it_was_before(
    product: Product,
) -> None:
    with work("both"):
        Product.objects.update(name="Other")
        Product.objects.all().delete()
    undo(done("both"))
    back = Product.objects.get()
    # Its version never held for anything else: not 1, and not 2, which was "Other".
    assert (back.pk, back.name, back.version) == (product.pk, "Product S-1", 3)


def test_what_came_and_went_in_one_go_is_nobodys_concern(product: Product) -> None:
    with work("mixed"):
        a_product("S-2").save()
        Product.objects.filter(sku="S-2").delete()
        Product.objects.update(name="Other")
        Product.objects.update(name="Product S-1", brand="Acme")
    assert undo(done("mixed")).plan.undone == 1
    assert Product.objects.get().brand == ""


def test_what_was_changed_and_changed_back_is_left_alone(product: Product) -> None:
    with work("to and fro"):
        Product.objects.update(name="Other")
        Product.objects.update(name="Product S-1")
    with pytest.raises(NothingToUndo) as refused:
        undo(done("to and fro"))
    assert refused.value.plan.tallies == []


def test_a_place_that_was_taken_over_in_the_change_set_is_given_back(product: Product) -> None:
    with work("replace"):
        Product.objects.all().delete()
        a_product("S-1", name="Another").save()
    undo(done("replace"))
    back = Product.objects.get()
    assert (back.pk, back.name) == (product.pk, "Product S-1")


def test_values_that_moved_along_a_row_of_objects_move_back(db: None) -> None:
    for sku in ("A", "B", "C"):
        a_product(sku, slug=sku.lower()).save()
    with work("shift"):
        for sku, slug in (("C", "d"), ("B", "c"), ("A", "b")):
            Product.objects.filter(sku=sku).update(slug=slug)
    result = undo(done("shift"))
    assert dict(Product.objects.values_list("sku", "slug")) == {"A": "a", "B": "b", "C": "c"}
    assert (result.plan.undone, result.plan.total_kept) == (3, 0)


def test_a_renamed_category_and_the_paths_below_it_return(db: None) -> None:
    Category.objects.get_or_create_path("Audio > MP3 > Small")
    with work("rename"):
        Category.objects.filter(name="Audio").update(name="Sound")
    assert Category.objects.filter(path__startswith="Sound").count() == 3
    undo(done("rename"))
    assert sorted(Category.objects.values_list("path", flat=True)) == [
        "Audio", "Audio > MP3", "Audio > MP3 > Small",
    ]  # fmt: skip


def test_deleted_categories_return_parents_first(db: None) -> None:
    Category.objects.get_or_create_path("Audio > MP3")
    # The child gets the lower key.
    child = Category.objects.get(name="MP3")
    late = Category.objects.create(name="Late")
    Category.objects.filter(pk=child.pk).update(parent=late)
    with work("delete"):
        Category.objects.filter(pk=child.pk).delete()
        Category.objects.filter(pk=late.pk).delete()
    undo(done("delete"))
    assert set(Category.objects.values_list("path", flat=True)) == {
        "Audio", "Late", "Late > MP3",
    }  # fmt: skip


def test_references_that_a_deletion_cleared_are_set_again(product: Product) -> None:
    with work("offer"):
        discount = Discount.objects.create(name="Spring", value=10)
    Product.objects.update(discount=discount)
    with work("end"):
        discount.delete()
    assert Product.objects.get().discount is None
    result = undo(done("end"))
    assert (result.plan.acts(Act.BRING_BACK), result.plan.acts(Act.PUT_BACK)) == (1, 1)
    assert Product.objects.get().discount_id == Discount.objects.get().pk


def test_a_reference_to_somebody_who_left_is_not_set_again(
    product: Product, catalogue_manager: User
) -> None:
    Product.objects.update(created_by=catalogue_manager)
    with work("delete"):
        Product.objects.all().delete()
    User.objects.all().delete()
    undo(done("delete"))
    assert Product.objects.get().created_by is None


def test_an_undo_is_one_change_set_that_says_who_why_and_of_what(
    product: Product, catalogue_manager: User
) -> None:
    with work("raise"):
        Product.objects.update(price=20)
        product.tags.set(Tag.objects.named(["new"]))
    record = Record.from_now()
    result = undo(done("raise"), catalogue_manager)
    assert record.change_sets() == [result.change_set]
    made = result.change_set
    assert (made.action, made.reason, made.source, made.actor_id) == (
        "Undo of: raise", "a mistake", "shell", catalogue_manager.pk,
    )  # fmt: skip
    assert made.reference == f"audit.changeset/{done('raise').pk}"
    assert record.told(Product, "price", "history_change_reason") == [
        ("~", Decimal(10), "a mistake")
    ]
    assert record.told(ProductTag) == [("-",)]
    assert list(undone_by(done("raise"))) == [made]


def test_undone_twice_there_is_nothing_left(product: Product) -> None:
    with work("raise"):
        Product.objects.update(price=20)
    undo(done("raise"))
    record = Record.from_now()
    with pytest.raises(NothingToUndo) as refused:
        undo(done("raise"))
    assert refused.value.plan.kept(Keep.UNDONE) == 1
    assert record.is_empty()


def test_a_preview_writes_nothing(product: Product) -> None:
    with work("raise"):
        Product.objects.update(price=20)
    record = Record.from_now()
    assert planned("raise").undone == 1
    assert record.is_empty()
    assert Product.objects.get().price == 20


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_an_undo_needs_a_reason(product: Product, reason: str) -> None:
    with work("raise"):
        Product.objects.update(price=20)
    with pytest.raises(UndoReasonMissing):
        undo_change_set(change_set=done("raise"), actor=None, reason=reason)
    assert Product.objects.get().price == 20


def test_an_undo_needs_the_right_to_undo(product: Product, auditor: User) -> None:
    with work("raise"):
        Product.objects.update(price=20)
    with pytest.raises(UndoNotPermitted):
        undo(done("raise"), auditor)
    assert Product.objects.get().price == 20


def test_an_event_cannot_be_undone(db: None) -> None:
    latest = ChangeSet.objects.aggregate(n=Max("pk"))["n"] or 0
    event = ChangeSet(pk=latest, kind=ChangeSet.Kind.SIGN_IN)
    with pytest.raises(NotAChange):
        undo(event)


def test_other_rows_are_another_plan_though_they_are_as_many(product: Product) -> None:
    with work("tags"):
        tags = [Tag.objects.create(name=name) for name in ("one", "two")]
    product.tags.set(tags[:1])
    seen = planned("tags").fingerprint
    product.tags.set(tags[1:])
    with pytest.raises(PlanOutdated):
        undo(done("tags"), previewed=seen)
    assert Tag.objects.count() == 2


def test_what_is_done_is_what_was_previewed(product: Product) -> None:
    a_product("S-2").save()
    with work("raise"):
        Product.objects.update(price=20)
    seen = planned("raise").fingerprint
    with work("since"):
        Product.objects.filter(sku="S-2").update(price=30)
    with pytest.raises(PlanOutdated):
        undo(done("raise"), previewed=seen)
    assert set(Product.objects.values_list("price", flat=True)) == {Decimal(20), Decimal(30)}
    undo(done("raise"), previewed=planned("raise").fingerprint)
    assert set(Product.objects.values_list("price", flat=True)) == {Decimal(10), Decimal(30)}
