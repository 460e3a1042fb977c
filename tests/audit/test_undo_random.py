"""Whatever a change set did, its undo takes back exactly, and the undo of that brings it again."""

import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.db import DatabaseError, models, transaction
from django.db.models import ProtectedError

from backoffice.audit.undo.services import Keep, UndoResult
from inventory.models import Category, Discount, Product, ProductImage, ProductTag, Tag
from tests.audit.conftest import a_product

from .undoing import done, undo, work

pytestmark = pytest.mark.django_db

MODELS: list[Any] = [Category, Tag, Discount, Product, ProductTag, ProductImage]
NOT_COMPARED = {"version", "updated_at"}  # no two states have the same

type State = dict[str, dict[int, dict[str, Any]]]


def state() -> State:
    return {
        model.__name__: {
            row["id"]: {name: row[name] for name in row.keys() - NOT_COMPARED}
            for row in model._base_manager.values()
        }
        for model in MODELS
    }


class Shop:
    """Makes random changes of every kind, by a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - no secret
        self.number = 0

    def one(self, model: type[models.Model]) -> Any:
        return self.random.choice([None, *model._base_manager.order_by("pk")])

    def work(self, action: str, times: int) -> None:
        with work(action), transaction.atomic():
            for _time in range(times):
                self.number += 1
                step = self.random.choice([self.add, self.change, self.move, self.link, self.drop])
                # What the rules forbid does not happen.
                with suppress(DatabaseError, ProtectedError), transaction.atomic():
                    step()

    def add(self) -> None:
        name = f"New {self.number}"
        choices: list[Callable[[], Any]] = [
            lambda: a_product(
                f"S-{self.number}", category=self.one(Category), discount=self.one(Discount)
            ).save(),
            lambda: Category.objects.create(name=name, parent=self.one(Category)),
            lambda: Tag.objects.create(name=name),
            lambda: Discount.objects.create(name=name, value=10),
        ]
        self.random.choice(choices)()

    def change(self) -> None:
        model: Any = self.random.choice([Product, Category, Tag])
        if found := self.one(model):
            model._base_manager.filter(pk=found.pk).update(name=f"Renamed {self.number}")

    def move(self) -> None:
        if product := self.one(Product):
            Product.objects.filter(pk=product.pk).update(
                category=self.one(Category),
                discount=self.one(Discount),
                variant_of=self.one(Product),
                price=self.random.randrange(1, 9),
            )
        if category := self.one(Category):
            Category.objects.filter(pk=category.pk).update(parent=self.one(Category))

    def link(self) -> None:
        product, tag = self.one(Product), self.one(Tag)
        if product and tag:
            ProductTag.objects.get_or_create(product=product, tag=tag)
        if product:
            ProductImage.objects.create(product=product, url=f"/{self.number}.jpg")

    def drop(self) -> None:
        if found := self.one(self.random.choice([Product, Category, Tag, Discount])):
            found.delete()


@pytest.mark.parametrize("seed", range(12))
def test_an_undo_takes_back_exactly_what_was_done(seed: int) -> None:
    shop = Shop(seed)
    shop.work("before", 30)
    before = state()
    shop.work("change", shop.random.choice([4, 10, 25]))
    after = state()
    assert before != after
    change = done("change")
    for expected in (before, after, before):
        result: UndoResult = undo(change)
        assert result.plan.total_kept == 0
        assert state() == expected
        change = result.change_set


def test_codes_that_were_exchanged_stay_and_are_listed(product: Product) -> None:
    """Neither can have its own back while the other has it: both stay, and the rest goes back."""
    other = a_product("S-2")
    other.save()
    with work("exchange"):
        for row, sku in ((product, "temporary"), (other, "S-1"), (product, "S-2")):
            Product.objects.filter(pk=row.pk).update(sku=sku)
        Tag.objects.create(name="new")
    result = undo(done("exchange"))
    assert result.plan.kept(Keep.FORBIDDEN) == result.plan.total_kept == 2
    assert Product.objects.get(sku="S-2").pk == product.pk
    assert not Tag.objects.exists()
