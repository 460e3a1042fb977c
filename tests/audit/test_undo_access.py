"""Nobody gains access by an undo that they could not give, and somebody always holds the keys."""

import pytest
from django.contrib.auth.models import Group, Permission

from backoffice.accounts.models import Membership, Role, User
from backoffice.accounts.roles import RoleName
from backoffice.accounts.undo import NobodyLeft
from backoffice.audit.exceptions import NothingToUndo, UndoNotPermitted
from backoffice.audit.undo.field import newest_row, revert_field
from backoffice.audit.undo.services import Keep
from tests.personas import Persona, make_user

from .undoing import done, planned, undo, work

pytestmark = pytest.mark.django_db


@pytest.fixture
def clerk(db: None) -> User:
    """May change people and undo, and little else."""
    user = User.objects.create_user("clerk@stockbook.test", "x", is_staff=True)
    rights = ["undo_changeset", "change_user", "view_user", "change_role", "delete_role"]
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    return user


def test_an_administrator_undoes_a_change_of_roles(administrator: User, warehouse: User) -> None:
    with work("promote", administrator):
        warehouse.groups.set(Group.objects.filter(name=RoleName.CATALOGUE_MANAGER))
    undo(done("promote"), administrator)
    assert [group.name for group in warehouse.groups.all()] == [RoleName.WAREHOUSE]


def test_nobody_gives_a_role_back_that_holds_more_than_they_do(
    administrator: User, warehouse: User, clerk: User
) -> None:
    other = User.objects.create_user("other@stockbook.test", "x", is_staff=True)
    keeper = Group.objects.get(name=RoleName.CATALOGUE_MANAGER)
    Membership.objects.create(user=other, group=keeper)
    with work("demote", administrator):
        other.groups.clear()
    with pytest.raises(NothingToUndo):
        undo(done("demote"), clerk)
    assert not other.groups.exists()
    assert planned("demote", actor=clerk).kept(Keep.NOT_PERMITTED) == 1
    undo(done("demote"), administrator)
    assert other.groups.get() == keeper


def test_nobody_becomes_a_superuser_again_by_somebody_who_is_none(
    administrator: User, clerk: User
) -> None:
    User.objects.create_superuser("root@stockbook.test", "x")
    with work("demote"):
        User.objects.filter(is_superuser=True).update(is_superuser=False)
    for actor in (clerk, administrator):
        with pytest.raises(NothingToUndo):
            undo(done("demote"), actor)
    root = User.objects.get(email="root@stockbook.test")
    first = User.history.filter(id=root.pk, is_superuser=True).latest("history_id")
    with pytest.raises(UndoNotPermitted):
        revert_field(
            model=User,
            key=root.pk,
            field="is_superuser",
            to=first.history_id,
            seen=newest_row(User, root.pk).history_id,
            actor=administrator,
            reason="try",
        )
    assert not User.objects.filter(is_superuser=True).exists()


def test_nobody_decides_about_their_own_access(administrator: User, clerk: User) -> None:
    with work("take"):
        clerk.is_active = False
        clerk.save()
        clerk.is_active = True
        clerk.last_name = "Clerk"
        clerk.save()
    with pytest.raises(NothingToUndo):
        undo(done("take"), clerk)


def test_a_right_that_a_role_lost_is_given_back_by_who_holds_it(
    administrator: User, clerk: User
) -> None:
    role = Role.objects.create(name="Helpers")
    role.permissions.set(Permission.objects.filter(codename__in=["change_user", "view_product"]))
    with work("strip"):
        role.permissions.clear()
    result = undo(done("strip"), clerk)
    assert [right.codename for right in role.permissions.all()] == ["change_user"]
    assert result.plan.kept(Keep.NOT_PERMITTED) == 1
    undo(done("strip"), administrator)
    assert role.permissions.count() == 2


def test_the_last_who_holds_the_keys_keeps_them(db: None) -> None:
    ada = make_user(Persona.ADMINISTRATOR)
    User.objects.exclude(pk=ada.pk).update(is_active=False)
    Membership.objects.all().delete()
    with work("appoint"):
        Membership.objects.create(user=ada, group=Group.objects.get(name=RoleName.ADMINISTRATOR))
    with pytest.raises(NobodyLeft):
        undo(done("appoint"))
    assert Membership.objects.count() == 1
