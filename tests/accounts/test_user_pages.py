"""The pages of people: who sees and changes what, and that all of it is on the record."""

from datetime import date
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backoffice.accounts.models import Membership, User
from backoffice.audit.models import ChangeSet
from tests.accounts.conftest import form_data, page_of, permission, signed_in
from tests.personas import PASSWORD, Persona, make_user

LIST = "/admin/accounts/user/"
ADD = "/admin/accounts/user/add/"
NEW: dict[str, Any] = {
    "email": "Nina@Example.com",
    "first_name": "Nina",
    "last_name": "New",
    "phone": "+49 30 1234",
    "password1": "a-fine-long-word",
    "password2": "a-fine-long-word",
    "is_staff": "on",
}


def role_pk(name: str) -> int:
    return Group.objects.get(name=name).pk


def people_pages(user: User) -> list[str]:
    return [LIST, ADD, *(page_of(user, page) for page in ("change", "delete", "history"))]


@pytest.mark.parametrize(
    "persona",
    [Persona.WAREHOUSE, Persona.ORDER_DESK, Persona.CATALOGUE_MANAGER, Persona.OUTSIDER],
)
def test_who_has_no_part_in_people_is_refused(administrator: User, persona: Persona) -> None:
    client = signed_in(make_user(persona))
    for page in [*people_pages(administrator), f"{LIST}{administrator.pk}/password/"]:
        assert client.get(page).status_code == 403, page
        refused = 405 if "/history/" in page else 403
        assert client.post(page, {"is_active": ""}).status_code == refused, page
    administrator.refresh_from_db()
    assert administrator.is_active


def test_strangers_are_sent_to_sign_in(administrator: User) -> None:
    for page in [*people_pages(administrator), f"{LIST}{administrator.pk}/password/"]:
        response = Client().get(page)
        assert response.status_code == 302, page
        assert response["Location"].startswith("/admin/login/")


def test_the_auditor_sees_people_and_changes_nothing(auditor: User, warehouse: User) -> None:
    client = signed_in(auditor)
    shown = client.get(page_of(warehouse)).content.decode()
    assert "walt@stockbook.test" in shown
    assert "Warehouse" in shown
    assert 'name="email"' not in shown
    assert 'name="profile-0-about"' not in shown
    assert "pbkdf2" not in shown
    assert "md5" not in shown
    assert client.get(LIST).status_code == 200
    assert client.get(page_of(warehouse, "history")).status_code == 200
    for page in (ADD, page_of(warehouse, "delete"), f"{LIST}{warehouse.pk}/password/"):
        assert client.get(page).status_code == 403, page
    sets = ChangeSet.objects.filter(kind="change").count()
    for page in (ADD, page_of(warehouse), page_of(warehouse, "delete")):
        assert client.post(page, {**NEW, "change_reason": "mine"}).status_code == 403, page
    assert ChangeSet.objects.filter(kind="change").count() == sets


def test_a_new_person_comes_with_roles_and_a_reason(administrator: User) -> None:
    response = signed_in(administrator).post(
        ADD, {**NEW, "roles": [role_pk("Warehouse")], "change_reason": "Starts on Monday"}
    )
    nina = User.objects.get(email="nina@example.com")
    assert response["Location"] == page_of(nina)
    assert (nina.first_name, nina.phone, nina.username) == ("Nina", "+49 30 1234", None)
    assert nina.check_password("a-fine-long-word")
    assert nina.is_staff
    assert not nina.is_superuser
    assert [group.name for group in nina.groups.all()] == ["Warehouse"]
    assert nina.profile

    record = ChangeSet.objects.latest("id")
    assert record.reason == "Starts on Monday"
    assert record.actor_id == administrator.pk
    assert record.action == "User added: Nina New"
    assert Membership.history.get(user_id=nina.pk).change_set_id == record.pk
    assert User.history.get(id=nina.pk).change_set_id == record.pk


def test_a_new_person_with_roles_needs_a_reason(administrator: User) -> None:
    response = signed_in(administrator).post(ADD, {**NEW, "roles": [role_pk("Warehouse")]})
    assert "change_reason" in response.context["adminform"].form.errors
    assert not User.objects.filter(email="nina@example.com").exists()


