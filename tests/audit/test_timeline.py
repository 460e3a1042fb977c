"""The timeline, and what a change set holds."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backoffice.accounts.models import User
from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import ChangeSet
from inventory.models import Category, Product, Tag

from .conftest import a_product
from .pages import LIST, detail, history_page, words

# The timeline.


def test_the_list_says_who_what_and_why(as_auditor: Client, change_set: ChangeSet) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE inventory_product SET price = 1")
    text = words(as_auditor.get(LIST))
    assert "Carla Catalogue <carla@stockbook.test> back office" in text
    assert "Product changed: Product S-1 the supplier's <new> list request-" in text
    assert "direct SQL" in text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"source": "admin"}, True),
        ({"source": "sql"}, False),
        ({"source": "nonsense"}, False),
        ({"q": "supplier"}, True),
        ({"q": "Carla"}, True),
        ({"q": "request-0001"}, True),
        ({"q": "S-1"}, True),
        ({"q": "elsewhere"}, False),
        ({"who": "nobody"}, False),
        ({"who": "carla"}, True),
        ({"who": "99999999999999999999"}, False),
        ({"at_from_0": "2020-01-01", "at_from_1": "00:00:00"}, True),
        ({"at_from_0": "2020-01-01"}, True),
        ({"at_from_0": "2999-01-01"}, False),
        ({"at_to_0": "2020-01-01", "at_to_1": "00:00:00"}, False),
        ({"at_to_0": "today"}, True),
        ({"at_to_0": "nonsense", "at_to_1": "25:00"}, True),
    ],
)
def test_narrowing_the_timeline_down(
    query: dict[str, str], found: bool, as_auditor: Client, change_set: ChangeSet
) -> None:
    if query.get("who") == "carla":
        query = {"who": str(change_set.actor_id)}
    if query.get("at_to_0") == "today":
        query = {"at_to_0": f"{change_set.at:%Y-%m-%d}"}  # all of that day
    response = as_auditor.get(LIST, query)
    assert response.status_code == 200
    assert (change_set in response.context["cl"].result_list) is found


def test_the_timeline_counts_nothing(as_auditor: Client, change_set: ChangeSet) -> None:
    with CaptureQueriesContext(connection) as queries:
        as_auditor.get(LIST)
    assert not [q for q in queries if "COUNT(" in q["sql"] and "audit_changeset" in q["sql"]]


# A change set.


def test_a_change_set_lists_all_that_changed_in_it(
    as_auditor: Client, change_set: ChangeSet
) -> None:
    response = as_auditor.get(detail(change_set))
    text, page = words(response), response.content.decode()
    product = Product.objects.get()

    assert "Products 1 changed changed Product S-1 (S-1)" in text
    assert "Price 10.00 12.34" in text
    assert "Tags 1 added added new" in text
    assert "Tags of products 1 added added Product S-1 (S-1) · new" in text
    assert "Why the supplier's <new> list" in text
    for fact in ("request-0001", "10.1.2.3", change_set.database_user, "back office"):
        assert fact in text
    assert str(change_set.transaction_id) in text
    assert f'href="/admin/inventory/product/{product.pk}/change/"' in page
    assert "left out" not in text


def test_what_is_gone_leads_to_its_history(as_auditor: Client, product: Product) -> None:
    key = product.pk
    with audit_context(source=Source.SHELL):
        product.delete()
    page = as_auditor.get(detail(ChangeSet.objects.latest("pk"))).content.decode()
    assert f'href="{history_page(key)}"' in page
    assert f"/admin/inventory/product/{key}/change/" not in page


def test_models_whose_history_one_may_not_see_are_left_out(
    client: Client, outsider: User, change_set: ChangeSet
) -> None:
    outsider.user_permissions.set(
        Permission.objects.filter(codename__in=["view_changeset", "view_historicaltag"])
    )
    client.force_login(outsider)
    response = client.get(detail(change_set))
    text = words(response)
    assert "Tags 1 added" in text
    assert "12.34" not in text
    assert "Product S-1 (S-1)" not in text
    assert "Changes to 2 more kinds of objects are left out" in text
    assert "/admin/inventory/tag/" not in response.content.decode()  # may not view tags
    query = {"model": "inventory.product"}
    assert client.get(detail(change_set), query).status_code == 404


@pytest.mark.parametrize(
    ("reference", "text", "linked"),
    [
        ("inventory.product/{key}", "Product {key}: Product S-1 (S-1)", True),
        ("inventory.product/999", "Product 999", False),
        ("inventory.product/abc", "Product abc", False),
        ("inventory.producttag/1", "Tag of a product 1", False),
        ("no.such/1", "no.such/1", False),
        ("nonsense", "nonsense", False),
    ],
)
def test_what_caused_a_change_set(
    reference: str, text: str, linked: bool, as_auditor: Client, product: Product
) -> None:
    with audit_context(source=Source.IMPORT, reference=reference.format(key=product.pk)):
        Tag.objects.create(name="new")
    response = as_auditor.get(detail(ChangeSet.objects.latest("pk")))
    assert f"Caused by {text.format(key=product.pk)}" in words(response)
    link = f'<a href="/admin/inventory/product/{product.pk}/change/">Product'
    assert (link in response.content.decode()) is linked


def test_a_long_change_set_is_paged(as_auditor: Client, product: Product) -> None:
    with audit_context(source=Source.IMPORT):
        Product.objects.bulk_create([a_product(f"N-{n:02}") for n in range(45)])
    change_set = ChangeSet.objects.latest("pk")
    seen: list[str] = []
    page = as_auditor.get(detail(change_set))
    assert "Products 45 added" in words(page)
    query: dict[str, Any] = {"model": "inventory.product"}
    while True:
        (section,) = page.context["sections"]
        seen += [linked.entry.name for linked in section.entries]
        if section.next is None:
            break
        query["after"] = section.next
        page = as_auditor.get(detail(change_set), query)
    assert seen == [f"Product N-{n:02} (N-{n:02})" for n in range(45)]
    for nonsense in ("x", "-1", "9" * 40, "٣"):
        assert as_auditor.get(detail(change_set), {**query, "after": nonsense}).status_code == 200
    assert as_auditor.get(detail(change_set), {"model": "nonsense"}).status_code == 404


@pytest.mark.parametrize("key", ["999999", "abc", "9" * 40])
def test_a_change_set_that_is_not_there(as_auditor: Client, key: str) -> None:
    assert as_auditor.get(f"/admin/audit/changeset/{key}/change/").status_code == 404


def test_the_number_of_queries_does_not_depend_on_the_number_of_rows(
    as_auditor: Client, auditor: User, product: Product
) -> None:
    numbers: dict[str, set[int]] = {"history": set(), "list": set(), "detail": set()}
    for size in (5, 50):
        others = Product.objects.bulk_create([a_product(f"{size}-{n}") for n in range(size)])
        with audit_context(source=Source.IMPORT, actor=auditor, request_id=f"r-{size}"):
            for number, other in enumerate(others):
                category = Category.objects.create(name=f"{size}-{number}")
                keys = [product.pk, other.pk]
                Product.objects.filter(pk__in=keys).update(price=number, category=category)
                product.tags.add(*Tag.objects.named([f"{size}-{number}"]))
        change_set = ChangeSet.objects.get(request_id=f"r-{size}")
        for name, page in (
            ("history", history_page(product)),
            ("list", LIST),
            ("detail", detail(change_set)),
        ):
            as_auditor.get(page)
            with CaptureQueriesContext(connection) as queries:
                assert as_auditor.get(page).status_code == 200
            numbers[name].add(len(queries))
    assert {name: len(counts) for name, counts in numbers.items()} == {
        "history": 1,
        "list": 1,
        "detail": 1,
    }, numbers
