"""The pages of roles: permissions within what one holds, and nobody left without a role by them."""

import re
from typing import Any

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backoffice.accounts.models import Role, RolePermission, User
from backoffice.audit.models import ChangeSet
from tests.accounts.conftest import form_data, permission, role, role_page, signed_in
from tests.personas import Persona, make_user

LIST = "/admin/accounts/role/"
ADD = "/admin/accounts/role/add/"


def state() -> list[Any]:
    return [
        sorted(Group.objects.values_list("pk", "name")),
        sorted(RolePermission.objects.values_list("group", "permission")),
        ChangeSet.objects.filter(kind="change").count(),
    ]


def built_in(name: str) -> Group:
    return Group.objects.get(name=name)


@pytest.mark.parametrize(
    "persona",
    [Persona.WAREHOUSE, Persona.ORDER_DESK, Persona.CATALOGUE_MANAGER, Persona.OUTSIDER],
)
def test_who_has_no_part_in_roles_is_refused(db: None, persona: Persona) -> None:
    client = signed_in(make_user(persona))
    auditor = built_in("Auditor")
    pages = [LIST, ADD, *(role_page(auditor, page) for page in ("change", "delete", "history"))]
    for page in pages:
        assert client.get(page).status_code == 403, page
        assert Client().get(page).status_code == 302, page


def test_what_the_sidebar_has_under_one_name_shares_a_table(administrator: User) -> None:
    shown = signed_in(administrator).get(role_page(built_in("Warehouse"))).content.decode()
    titles = re.findall(r"<h3[^>]*>([^<]*)</h3>", shown)
    assert titles == ["People", "Record", "Catalogue"]


def test_the_auditor_sees_roles_and_changes_nothing(auditor: User) -> None:
    client = signed_in(auditor)
    warehouse = built_in("Warehouse")
    shown = client.get(role_page(warehouse)).content.decode()
    assert "<strong>Products</strong>: View" in shown
    assert 'name="rights"' not in shown
    assert client.get(LIST).status_code == 200
    assert client.get(role_page(warehouse, "history")).status_code == 200
    before = state()
    for page in (ADD, role_page(warehouse), role_page(warehouse, "delete")):
        data = {"name": "Mine", "rights": [], "change_reason": "x", "post": "yes"}
        assert client.post(page, data).status_code == 403, page
    assert state() == before


def test_djangos_own_page_of_groups_is_closed(superuser: User) -> None:
    assert not site.is_registered(Group)
    assert signed_in(superuser).get("/admin/auth/group/").status_code == 404


def test_a_role_is_made_with_a_reason(administrator: User) -> None:
    client = signed_in(administrator)
    data = {"name": "Photographer", "rights": [permission("inventory.view_product").pk]}
    refused = client.post(ADD, data)
    assert list(refused.context["adminform"].form.errors) == ["change_reason"]
    assert not Role.objects.filter(name="Photographer").exists()
    assert client.post(ADD, {**data, "change_reason": "New job"}).status_code == 302
    made = Role.objects.get(name="Photographer")
    assert list(made.permissions.all()) == [permission("inventory.view_product")]
    record = ChangeSet.objects.latest("id")
    assert (record.reason, record.action) == ("New job", "Role added: Photographer")


def test_its_history_shows_the_permissions_that_came_and_went(administrator: User) -> None:
    made = role("Photographer", "inventory.view_product")
    client = signed_in(administrator)
    data = form_data(client, role_page(made)) | {
        "rights": [permission("inventory.change_productimage").pk],
        "change_reason": "Pictures only",
    }
    assert client.post(role_page(made), data).status_code == 302
    record = ChangeSet.objects.latest("id")
    changes = RolePermission.history.filter(change_set_id=record.pk)
    assert sorted(changes.values_list("history_type", "permission__codename")) == [
        ("+", "change_productimage"),
        ("-", "view_product"),
    ]
    history = client.get(role_page(made, "history")).content.decode()
    assert "Pictures only" in history
    assert "Change image" in history


def test_only_permissions_that_one_holds_go_into_a_role(team_lead: User) -> None:
    made = role("Photographer", "inventory.view_product")
    client = signed_in(team_lead)
    forged = [permission("inventory.view_product").pk, permission("inventory.delete_product").pk]
    data = form_data(client, role_page(made)) | {"rights": forged, "change_reason": "x"}
    before = state()
    for page, more in ((role_page(made), {}), (ADD, {"name": "Other"})):
        response = client.post(page, {**data, **more})
        assert "do not hold it" in str(response.context["adminform"].form.errors), page
    everything = list(Permission.objects.values_list("pk", flat=True))
    forged_names = {**data, "rights": [], "permissions": everything, "user_set": [team_lead.pk]}
    client.post(ADD, {**forged_names, "name": "Other"})
    assert not Role.objects.get(name="Other").permissions.exists()
    Role.objects.get(name="Other").delete()
    assert state()[:2] == before[:2]