@pytest.mark.parametrize("email", ["ADA@stockbook.test", "ａｄａ@stockbook.test"])
def test_an_address_that_is_taken_is_refused_however_it_is_typed(
    administrator: User, email: str
) -> None:
    response = signed_in(administrator).post(ADD, {**NEW, "email": email})
    assert "email" in response.context["adminform"].form.errors
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"password1": "", "password2": ""},
        {"password2": "another-long-word"},
        {"password1": "12345678", "password2": "12345678"},
        {"password1": "", "password2": "", "usable_password": "false"},
        {"email": "no address"},
        {"email": ""},
    ],
)
def test_a_new_person_needs_an_address_and_a_password(
    administrator: User, wrong: dict[str, str]
) -> None:
    response = signed_in(administrator).post(ADD, {**NEW, **wrong})
    assert response.status_code == 200
    assert response.context["adminform"].form.errors
    assert User.objects.count() == 1


def test_names_change_without_a_reason_and_access_with_one(
    administrator: User, warehouse: User
) -> None:
    client = signed_in(administrator)
    data = form_data(client, page_of(warehouse))
    data |= {"first_name": "Walter", "birth_date": "1990-05-04", "profile-0-job_title": "Keeper"}
    assert client.post(page_of(warehouse), data).status_code == 302
    warehouse.refresh_from_db()
    assert warehouse.first_name == "Walter"
    assert warehouse.birth_date == date(1990, 5, 4)
    assert warehouse.profile.job_title == "Keeper"
    assert ChangeSet.objects.latest("id").action == "User changed: Walter Warehouse"

    data = form_data(client, page_of(warehouse))
    for change in (
        {"roles": [role_pk("Auditor")]},
        {"is_active": ""},
        {"is_staff": ""},
        {"further_permissions": [permission("inventory.change_product").pk]},
    ):
        refused = client.post(page_of(warehouse), {**data, **change})
        assert list(refused.context["adminform"].form.errors) == ["change_reason"], change
    warehouse.refresh_from_db()
    assert warehouse.is_active
    assert warehouse.is_staff
    assert [group.name for group in warehouse.groups.all()] == ["Warehouse"]
    assert not warehouse.user_permissions.exists()


def test_a_change_of_access_is_on_the_record_with_its_reason(
    administrator: User, warehouse: User
) -> None:
    client = signed_in(administrator)
    data = form_data(client, page_of(warehouse)) | {
        "roles": [role_pk("Warehouse"), role_pk("Order desk")],
        "further_permissions": [permission("inventory.change_product").pk],
        "change_reason": "Helps out",
    }
    assert client.post(page_of(warehouse), data).status_code == 302
    assert {group.name for group in warehouse.groups.all()} == {"Warehouse", "Order desk"}
    assert User.objects.get(pk=warehouse.pk).has_perm("inventory.change_product")
    record = ChangeSet.objects.latest("id")
    assert (record.reason, record.actor_id) == ("Helps out", administrator.pk)
    [gained] = Membership.history.filter(change_set_id=record.pk)
    assert (gained.history_type, gained.user_id) == ("+", warehouse.pk)

    history = client.get(page_of(warehouse, "history")).content.decode()
    assert "Order desk" in history
    assert "Helps out" in history


def test_saving_an_untouched_form_leaves_no_record(administrator: User, warehouse: User) -> None:
    client = signed_in(administrator)
    data = form_data(client, page_of(warehouse))
    sets = ChangeSet.objects.filter(kind="change").count()
    assert client.post(page_of(warehouse), data).status_code == 302
    assert ChangeSet.objects.filter(kind="change").count() == sets


def test_deactivating_signs_the_person_out(administrator: User, warehouse: User) -> None:
    client, theirs = signed_in(administrator), signed_in(warehouse)
    assert theirs.get("/admin/").status_code == 200
    data = form_data(client, page_of(warehouse))
    data.pop("is_active")
    client.post(page_of(warehouse), {**data, "change_reason": "Left us"})
    warehouse.refresh_from_db()
    assert not warehouse.is_active
    assert theirs.get("/admin/").status_code == 302


