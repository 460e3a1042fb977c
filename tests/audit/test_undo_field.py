"""One field of one object goes back to what it was."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection

from backoffice.accounts.models import User
from backoffice.audit.exceptions import (
    FieldCannotBeReverted,
    FieldChangedSince,
    NothingToRevert,
    NotOnRecord,
    ObjectGone,
    TargetGone,
    UndoNotPermitted,
    UndoReasonMissing,
    UndoRefusedByDatabase,
)
from backoffice.audit.undo.field import newest_row, revert_field
from inventory.models import Category, Product
from tests.audit.conftest import Record, a_product

from .undoing import work

pytestmark = pytest.mark.django_db


@pytest.fixture
def first(product: Product) -> int:
    """The history row of the product as it was made; since then it has changed twice."""
    made = newest_row(Product, product.pk).history_id
    with work("price"):
        Product.objects.update(price=20)
    with work("name"):
        Product.objects.update(name="Other", cost=1)
    return int(made)


def revert(product: Product, field: str, to: int, **more: Any) -> Any:
    arguments = {
        "seen": newest_row(Product, product.pk).history_id,
        "actor": None,
        "reason": "a mistake",
        **more,
    }
    return revert_field(model=Product, key=product.pk, field=field, to=to, **arguments)


def test_one_field_goes_back_and_no_other(
    product: Product, first: int, catalogue_manager: User
) -> None:
    record = Record.from_now()
    change_set = revert(product, "price", first, actor=catalogue_manager)
    product.refresh_from_db()
    assert (product.price, product.name) == (Decimal(10), "Other")
    assert record.change_sets() == [change_set]
    assert (change_set.action, change_set.reason, change_set.actor_id) == (
        "Price put back: product Other (S-1)", "a mistake", catalogue_manager.pk,
    )  # fmt: skip


def test_a_field_that_changed_since_the_page_was_shown_is_left_alone(
    product: Product, first: int
) -> None:
    seen = newest_row(Product, product.pk).history_id
    with work("since"):
        Product.objects.update(price=30)
    with pytest.raises(FieldChangedSince) as refused:
        revert(product, "price", first, seen=seen)
    assert (refused.value.field, refused.value.now) == ("Price", "30.00")
    assert Product.objects.get().price == 30


def test_a_change_of_another_field_does_not_matter(product: Product, first: int) -> None:
    seen = newest_row(Product, product.pk).history_id
    with work("since"):
        Product.objects.update(brand="Acme")
    revert(product, "price", first, seen=seen)
    assert Product.objects.get().price == 10


def test_what_it_is_already_is_said(product: Product, first: int) -> None:
    with pytest.raises(NothingToRevert):
        revert(product, "brand", first)


@pytest.mark.parametrize("field", ["id", "version", "created_by", "updated_at"])
def test_what_follows_from_others_is_not_put_back(product: Product, first: int, field: str) -> None:
    with pytest.raises((FieldCannotBeReverted, NotOnRecord)):
        revert(product, field, first)


@pytest.mark.parametrize("field", ["", "tags", "nonsense", "images", "history"])
def test_what_is_no_field_on_the_record_is_refused(
    product: Product, first: int, field: str
) -> None:
    with pytest.raises(NotOnRecord):
        revert(product, field, first)


def test_a_row_of_another_object_is_refused(product: Product, first: int) -> None:
    other = a_product("S-2", price=77)
    other.save()
    with pytest.raises(NotOnRecord):
        revert(product, "price", newest_row(Product, other.pk).history_id)
    assert Product.objects.get(sku="S-1").price == 20


def test_an_object_that_is_gone_is_restored_first(product: Product, first: int) -> None:
    key = product.pk
    product.delete()
    with pytest.raises(ObjectGone):
        revert(Product(pk=key), "price", first)


def test_a_target_that_is_gone_is_named(product: Product) -> None:
    category = Category.objects.create(name="Audio")
    with work("into"):
        Product.objects.update(category=category)
    within = newest_row(Product, product.pk).history_id
    with work("out"):
        Product.objects.update(category=None)
    category.delete()
    with pytest.raises(TargetGone):
        revert(product, "category", within)


def test_what_a_rule_forbids_is_refused(product: Product, first: int) -> None:
    with work("offer"):
        Product.objects.update(price=5, compare_at_price=8)
    with pytest.raises(UndoRefusedByDatabase) as refused:
        revert(product, "price", first)
    assert refused.value.rule == "inventory_product_compare_at_above_price"
    assert Product.objects.get().price == 5


def test_what_a_trigger_refuses_is_refused_in_words(product: Product, first: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION no_tens() RETURNS trigger LANGUAGE plpgsql AS "
            "$$BEGIN IF NEW.price = 10 THEN RAISE 'No tens.'; END IF; RETURN NEW; END$$;"
            "CREATE TRIGGER no_tens BEFORE UPDATE ON inventory_product FOR EACH ROW "
            "EXECUTE FUNCTION no_tens()"
        )
    with pytest.raises(UndoRefusedByDatabase) as refused:
        revert(product, "price", first)
    assert refused.value.rule == "No tens."
    assert Product.objects.get().price == 20


def test_a_reason_is_needed(product: Product, first: int) -> None:
    with pytest.raises(UndoReasonMissing):
        revert(product, "price", first, reason=" ")
    assert Product.objects.get().price == 20


@pytest.mark.parametrize("rights", [["undo_changeset"], ["change_product"]])
def test_it_needs_the_rights_to_undo_and_to_change(
    product: Product, first: int, rights: list[str]
) -> None:
    user = User.objects.create_user("u@stockbook.test", "x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    with pytest.raises(UndoNotPermitted):
        revert(product, "price", first, actor=user)


def test_who_may_not_see_the_cost_does_not_put_it_back(product: Product, first: int) -> None:
    user = User.objects.create_user("u@stockbook.test", "x", is_staff=True)
    rights = ["undo_changeset", "change_product"]
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    with pytest.raises(UndoNotPermitted):
        revert(product, "cost", first, actor=user)
    assert Product.objects.get().cost == 1
