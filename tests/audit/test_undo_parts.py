"""Restoring one object, and undoing the part of a change set that is about one object."""

import pytest

from backoffice.accounts.models import User
from backoffice.audit.exceptions import NotOnRecord
from backoffice.audit.undo.services import Act, deletion_of, restore_object, undone_by
from inventory.models import Category, Discount, Product, ProductImage, ProductTag, Tag
from tests.audit.conftest import a_product

from .undoing import done, only, planned, undo, work

pytestmark = pytest.mark.django_db


@pytest.fixture
def two(db: None) -> list[Product]:
    """Two products with tags and an image each."""
    made = []
    for sku in ("A", "B"):
        product = a_product(sku)
        product.save()
        product.tags.set(Tag.objects.named(["new", f"only {sku}"]))
        ProductImage.objects.create(product=product, url=f"/{sku}.jpg")
        made.append(product)
    return made


def restore(obj: Product | Category | Discount, key: int, actor: User | None = None) -> None:
    restore_object(model=type(obj), key=key, actor=actor, reason="a mistake")


def test_a_deleted_object_returns_with_its_parts_and_no_other(two: list[Product]) -> None:
    a, _ = (product.pk for product in two)
    with work("delete"):
        Product.objects.all().delete()
    restore(two[0], a)
    assert Product.objects.get().pk == a
    assert {tag.name for tag in Product.objects.get().tags.all()} == {"new", "only A"}
    assert ProductImage.objects.get().url == "/A.jpg"
    (change_set,) = undone_by(done("delete"))
    assert change_set.action == "Undo of: delete (only product “Product A (A)”)"
    # The rest can still be undone.
    result = undo(done("delete"))
    assert result.plan.acts(Act.BRING_BACK) == 4
    assert ProductTag.objects.count() == 4


def test_what_it_needs_returns_with_it(db: None) -> None:
    category = Category.objects.get_or_create_path("Audio > MP3")
    product = a_product(category=category)
    product.save()
    a_product("S-2", category=category).save()
    key = product.pk
    with work("delete"):
        Product.objects.all().delete()
        Category.objects.filter(name="MP3").delete()
        Category.objects.all().delete()
    restore(product, key)
    assert str(Product.objects.get().category) == "Audio > MP3"


def test_what_pointed_at_it_points_at_it_again(two: list[Product]) -> None:
    discount = Discount.objects.create(name="Spring", value=10)
    with work("offer"):
        Product.objects.filter(sku="A").update(discount=discount)
    key = discount.pk
    with work("end"):
        discount.delete()
    restore(Discount(), key)
    assert Product.objects.get(sku="A").discount_id == key


def test_what_lives_is_not_restored(two: list[Product]) -> None:
    with pytest.raises(NotOnRecord):
        restore(two[0], two[0].pk)
    with pytest.raises(NotOnRecord):
        deletion_of(Product, 10**9)


def test_one_object_of_many_is_put_back_with_its_tags(two: list[Product]) -> None:
    with work("both"):
        Product.objects.update(brand="Acme")
        for product in two:
            product.tags.set(Tag.objects.named(["sale"]))
    undo(done("both"), only=only(two[0]))
    assert dict(Product.objects.values_list("sku", "brand")) == {"A": "", "B": "Acme"}
    assert {tag.name for tag in two[0].tags.all()} == {"new", "only A"}
    assert {tag.name for tag in two[1].tags.all()} == {"sale"}


def test_one_created_object_goes_with_its_parts(db: None) -> None:
    with work("make"):
        for sku in ("A", "B"):
            product = a_product(sku)
            product.save()
            product.tags.set(Tag.objects.named(["new"]))
    undo(done("make"), only=only(Product.objects.get(sku="A")))
    assert [link.product.sku for link in ProductTag.objects.all()] == ["B"]
    assert Tag.objects.count() == 1


def test_parts_that_changed_alone_are_undone_for_their_object(two: list[Product]) -> None:
    with work("tags"):
        for product in two:
            product.tags.set(Tag.objects.named(["sale"]))
    result = undo(done("tags"), only=only(two[0]))
    assert {tally.model for tally in result.plan.tallies} == {ProductTag}
    assert {tag.name for tag in two[0].tags.all()} == {"new", "only A"}
    assert {tag.name for tag in two[1].tags.all()} == {"sale"}


def test_the_roles_of_a_user_are_parts_of_the_user(warehouse: User, order_desk: User) -> None:
    with work("roles"):
        for user in (warehouse, order_desk):
            user.groups.clear()
    undo(done("roles"), only=only(warehouse))
    assert (warehouse.groups.count(), order_desk.groups.count()) == (1, 0)


def test_an_object_that_the_change_set_did_not_touch_is_refused(two: list[Product]) -> None:
    with work("one"):
        Product.objects.filter(sku="A").update(brand="Acme")
    for obj in (two[1], Tag.objects.all()[0]):
        with pytest.raises(NotOnRecord):
            planned("one", only=only(obj))
