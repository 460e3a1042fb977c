"""What every page shows around itself, by role."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from backoffice.accounts.models import User
from tests.console.pages import PRODUCTS, signed_in
from tests.inventory.factories import make_product

pytestmark = pytest.mark.django_db

CATALOGUE = ["Products", "Categories", "Tags", "Discounts"]


def sidebar(user: User) -> list[str]:
    groups: Any = signed_in(user).get("/admin/").context["sidebar_navigation"]
    return [str(item["title"]) for group in groups for item in group["items"]]


@pytest.mark.parametrize(
    ("role", "shown", "hidden"),
    [
        ("administrator", [*CATALOGUE, "Timeline", "Users", "Roles"], []),
        ("catalogue_manager", CATALOGUE, ["Timeline", "Users", "Roles"]),
        ("warehouse", CATALOGUE, ["Timeline", "Users", "Roles"]),
        ("order_desk", CATALOGUE, ["Timeline", "Users", "Roles"]),
        ("auditor", [*CATALOGUE, "Timeline", "Users", "Roles"], []),
        ("outsider", ["Dashboard"], [*CATALOGUE, "Timeline", "Imports", "Users", "Roles"]),
    ],
)
def test_the_sidebar_shows_what_the_user_may_see(
    role: str, shown: list[str], hidden: list[str], request: pytest.FixtureRequest
) -> None:
    titles = sidebar(request.getfixturevalue(role))
    assert [title for title in shown if title not in titles] == []
    assert [title for title in hidden if title in titles] == []


@pytest.mark.parametrize("role", ["administrator", "catalogue_manager", "warehouse", "auditor"])
def test_every_entry_of_the_sidebar_opens(role: str, request: pytest.FixtureRequest) -> None:
    client = signed_in(request.getfixturevalue(role))
    groups: Any = client.get("/admin/").context["sidebar_navigation"]
    for group in groups:
        for item in group["items"]:
            assert client.get(item["link"]).status_code == 200, item["title"]


def test_a_stranger_sees_the_sign_in() -> None:
    for address in ("/admin/", "/admin/search/?s=mug"):
        response = Client().get(address)
        assert response.status_code == 302
        assert response["Location"].startswith("/admin/login/")


def test_markup_in_a_name_stays_text(catalogue_manager: User) -> None:
    make_product(name="<script>alert(1)</script>", sku="<b>", price=Decimal(1))
    client = signed_in(catalogue_manager)
    for address in ("/admin/", PRODUCTS, "/admin/search/?s=script"):
        text = client.get(address).text
        assert "<script>alert(1)" not in text, address
        assert "<b>" not in text, address


def test_the_texts_of_the_scripts_are_sent_once(warehouse: User) -> None:
    client = signed_in(warehouse)
    first = client.get("/admin/jsi18n/")
    assert first["Cache-Control"] == "private, no-cache"
    assert b"django.gettext" in first.content
    again = client.get("/admin/jsi18n/", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
