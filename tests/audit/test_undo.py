"""Undo of a change set: what goes back, what is kept and why."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from backoffice.accounts.models import User
from backoffice.audit.context import Source, audit_context
from backoffice.audit.exceptions import NothingToUndo
from backoffice.audit.models import ChangeSet
from backoffice.audit.undo import Act, Keep, plan_undo, undo_change_set
from inventory.models import Category, Product, ProductTag, Tag
from tests.audit.conftest import a_product

pytestmark = pytest.mark.django_db


def change_set_named(action: str) -> ChangeSet:
    return ChangeSet.objects.get(action=action)


def work(action: str, actor: User | None = None) -> Any:
    return audit_context(source=Source.ADMIN, actor=actor, action=action)


def undo(change_set: ChangeSet, actor: User | None = None) -> Any:
    return undo_change_set(change_set=change_set, actor=actor, reason="a mistake")


def test_changed_rows_return_to_the_version_before(product: Product) -> None:
    with work("raise"):
        Product.objects.update(price=20, brand="Acme")
    result = undo(change_set_named("raise"))
    product.refresh_from_db()
    assert (product.price, product.brand, product.version) == (Decimal(10), "", 3)
    assert result.plan.acts(Act.PUT_BACK) == 1
    made = result.change_set
    assert (made.action, made.reason, made.reference) == (
        "Undo of: raise",
        "a mistake",
        f"audit.changeset/{change_set_named('raise').pk}",
    )


def test_created_rows_go_with_their_tags_and_categories(db: None) -> None:
    with work("make"):
        category = Category.objects.get_or_create_path("Audio > Speakers")
        product = a_product(category=category)
        product.save()
        product.tags.set(Tag.objects.named(["new", "sale"]))
    result = undo(change_set_named("make"))
    assert result.plan.undone == 7
    for model in (Product, Category, Tag, ProductTag):
        assert not model.objects.exists()
    undo(result.change_set)
    back = Product.objects.get()
    assert (back.pk, back.sku, back.version) == (product.pk, "S-1", 1)
    assert str(back.category) == "Audio > Speakers"
    assert {tag.name for tag in back.tags.all()} == {"new", "sale"}


def test_deleted_rows_return_with_their_key(product: Product) -> None:
    product.tags.set(Tag.objects.named(["new"]))
    link = ProductTag.objects.get()
    with work("delete"):
        Product.objects.all().delete()
    undo(change_set_named("delete"))
    assert Product.objects.get().pk == product.pk
    assert ProductTag.objects.get().pk == link.pk


def test_what_changed_since_is_kept(product: Product) -> None:
    other = a_product("S-2")
    other.save()
    with work("raise"):
        Product.objects.update(price=20)
    with work("since"):
        Product.objects.filter(pk=other.pk).update(price=30)
    result = undo(change_set_named("raise"))
    assert dict(Product.objects.values_list("sku", "price")) == {
        "S-1": Decimal(10), "S-2": Decimal(30),
    }  # fmt: skip
    assert result.plan.kept(Keep.CHANGED) == 1
    with transaction.atomic():
        plan = plan_undo(change_set_named("raise"))
        (row,) = plan.rows(Product, kept=True, after=1)
    assert row.newer == change_set_named("since")


def test_undone_twice_there_is_nothing_left(product: Product) -> None:
    with work("raise"):
        Product.objects.update(price=20)
    undo(change_set_named("raise"))
    with pytest.raises(NothingToUndo):
        undo(change_set_named("raise"))
