"""Nobody gives what they do not hold, takes over who holds more, or locks everyone out."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError

from backoffice.accounts.access import keyholders, lock_access
from backoffice.accounts.models import Membership, User, UserPermission
from backoffice.audit.models import ChangeSet
from tests.accounts.conftest import form_data, page_of, permission, role, signed_in
from tests.accounts.test_user_pages import ADD, LIST, NEW, role_pk
from tests.personas import PASSWORD


def state() -> list[Any]:
    """All that decides about access, and how much is on the record."""
    return [
        sorted(User.objects.values_list("pk", "is_active", "is_staff", "is_superuser", "password")),
        sorted(Membership.objects.values_list("user", "group")),
        sorted(UserPermission.objects.values_list("user", "permission")),
        ChangeSet.objects.filter(kind="change").count(),
    ]


def colleague(*roles: str) -> User:
    user = User.objects.create_user("colleague@stockbook.test", PASSWORD, is_staff=True)
    user.groups.set(Group.objects.filter(name__in=roles))
    return user


def test_only_roles_that_one_holds_oneself_are_offered(team_lead: User) -> None:
    form = signed_in(team_lead).get(ADD).context["adminform"].form
    offered = {group.name for group in form.fields["roles"].queryset}
    # The order desk holds no more than the warehouse does.
    assert offered == {"Order desk", "Team lead", "Warehouse"}
    assert "Administrator" in form.fields["roles"].help_text


@pytest.mark.parametrize("name", ["Administrator", "Catalogue manager", "Auditor"])
def test_a_forged_role_is_refused(team_lead: User, name: str) -> None:
    user, client = colleague("Warehouse"), signed_in(team_lead)
    data = form_data(client, page_of(user)) | {"change_reason": "x"}
    before = state()
    for roles in ([role_pk(name)], [role_pk(name), role_pk("Warehouse")]):
        response = client.post(page_of(user), {**data, "roles": roles})
        assert "You cannot give this role" in str(response.context["adminform"].form.errors)
        response = client.post(ADD, {**NEW, "roles": roles, "change_reason": "x"})
        assert "You cannot give this role" in str(response.context["adminform"].form.errors)
    assert state() == before


def test_a_forged_permission_is_refused(team_lead: User) -> None:
    user, client = colleague("Warehouse"), signed_in(team_lead)
    data = form_data(client, page_of(user)) | {"change_reason": "x"}
    before = state()
    wanted = [permission("inventory.delete_product").pk]
    response = client.post(page_of(user), {**data, "further_permissions": wanted})
    assert "do not hold it" in str(response.context["adminform"].form.errors)
    assert state() == before


def test_a_permission_that_one_holds_can_be_given(team_lead: User) -> None:
    user, client = colleague(), signed_in(team_lead)
    wanted = permission("inventory.view_product")
    data = form_data(client, page_of(user)) | {
        "further_permissions": [wanted.pk],
        "change_reason": "x",
    }
    assert client.post(page_of(user), data).status_code == 302
    assert list(user.user_permissions.all()) == [wanted]


def test_what_was_never_on_offer_is_kept(superuser: User, warehouse: User) -> None:
    """Permissions on Django's own tables are not on the page, so saving it takes none away."""
    hidden = permission("sessions.view_session")
    warehouse.user_permissions.add(hidden)
    client = signed_in(superuser)
    data = form_data(client, page_of(warehouse))
    assert client.post(page_of(warehouse), {**data, "first_name": "W"}).status_code == 302
    wanted = permission("inventory.change_product")
    data = form_data(client, page_of(warehouse))
    data |= {"further_permissions": [wanted.pk], "change_reason": "x"}
    assert client.post(page_of(warehouse), data).status_code == 302
    assert set(warehouse.user_permissions.all()) == {hidden, wanted}


