"""What every page shows around itself, by role: sidebar, dashboard, command palette."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.test import Client

from backoffice.accounts.models import User
from backoffice.accounts.roles import RoleName
from backoffice.exchange.models import ImportJob
from inventory.models import Product, ProductImage
from tests.console.pages import PRODUCTS, signed_in
from tests.inventory.factories import make_category, make_product

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


def test_the_numbers_of_the_dashboard_are_those_of_the_lists_they_lead_to(
    catalogue_manager: User,
) -> None:
    audio = make_category("Audio")
    pictured = make_product(category=audio)
    ProductImage.objects.create(product=pictured, url="/a.png")
    ProductImage.objects.create(product=pictured, url="/b.png")
    make_product(category=audio)
    make_product()
    make_product(is_active=False)
    client = signed_in(catalogue_manager)
    figures: Any = client.get("/admin/").context["figures"]
    assert [(str(each.title), each.value) for each in figures] == [
        ("active products", 3),
        ("inactive products", 1),
        ("without a category", 2),
        ("without an image", 3),
    ]
    for figure in figures:
        shown: Any = client.get(figure.link).context["cl"]
        assert shown.result_count == figure.value, figure.title


def test_the_dashboard_shows_changes_to_who_may_read_the_record(auditor: User) -> None:
    response = signed_in(auditor).get("/admin/")
    assert response.context["changes"] is not None
    assert response.context["products"] is None
    assert response.context["imports"] is None
    assert "Recent changes" in response.text


def test_the_dashboard_shows_products_to_who_may_not(warehouse: User) -> None:
    make_product(name="Mug")
    response = signed_in(warehouse).get("/admin/")
    assert response.context["changes"] is None
    assert "Mug" in response.text
    assert "Recent changes" not in response.text


def test_the_dashboard_shows_an_importer_their_own_imports(
    catalogue_manager: User, administrator: User
) -> None:
    facts = {"resource": "products", "size": 1, "sha256": "0" * 64, "encoding": "utf-8"}
    ImportJob.objects.create(user=administrator, file_name="theirs.csv", **facts)
    job = ImportJob.objects.create(
        user=catalogue_manager,
        file_name="mine.csv",
        state=ImportJob.State.CHECKED,
        new=2,
        invalid=1,
        **facts,
    )
    client = signed_in(catalogue_manager)
    response = client.get("/admin/")
    imports: Any = response.context["imports"]
    assert [(each.file_name, each.summary) for each in imports] == [
        ("mine.csv", "checked: 2 new, 1 invalid")
    ]
    assert str(job.pk) in imports[0].link
    assert "theirs.csv" not in response.text


def test_the_dashboard_says_what_to_do_to_who_has_no_role(outsider: User) -> None:
    make_product(name="Mug")
    response = signed_in(outsider).get("/admin/")
    assert response.status_code == 200
    assert "Your account has no role." in response.text
    assert "Mug" not in response.text


def test_a_stranger_sees_the_sign_in() -> None:
    for address in ("/admin/", "/admin/search/?s=mug"):
        response = Client().get(address)
        assert response.status_code == 302
        assert response["Location"].startswith("/admin/login/")


def found(client: Client, term: str) -> list[str]:
    response = client.get("/admin/search/", {"s": term})
    assert response.status_code == 200
    context: Any = response.context
    return [result.title for result in context["results"]] if context else []


def test_the_palette_finds_the_code_first_then_the_best_five(warehouse: User) -> None:
    for number in range(8):
        make_product(name=f"Cup for M-1 {number}")
    make_product(sku="M-1", name="Mug")
    make_product(sku="X", name="Zebra", barcode="4006381333931")
    client = signed_in(warehouse)
    assert found(client, "m-1") == ["Mug", *(f"Cup for M-1 {number}" for number in range(4))]
    assert found(client, "4006381333931") == ["Zebra"]


def test_the_palette_finds_categories_and_pages(warehouse: User) -> None:
    make_category("Audio > Radios")
    client = signed_in(warehouse)
    assert found(client, "radios") == ["Radios"]
    assert found(client, "discounts") == ["Discounts"]
    assert found(client, "no such thing") == []
    assert found(client, "  ") == []
    assert found(client, "\0radios") == ["Radios"]


def test_the_palette_shows_nothing_to_who_may_see_nothing(outsider: User) -> None:
    make_product(name="Mug", category=make_category("Mugs"))
    assert found(signed_in(outsider), "mug") == []


def test_a_right_that_is_taken_away_is_gone_from_the_palette_at_once(warehouse: User) -> None:
    make_product(name="Mug")
    client = signed_in(warehouse)
    assert found(client, "mug") == ["Mug"]
    warehouse.groups.remove(Group.objects.get(name=RoleName.WAREHOUSE.value))
    assert found(client, "mug") == []


def test_the_palette_knows_the_new_name_at_once(warehouse: User) -> None:
    product = make_product(name="Mug")
    client = signed_in(warehouse)
    assert found(client, "mug") == ["Mug"]
    Product.objects.filter(pk=product.pk).update(name="Mug, blue")
    assert found(client, "mug") == ["Mug, blue"]
    assert cache.get("unfold_search") is None


def test_markup_in_a_name_stays_text(catalogue_manager: User) -> None:
    make_product(name="<script>alert(1)</script>", sku="<b>", price=Decimal(1))
    client = signed_in(catalogue_manager)
    for address in ("/admin/", PRODUCTS, "/admin/search/?s=script"):
        text = client.get(address).text
        assert "<script>alert(1)" not in text, address
        assert "<b>" not in text, address
