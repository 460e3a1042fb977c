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


def test_a_role_that_holds_more_than_they_do_is_not_theirs_to_put_back(
    administrator: User, clerk: User
) -> None:
    """By hand the clerk could only look at it, whatever the one permission is."""
    role = Group.objects.get(name=RoleName.CATALOGUE_MANAGER)
    right = Permission.objects.get(codename="view_user")
    with work("widen", administrator):
        role.permissions.add(right)
    with pytest.raises(NothingToUndo):
        undo(done("widen"), clerk)
    assert role.permissions.filter(pk=right.pk).exists()
    undo(done("widen"), administrator)
    assert not role.permissions.filter(pk=right.pk).exists()


def test_a_deleted_role_comes_back_with_its_people(
    administrator: User, clerk: User, warehouse: User
) -> None:
    role = Role.objects.create(name="Helpers")
    role.permissions.set(Permission.objects.filter(codename__in=["view_product", "view_user"]))
    other = User.objects.create_user("other@stockbook.test", "x", is_staff=True)
    for user in (other, administrator):
        Membership.objects.create(user=user, group=role)
    with work("dissolve", administrator):
        role.delete()
    undo(done("dissolve"), administrator)
    back = Role.objects.get(name="Helpers")
    assert {right.codename for right in back.permissions.all()} == {"view_product", "view_user"}
    assert [user.pk for user in back.user_set.all()] == [other.pk], "their own is for others"


def test_the_roles_that_stockbook_comes_with_stay(administrator: User) -> None:
    root = User.objects.create_superuser("root@stockbook.test", "x")
    Group.objects.filter(name=RoleName.WAREHOUSE).delete()
    with work("name"):
        Role.objects.create(name=RoleName.WAREHOUSE)
    for actor in (administrator, root):
        with pytest.raises(NothingToUndo):
            undo(done("name"), actor)
    with work("lose"):
        Role.objects.filter(name=RoleName.WAREHOUSE).delete()
    undo(done("lose"), administrator)
    assert Role.objects.filter(name=RoleName.WAREHOUSE).exists()


def test_administrators_keep_the_rights_to_give_access(administrator: User) -> None:
    role = Group.objects.get(name=RoleName.ADMINISTRATOR)
    right = Permission.objects.get(codename="change_user")
    role.permissions.remove(right)
    with work("grant"):
        role.permissions.add(right)
    with pytest.raises(NobodyLeft):
        undo(done("grant"), administrator)
    assert role.permissions.filter(pk=right.pk).exists()


def test_the_last_who_holds_the_keys_keeps_them(db: None) -> None:
    ada = make_user(Persona.ADMINISTRATOR)
    User.objects.exclude(pk=ada.pk).update(is_active=False)
    Membership.objects.all().delete()
    with work("appoint"):
        Membership.objects.create(user=ada, group=Group.objects.get(name=RoleName.ADMINISTRATOR))
    with pytest.raises(NobodyLeft):
        undo(done("appoint"))
    assert Membership.objects.count() == 1
