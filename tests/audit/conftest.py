from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from django.db import models
from django.test import Client

from backoffice.accounts.models import User
from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import ChangeSet
from backoffice.audit.naming import history_of
from backoffice.audit.trail import trailed_models
from inventory.models import Category, Product, Tag


@dataclass(frozen=True)
class Record:
    """What has come onto the record since the test began to act."""

    last: dict[type[models.Model], int]
    last_change_set: int

    @classmethod
    def from_now(cls) -> "Record":
        newest = {
            model: history_of(model).objects.aggregate(n=models.Max("history_id"))["n"] or 0
            for model in trailed_models
        }
        latest = ChangeSet.objects.aggregate(n=models.Max("pk"))["n"] or 0
        return cls(newest, latest)

    def rows(self, model: type[models.Model]) -> list[Any]:
        found = history_of(model).objects.filter(history_id__gt=self.last[model])
        return list(found.order_by("history_id"))

    def told(self, model: type[models.Model], *fields: str) -> list[tuple[Any, ...]]:
        """Type and the given values of each new row, in order of type and values."""
        return sorted(
            (row.history_type, *(getattr(row, field) for field in fields))
            for row in self.rows(model)
        )

    def change_sets(self) -> list[ChangeSet]:
        return list(ChangeSet.objects.filter(pk__gt=self.last_change_set).order_by("pk"))

    def is_empty(self) -> bool:
        return not self.change_sets() and not any(self.rows(model) for model in trailed_models)


def a_product(sku: str = "S-1", **fields: Any) -> Product:
    """A product that is not saved yet."""
    return Product(**{"sku": sku, "name": f"Product {sku}", "price": Decimal("10.00"), **fields})


@pytest.fixture
def product(db: None) -> Product:
    made = a_product()
    made.save()
    return made


@pytest.fixture
def record(db: None) -> Record:
    """Ask for it after whatever the test starts from."""
    return Record.from_now()


@pytest.fixture
def change_set(product: Product, catalogue_manager: User) -> ChangeSet:
    """A change of price, category and tag, made by the catalogue manager."""
    category = Category.objects.get_or_create_path("Audio > Speakers")
    with audit_context(
        source=Source.ADMIN,
        actor=catalogue_manager,
        action="Product changed: Product S-1",
        reason="the supplier's <new> list",
        request_id="request-0001",
        client_address="10.1.2.3",
    ):
        Product.objects.update(price="12.34", category=category)
        product.tags.set(Tag.objects.named(["new"]))
    return ChangeSet.objects.get(request_id="request-0001")


@pytest.fixture
def as_auditor(client: Client, auditor: User) -> Client:
    client.force_login(auditor)
    return client