def test_a_role_that_holds_more_is_out_of_reach(team_lead: User) -> None:
    bigger = role("Bigger", "inventory.delete_product")
    client = signed_in(team_lead)
    page = client.get(role_page(bigger)).content.decode()
    assert "holds permissions that you do not have" in page
    assert 'name="rights"' not in page
    before = state()
    for name in ("change", "delete"):
        data = {"name": "Smaller", "rights": [], "change_reason": "x", "post": "yes"}
        assert client.post(role_page(bigger, name), data).status_code == 403
    assert state() == before


def test_an_untouched_role_is_saved_without_a_record(administrator: User, superuser: User) -> None:
    """Though some of its permissions are not on the page."""
    for user in (administrator, superuser):
        client = signed_in(user)
        for name in ("Administrator", "Auditor"):
            data = form_data(client, role_page(built_in(name)))
            before = state()
            assert client.post(role_page(built_in(name)), data).status_code == 302
            assert state() == before


def test_the_roles_of_stockbook_keep_their_names(administrator: User) -> None:
    client = signed_in(administrator)
    warehouse = built_in("Warehouse")
    data = form_data(client, role_page(warehouse)) | {"name": "Depot", "change_reason": "x"}
    assert client.post(role_page(warehouse), data).status_code == 302
    warehouse.refresh_from_db()
    assert warehouse.name == "Warehouse"
    response = client.post(
        role_page(warehouse, "delete"), {"post": "yes", "change_reason": "x"}, follow=True
    )
    assert "comes with Stockbook and stays" in response.content.decode()
    assert built_in("Warehouse")


def test_administrators_keep_the_right_to_mend_things(administrator: User) -> None:
    client = signed_in(administrator)
    page = role_page(built_in("Administrator"))
    data = form_data(client, page) | {"change_reason": "x"}
    before = state()
    for key in ("view_user", "change_user", "view_role", "change_role"):
        taken = permission(f"accounts.{key}").pk
        rights = [right for right in data["rights"] if right != taken]
        response = client.post(page, {**data, "rights": rights})
        assert "Administrators must be able" in str(response.context["adminform"].form.errors)
    assert state() == before
    fewer = [right for right in data["rights"] if right != permission("inventory.add_tag").pk]
    assert client.post(page, {**data, "rights": fewer}).status_code == 302


@pytest.mark.parametrize(
    ("number", "words"),
    [(1, "1 person holds the role Photographer."), (3, "3 people hold the role Photographer.")],
)
def test_a_role_that_people_hold_is_not_deleted(
    administrator: User, number: int, words: str
) -> None:
    made = role("Photographer")
    for index in range(number):
        User.objects.create_user(f"{index}@example.com").groups.add(made)
    client = signed_in(administrator)
    before = state()
    for send in (client.get, client.post):
        response = send(
            role_page(made, "delete"), {"post": "yes", "change_reason": "x"}, follow=True
        )
        assert words in response.content.decode()
    assert state() == before


def test_a_role_that_nobody_holds_is_deleted_with_a_reason(administrator: User) -> None:
    made = role("Photographer", "inventory.view_product")
    client = signed_in(administrator)
    client.post(role_page(made, "delete"), {"post": "yes"})
    assert Role.objects.filter(name="Photographer").exists()
    client.post(role_page(made, "delete"), {"post": "yes", "change_reason": "Mistake"})
    assert not Role.objects.filter(name="Photographer").exists()
    record = ChangeSet.objects.latest("id")
    assert (record.reason, record.action) == ("Mistake", "Role deleted: Photographer")
    assert RolePermission.history.filter(change_set_id=record.pk, history_type="-").count() == 1


def test_the_list_counts_people_in_as_many_queries_for_many_roles(administrator: User) -> None:
    client = signed_in(administrator)
    client.get(LIST)
    with CaptureQueriesContext(connection) as few:
        client.get(LIST)
    for index in range(20):
        role(f"Role {index}", "inventory.view_product").user_set.add(administrator)
    with CaptureQueriesContext(connection) as many:
        page = client.get(LIST)
    assert len(many) == len(few)
    counts = {row.name: row.people_number for row in page.context["cl"].result_list}
    assert counts["Role 7"] == counts["Administrator"] == 1
    assert counts["Auditor"] in {None, 0}
