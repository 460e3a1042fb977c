"""A record in which every history table has rows, and what a verification says of it."""

from typing import Any

from django.contrib.auth.models import Permission
from django.db import models

from backoffice.accounts.models import Role, User
from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import Seal, SealedEntry
from backoffice.audit.naming import history_of
from backoffice.audit.seals.findings import Finding, Wrong
from backoffice.audit.seals.sealing import seal_new_entries
from backoffice.audit.seals.verifying import Verification
from backoffice.console.models import Attachment, SavedView
from backoffice.exchange.models import ExportTemplate, ImportFeed, ImportJob, ImportProfile
from inventory.models import Category, Discount, Product, ProductImage, Tag

from .conftest import a_product

# The live rows and the triggers are compared as well; here it is about what was sealed.
NOT_SEALED = {Wrong.LIVE_ROW_DIFFERS, Wrong.TRIGGER, Wrong.ROW_WITHOUT_CHANGE_SET}


def findings() -> list[Finding]:
    return [finding for finding in Verification().findings() if finding.wrong not in NOT_SEALED]


def told() -> list[tuple[Any, ...]]:
    return [(f.wrong.value, f.table, f.history_id, f.key, f.change_set) for f in findings()]


def live(catalogue_manager: User) -> None:
    """Rows in every history table: three change sets, each under a seal of its own."""
    for number in range(3):
        with audit_context(
            source=Source.ADMIN, actor=catalogue_manager, action="Work", reason=str(number)
        ):
            category = Category.objects.create(name=f"Category {number}")
            discount = Discount.objects.create(name=f"Sale {number}", value=10)
            Product.objects.bulk_create(
                [a_product(f"P-{number}-{n}", category=category, discount=discount)
                 for n in range(4)]
            )  # fmt: skip
            for product in Product.objects.filter(sku__startswith=f"P-{number}"):
                product.tags.set(Tag.objects.named([f"tag {number}", "new"]))
                ProductImage.objects.create(product=product, url="/pictures/1.jpg")
            role = Role.objects.create(name=f"Role {number}")
            role.permissions.set(Permission.objects.all()[:3])
            person = User.objects.create_user(f"person{number}@stockbook.test", "x")
            person.groups.add(role)
            person.user_permissions.add(Permission.objects.all()[number])
            ImportJob.objects.create(
                resource="products", file_name=f"{number}.csv", size=1, user=catalogue_manager
            )
            _keep(str(number), catalogue_manager)
        seal_new_entries()
    assert Seal.objects.count() == 3
    assert told() == []


def _keep(name: str, user: User) -> None:
    """What people keep beside the catalogue."""
    profile = ImportProfile.objects.create(name=name, resource="products", user=user)
    ImportFeed.objects.create(
        name=name, profile=profile, location="prices.csv", every="day", user=user, reason="Prices"
    )
    ExportTemplate.objects.create(name=name, resource="products", user=user)
    SavedView.objects.create(name=name, model="inventory.product", user=user)
    Attachment.objects.create(
        reference="inventory.product/1", name=f"{name}.pdf", size=1, sha256=name, user=user
    )


def some_row(model: type[models.Model]) -> Any:
    """A history row under the second seal."""
    sealed = SealedEntry.objects.filter(seal_id=2).values("change_set_id")
    return history_of(model).objects.filter(change_set_id__in=sealed).order_by("history_id")[0]


def as_told(wrong: Wrong, row: Any, model: type[models.Model]) -> tuple[Any, ...]:
    key = str(getattr(row, model._meta.pk.attname))
    table = history_of(model)._meta.db_table
    return (wrong.value, table, row.history_id, key, row.change_set_id)