@pytest.mark.parametrize("beyond", ["role", "permission", "superuser", "inactive administrator"])
def test_who_holds_more_is_out_of_reach(team_lead: User, beyond: str) -> None:
    user = colleague("Warehouse")
    if beyond == "role":
        user.groups.add(role_pk("Catalogue manager"))
    elif beyond == "permission":
        user.user_permissions.add(permission("inventory.delete_tag"))
    elif beyond == "superuser":
        User.objects.filter(pk=user.pk).update(is_superuser=True)
    else:
        user.groups.add(role_pk("Administrator"))
        User.objects.filter(pk=user.pk).update(is_active=False)
    client = signed_in(team_lead)
    page = client.get(page_of(user))
    assert page.status_code == 200
    assert "holds permissions that you do not have" in page.content.decode()
    assert 'name="email"' not in page.content.decode()
    assert 'name="profile-0-about"' not in page.content.decode()
    before = state()
    stolen = "mine-from-now-on"
    forged = {**NEW, "email": "lead2@stockbook.test", "change_reason": "x", "post": "yes"}
    for path in (page_of(user), page_of(user, "delete")):
        assert client.post(path, forged).status_code == 403, path
    password_page = f"{LIST}{user.pk}/password/"
    assert client.get(password_page).status_code == 403
    assert client.post(password_page, {"password1": stolen, "password2": stolen}).status_code == 403
    assert state() == before
    user.refresh_from_db()
    assert user.email == "colleague@stockbook.test"


def test_who_holds_as_much_or_less_is_within_reach(team_lead: User) -> None:
    user, client = colleague("Order desk"), signed_in(team_lead)
    data = form_data(client, page_of(user)) | {"first_name": "Colin"}
    assert client.post(page_of(user), data).status_code == 302
    user.refresh_from_db()
    assert user.first_name == "Colin"


def test_posting_every_field_changes_only_those_on_the_page(
    administrator: User, warehouse: User
) -> None:
    """Mass assignment: each column of the user, and the names under which Django would take it."""
    client = signed_in(administrator)
    forged = form_data(client, page_of(warehouse)) | {
        "id": "4711",
        "pk": "4711",
        "password": "md5$a$b",
        "last_login": "2001-01-01 00:00",
        "last_login_0": "2001-01-01",
        "last_login_1": "00:00",
        "date_joined": "2001-01-01 00:00",
        "date_joined_0": "2001-01-01",
        "date_joined_1": "00:00",
        "is_superuser": "on",
        "groups": [role_pk("Administrator")],
        "user_permissions": list(Permission.objects.values_list("pk", flat=True)),
        "memberships": [role_pk("Administrator")],
        "profile-0-last_active_at": "2001-01-01 00:00",
        "change_reason": "x",
    }
    before = state()
    row = User.objects.filter(pk=warehouse.pk).values().get()
    assert client.post(page_of(warehouse), forged).status_code == 302
    assert state() == before
    assert User.objects.filter(pk=warehouse.pk).values().get() == row
    elsewhere = {**forged, "profile-0-user": administrator.pk, "profile-0-about": "Mine"}
    client.post(page_of(warehouse), elsewhere)
    assert state() == before

    columns = ("id", "is_superuser", "groups", "user_permissions", "change_reason")
    forged_new = {column: forged[column] for column in columns}
    forged_new["further_permissions"] = [permission("inventory.view_tag").pk]
    assert client.post(ADD, {**NEW, **forged_new}).status_code == 302
    nina = User.objects.get(email="nina@example.com")
    assert not nina.is_superuser
    assert not nina.groups.exists()
    assert not nina.user_permissions.exists()
    assert nina.pk != 4711


def test_only_a_superuser_sees_and_gives_superuser(
    superuser: User, administrator: User, warehouse: User
) -> None:
    page = signed_in(administrator).get(page_of(warehouse)).content.decode()
    assert "is_superuser" not in page
    found = signed_in(administrator).get(f"{LIST}?is_superuser__exact=1")
    assert found.status_code in {302, 400}

    client = signed_in(superuser)
    data = form_data(client, page_of(warehouse)) | {"is_superuser": "on"}
    refused = client.post(page_of(warehouse), data)
    assert list(refused.context["adminform"].form.errors) == ["change_reason"]
    assert client.post(page_of(warehouse), {**data, "change_reason": "x"}).status_code == 302
    warehouse.refresh_from_db()
    assert warehouse.is_superuser


def test_nobody_changes_their_own_access(administrator: User, superuser: User) -> None:
    for user in (administrator, superuser):
        client = signed_in(user)
        data = form_data(client, page_of(user))
        before = state()
        forged = {
            **{key: value for key, value in data.items() if not key.startswith("is_")},
            "roles": [role_pk("Auditor")],
            "further_permissions": [permission("inventory.view_tag").pk],
            "change_reason": "x",
        }
        assert client.post(page_of(user), forged).status_code == 302
        assert state() == before
        assert client.post(page_of(user), {**data, "first_name": "Me"}).status_code == 302
        user.refresh_from_db()
        assert user.first_name == "Me"


