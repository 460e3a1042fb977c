"""An undo takes the rights that doing the same by hand would take."""

import pytest
from django.contrib.auth.models import Permission

from backoffice.accounts.models import User
from backoffice.audit.exceptions import NothingToUndo
from backoffice.audit.undo.services import Keep
from inventory.models import Product, ProductTag, Tag
from tests.audit.conftest import a_product

from .undoing import done, kept_because, undo, work

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("act", ["add", "change", "delete"])
def test_what_somebody_may_not_do_by_hand_they_may_not_undo_either(
    product: Product, act: str
) -> None:
    user = User.objects.create_user("u@stockbook.test", "x", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(
            codename__in={
                "undo_changeset", "add_product", "change_product", "delete_product",
            } - {f"{act}_product"}
        )
    )  # fmt: skip
    a_product("S-2").save()
    with work("all three"):
        a_product("S-3").save()
        Product.objects.filter(sku="S-1").update(brand="Acme")
        Product.objects.filter(sku="S-2").delete()
    result = undo(done("all three"), user)
    (row,) = result.plan.rows(Product, kept=True)
    assert row.kept == Keep.NOT_PERMITTED
    assert row.act == {"add": "bring_back", "change": "put_back", "delete": "remove"}[act]
    assert result.plan.undone == 2


def test_links_need_the_right_to_change_what_they_belong_to(product: Product) -> None:
    user = User.objects.create_user("u@stockbook.test", "x", is_staff=True)
    undo_right = Permission.objects.get(codename="undo_changeset")
    user.user_permissions.set([undo_right])
    with work("tag"):
        product.tags.set(Tag.objects.named(["new"]))
    with pytest.raises(NothingToUndo):
        undo(done("tag"), user)
    assert ProductTag.objects.count() == 1
    rights = ["change_product", "delete_tag"]
    user.user_permissions.set([undo_right, *Permission.objects.filter(codename__in=rights)])
    undo(done("tag"), User.objects.get(pk=user.pk))
    assert ProductTag.objects.count() == Tag.objects.count() == 0


def test_who_may_not_see_the_cost_brings_a_product_back_with_it(product: Product) -> None:
    """It comes back whole, and they see no more of it than before."""
    user = User.objects.create_user("u@stockbook.test", "x", is_staff=True)
    rights = ["undo_changeset", "add_product"]
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    Product.objects.update(cost=5)
    with work("delete"):
        product.delete()
    undo(done("delete"), user)
    assert Product.objects.get().cost == 5


def test_who_may_not_see_the_cost_does_not_change_it_by_an_undo(product: Product) -> None:
    user = User.objects.create_user("u@stockbook.test", "x", is_staff=True)
    rights = ["undo_changeset", "change_product"]
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    a_product("S-2").save()
    with work("change"):
        Product.objects.filter(sku="S-1").update(cost=5)
        Product.objects.filter(sku="S-2").update(brand="Acme")
    result = undo(done("change"), user)
    assert list(kept_because(result.plan)) == ["Product S-1 (S-1)"]
    assert Product.objects.get(pk=product.pk).cost == 5
