"""I8 and I10 of the design's checks, over every model on the record, after much that happened."""

from decimal import Decimal

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.db import connection, models, transaction
from django.db.models import F

from backoffice.accounts.models import Membership, Profile, Role, User
from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import ChangeSet
from backoffice.audit.naming import history_of, tracked_fields
from backoffice.audit.trail import trailed_models
from inventory.models import Category, Discount, Product, ProductImage, Tag
from tests.personas import Persona, make_user

from .conftest import a_product


def rows_that_differ(model: type[models.Model]) -> list[tuple[object, ...]]:
    """Keys whose newest history row is not the live row, over what counts as a change (I8)."""
    history = history_of(model)._meta.db_table
    key = model._meta.pk.column
    ignored = {"version", "updated_at"}
    columns = [f.column for f in tracked_fields(model) if f.column not in ignored]
    live = ", ".join(f'l."{column}"' for column in columns)
    last = ", ".join(f'h."{column}"' for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH h AS (
                SELECT DISTINCT ON ("{key}") * FROM "{history}"
                ORDER BY "{key}", history_id DESC
            )
            SELECT l."{key}", h."{key}", h.history_type
            FROM "{model._meta.db_table}" l FULL JOIN h ON h."{key}" = l."{key}"
            WHERE (h.history_type = '-') IS DISTINCT FROM (l."{key}" IS NULL)
               OR (h.history_type <> '-' AND ROW({live}) IS DISTINCT FROM ROW({last}))
            """
        )
        return list(cursor.fetchall())


def all_that_differ() -> dict[str, list[tuple[object, ...]]]:
    return {
        model.__name__: differing
        for model in trailed_models
        if (differing := rows_that_differ(model))
    }


def rows_without_a_change_set(model: type[models.Model]) -> int:
    """I10. A history row names a change set that is there."""
    orphans = history_of(model).objects.exclude(change_set_id__in=ChangeSet.objects.values("pk"))
    return int(orphans.count())


@pytest.mark.django_db(transaction=True)
def test_the_record_is_complete_after_a_mixed_workload() -> None:
    # Tests on committed data keep the roles that migrations made, and empty their history.
    without_history = all_that_differ()
    assert set(without_history) <= {"Role", "RolePermission"}
    users = [make_user(persona) for persona in Persona]
    with audit_context(source=Source.ADMIN, actor=users[0], action="Much at once", reason="Spring"):
        with transaction.atomic():
            leaf = Category.objects.get_or_create_path("Audio > Speakers > Small")
            Category.objects.get_or_create_path("Audio > Cables")
            sale = Discount.objects.create(name="Sale", value=10)
            Product.objects.bulk_create(
                [a_product(f"P-{n}", category=leaf, discount=sale) for n in range(30)]
            )
        for product in Product.objects.filter(sku__startswith="P-1"):
            product.tags.set(Tag.objects.named([f"tag {product.sku[-1]}", "new"]))
            ProductImage.objects.create(product=product, url="/pictures/1.jpg")
        Product.objects.filter(price__gt=0).update(price=F("price") * 2)
        Category.objects.filter(name="Audio").update(name="Sound")
        Category.objects.get(name="Cables").delete()
        Discount.objects.filter(pk=sale.pk).delete()  # sets the products' to NULL
        some = list(Product.objects.order_by("sku")[:10])
        for product in some:
            product.cost = Decimal("1.2345")
        Product.objects.bulk_update(some, ["cost"])
        Product.objects.filter(sku__endswith="3").delete()
        Tag.objects.filter(name="new").delete()
        with transaction.atomic():
            Product.objects.update(price=1)
            Product.objects.all().delete()
            transaction.set_rollback(True)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE inventory_product SET name = upper(name) WHERE sku < 'P-2'")
        cursor.execute(
            "INSERT INTO inventory_product (sku, name, price) "
            "VALUES ('P-4', 'x', 1), ('Q', 'x', 1) "
            "ON CONFLICT (lower(sku)) DO UPDATE SET name = 'y'"
        )
    role = Role.objects.create(name="Temporary")
    role.permissions.set(Permission.objects.all()[:5])
    role.permissions.remove(Permission.objects.all()[0])
    users[1].groups.add(role)
    users[2].user_permissions.add(Permission.objects.all()[3])
    Profile.objects.update(job_title="x")
    Group.objects.filter(pk=role.pk).delete()
    User.objects.filter(pk=users[5].pk).delete()

    assert all_that_differ() == without_history
    assert {model.__name__: rows_without_a_change_set(model) for model in trailed_models} == {
        model.__name__: 0 for model in trailed_models
    }
    assert Membership.history.filter(history_type="-").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_category_and_the_one_above_it_changed_by_one_statement() -> None:
    """The upper one's trigger changes the lower once more, while the statement still runs."""
    Category.objects.get_or_create_path("A > B > C")
    for name in ("B", "A"):  # now the lowest stands first in the table, and the topmost last
        Category.objects.filter(name=name).update(description="moved")
    with audit_context(source=Source.SHELL):
        Category.objects.update(name=F("slug"), description="changed")

    assert sorted(Category.objects.values_list("path", flat=True)) == ["a", "a > b", "a > b > c"]
    assert rows_that_differ(Category) == []
    assert Category.history.filter(history_type="~").count() >= 3


@pytest.mark.django_db(transaction=True)
def test_what_is_written_while_a_trigger_is_off_can_be_told() -> None:
    """The negative control: the comparison sees a change that left no history."""
    a_product("S-1").save()
    assert rows_that_differ(Product) == []
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE inventory_product DISABLE TRIGGER USER")
        cursor.execute("UPDATE inventory_product SET price = 3")
        cursor.execute("ALTER TABLE inventory_product ENABLE TRIGGER USER")

    product = Product.objects.get()
    assert rows_that_differ(Product) == [(product.pk, product.pk, "+")]


def test_every_model_of_the_project_is_on_the_record_or_says_why_not() -> None:
    ours = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model.__module__.split(".")[0] in settings.AUDITED_PACKAGES
        and not hasattr(model, "history_object")
    ]
    excused = {
        model._meta.label: reason for model in ours if (reason := getattr(model, "no_trail", ""))
    }

    assert {model for model in ours if model not in trailed_models} == {
        model for model in ours if model._meta.label in excused
    }
    assert all(len(reason) > 10 for reason in excused.values())
    assert "audit.ChangeSet" in excused
    assert {Product, ProductImage, User, Membership, Role, Category} <= set(trailed_models)
