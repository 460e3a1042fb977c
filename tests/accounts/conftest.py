from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse

from backoffice.accounts.models import User
from tests.personas import PASSWORD


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page_of(user: User, page: str = "change") -> str:
    return reverse(f"admin:accounts_user_{page}", args=[user.pk])


def role_page(role: Group, page: str = "change") -> str:
    return reverse(f"admin:accounts_role_{page}", args=[role.pk])


def role(name: str, *codenames: str) -> Group:
    """A role of the tests' own, with permissions named as "app.codename"."""
    group = Group.objects.create(name=name)
    group.permissions.add(*(permission(codename) for codename in codenames))
    return group


def permission(name: str) -> Permission:
    app_label, codename = name.split(".")
    return Permission.objects.get(content_type__app_label=app_label, codename=codename)


def form_data(client: Client, page: str) -> dict[str, Any]:
    """What a browser would send back if nobody touched the form."""
    context = client.get(page).context
    data: dict[str, Any] = {}
    forms = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    for form in forms:
        for bound in form:
            value = bound.value()
            if value is None or value is False:
                continue
            if hasattr(value, "__iter__") and not isinstance(value, str):
                value = [getattr(item, "pk", item) for item in value]
            data[bound.html_name] = "on" if value is True else value
    return data


@pytest.fixture
def superuser(db: None) -> User:
    return User.objects.create_superuser("root@stockbook.test", PASSWORD, first_name="Rut")


@pytest.fixture
def team_lead(db: None) -> User:
    """Keeps people, and of the rest holds no more than the warehouse."""
    lead = User.objects.create_user("lead@stockbook.test", PASSWORD, is_staff=True)
    lead.groups.add(
        role(
            "Team lead",
            "accounts.view_user",
            "accounts.add_user",
            "accounts.change_user",
            "accounts.delete_user",
            "accounts.view_role",
            "accounts.add_role",
            "accounts.change_role",
            "accounts.delete_role",
            "accounts.view_profile",
            "accounts.change_profile",
        ),
        Group.objects.get(name="Warehouse"),
    )
    return lead