def test_the_list_takes_as_many_queries_for_many_as_for_few(administrator: User) -> None:
    client = signed_in(administrator)
    make_user(Persona.WAREHOUSE)
    client.get(LIST)
    with CaptureQueriesContext(connection) as few:
        client.get(LIST)
    for number in range(30):
        user = User.objects.create_user(f"{number}@example.com")
        user.groups.add(role_pk("Warehouse"), role_pk("Order desk"))
    User.objects.bulk_create([User(email=f"no-profile-{number}@example.com") for number in "123"])
    with CaptureQueriesContext(connection) as many:
        page = client.get(LIST).content.decode()
    assert "29@example.com" in page
    assert len(many) == len(few)


def test_the_list_finds_and_filters(administrator: User, warehouse: User, auditor: User) -> None:
    client = signed_in(administrator)
    for query, found in {
        "?q=WALT": [warehouse],
        "?q=stockbook.test": [administrator, auditor, warehouse],
        f"?groups__id__exact={role_pk('Auditor')}": [auditor],
        f"?groups={role_pk('Auditor')}": [auditor],
        "?is_active__exact=0": [],
    }.items():
        listed = client.get(LIST + query).context["cl"].queryset
        assert sorted(user.pk for user in listed) == sorted(user.pk for user in found), query


def test_a_new_password_for_someone_else_ends_their_sessions(
    administrator: User, warehouse: User
) -> None:
    client, theirs = signed_in(administrator), signed_in(warehouse)
    page = f"{LIST}{warehouse.pk}/password/"
    assert client.get(page).status_code == 200
    new = "a-quite-different-one"
    assert client.post(page, {"password1": new, "password2": new}).status_code == 302
    warehouse.refresh_from_db()
    assert warehouse.check_password(new)
    entry = ChangeSet.objects.get(kind="password")
    assert entry.action == f"Password changed: {warehouse.email}"
    assert (entry.actor_id, entry.reference) == (
        administrator.pk,
        f"accounts.user/{warehouse.pk}",
    )
    assert not LogEntry.objects.exists()
    assert theirs.get("/admin/").status_code == 302
    assert client.get("/admin/").status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"password1": "a-fine-long-word"},
        {"password1": "short", "password2": "short"},
        {"usable_password": "false", "unset-password": "1"},
    ],
)
def test_a_bad_new_password_is_refused(
    administrator: User, warehouse: User, wrong: dict[str, str]
) -> None:
    client = signed_in(administrator)
    response = client.post(f"{LIST}{warehouse.pk}/password/", wrong)
    assert response.status_code == 200
    warehouse.refresh_from_db()
    assert warehouse.check_password(PASSWORD)


def test_ones_own_password_needs_the_old_one(administrator: User) -> None:
    client = signed_in(administrator)
    new = "a-quite-different-one"
    for key in (str(administrator.pk), f"0{administrator.pk}", f" {administrator.pk}"):
        response = client.post(f"{LIST}{key}/password/", {"password1": new, "password2": new})
        assert response["Location"] == reverse("admin:password_change"), key
    administrator.refresh_from_db()
    assert administrator.check_password(PASSWORD)
    response = client.get(f"{LIST}{administrator.pk}/password/")
    assert response["Location"] == reverse("admin:password_change")
    assert client.get(response["Location"]).status_code == 200


def test_a_person_can_be_deleted_with_a_reason(administrator: User, warehouse: User) -> None:
    client, key = signed_in(administrator), warehouse.pk
    assert client.get(page_of(warehouse, "delete")).status_code == 200
    client.post(page_of(warehouse, "delete"), {"post": "yes"})
    assert User.objects.filter(pk=key).exists()
    client.post(page_of(warehouse, "delete"), {"post": "yes", "change_reason": "Double"})
    assert not User.objects.filter(pk=key).exists()
    record = ChangeSet.objects.latest("id")
    assert (record.reason, record.action) == ("Double", "User deleted: Walt Warehouse")
    assert User.history.filter(id=key, history_type="-", change_set_id=record.pk).count() == 1
    assert Membership.history.filter(user_id=key, history_type="-").count() == 1


def test_people_are_not_deleted_by_the_dozen(administrator: User, warehouse: User) -> None:
    client = signed_in(administrator)
    data = {"action": "delete_selected", "_selected_action": [warehouse.pk], "post": "yes"}
    client.post(LIST, data)
    assert User.objects.filter(pk=warehouse.pk).exists()