def test_nobody_deletes_themselves(administrator: User, superuser: User) -> None:
    client = signed_in(administrator)
    before = state()
    for send in (client.get, client.post):
        response = send(
            page_of(administrator, "delete"), {"post": "yes", "change_reason": "x"}, follow=True
        )
        assert "You cannot delete yourself" in response.content.decode()
    assert state() == before


@pytest.fixture
def equal(administrator: User) -> User:
    """Holds all that the administrator does, by another role; so nothing but being the last
    administrator protects the administrator from them."""
    twin = role("Twin")
    twin.permissions.set(Group.objects.get(name="Administrator").permissions.all())
    user = User.objects.create_user("equal@stockbook.test", PASSWORD, is_staff=True)
    user.groups.add(twin)
    return user


@pytest.mark.parametrize("loss", [{"is_active": ""}, {"is_staff": ""}, {"roles": []}])
def test_the_last_administrator_keeps_the_keys(
    administrator: User, equal: User, loss: dict[str, Any]
) -> None:
    client = signed_in(equal)
    data = {**form_data(client, page_of(administrator)), **loss, "change_reason": "x"}
    before = state()
    response = client.post(page_of(administrator), data)
    errors = response.context["adminform"].form.errors
    assert list(errors) == list(loss)
    assert "Ada Admin is the last active administrator" in str(errors)
    response = client.post(
        page_of(administrator, "delete"), {"post": "yes", "change_reason": "x"}, follow=True
    )
    assert "Ada Admin is the last active administrator" in response.content.decode()
    assert state() == before


@pytest.mark.parametrize("loss", [{"is_active": ""}, {"is_staff": ""}, {"roles": []}])
def test_one_of_two_administrators_may_go(
    administrator: User, equal: User, loss: dict[str, Any]
) -> None:
    second = User.objects.create_user("second@stockbook.test", is_staff=True)
    second.groups.add(role_pk("Administrator"))
    client = signed_in(equal)
    data = {**form_data(client, page_of(administrator)), **loss, "change_reason": "x"}
    assert client.post(page_of(administrator), data).status_code == 302
    assert list(keyholders()) == [second]


@pytest.mark.parametrize(
    "useless", [{"is_active": False}, {"is_staff": False}, {"is_active": False, "is_staff": False}]
)
def test_who_cannot_come_in_holds_no_keys(
    administrator: User, equal: User, useless: dict[str, bool]
) -> None:
    second = User(email="second@stockbook.test", **{"is_staff": True, **useless})
    second.save()
    second.groups.add(role_pk("Administrator"))
    client = signed_in(equal)
    data = form_data(client, page_of(administrator)) | {"is_active": "", "change_reason": "x"}
    client.post(page_of(administrator), data)
    administrator.refresh_from_db()
    assert administrator.is_active


def test_the_last_superuser_may_go_while_an_administrator_stays(
    administrator: User, superuser: User
) -> None:
    other = User.objects.create_superuser("other@stockbook.test")
    client = signed_in(superuser)
    data = form_data(client, page_of(other)) | {"is_superuser": "", "change_reason": "x"}
    assert client.post(page_of(other), data).status_code == 302
    other.refresh_from_db()
    assert not other.is_superuser


@pytest.mark.django_db(transaction=True)
def test_the_lock_needs_a_transaction() -> None:
    with pytest.raises(TransactionManagementError):
        lock_access()
    with transaction.atomic():
        lock_access()
    assert not connection.in_atomic_block


def test_a_stale_page_gives_no_access_back(
    administrator: User, superuser: User, warehouse: User
) -> None:
    client = signed_in(administrator)
    stale = form_data(client, page_of(warehouse)) | {"first_name": "W", "change_reason": "x"}
    warehouse.groups.clear()

    refused = client.post(page_of(warehouse), stale)
    assert refused.status_code == 200
    assert "changed this after you had opened it" in refused.text
    assert not warehouse.groups.exists()
    warehouse.refresh_from_db()
    assert warehouse.first_name == "Walt"

    fresh = form_data(client, page_of(warehouse)) | {"first_name": "W", "change_reason": "x"}
    assert client.post(page_of(warehouse), fresh).status_code == 302
    assert not warehouse.groups.exists()


def test_a_page_that_does_not_say_what_it_shows_saves_nothing(
    administrator: User, warehouse: User
) -> None:
    client = signed_in(administrator)
    data = form_data(client, page_of(warehouse)) | {"first_name": "W", "change_reason": "x"}
    del data["state_seen"]
    assert client.post(page_of(warehouse), data).status_code == 200
    warehouse.refresh_from_db()
    assert warehouse.first_name == "Walt"
