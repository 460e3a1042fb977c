"""The timeline, and what a change set holds."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backoffice.accounts.models import User
from backoffice.audit import timeline_contents
from backoffice.audit.context import Source, audit_context
from backoffice.audit.events import record_event
from backoffice.audit.models import ChangeSet
from inventory.models import Category, Product, Tag

from .conftest import a_product
from .pages import LIST, detail, history_page, words

# The timeline.


def test_the_list_says_who_what_why_and_what_became_of_it(
    as_auditor: Client, change_set: ChangeSet
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE inventory_product SET price = 1")
    text = words(as_auditor.get(LIST))
    assert "Product changed: Product S-1 Tags: 1 added Products: 1 changed" in text
    assert "Why the supplier's <new> list" in text
    assert "Price 10.00 → 12.34" in text
    assert "Carla Catalogue <carla@stockbook.test> back office" in text
    assert "Change through direct SQL Products: 1 changed" in text


def test_the_timeline_counts_no_entries_and_skips_none(
    as_auditor: Client, change_set: ChangeSet
) -> None:
    with CaptureQueriesContext(connection) as queries:
        as_auditor.get(LIST)
    for query in queries:
        assert "OFFSET" not in query["sql"]
        assert not re.search(r"COUNT\(\*\).*FROM .?audit_changeset", query["sql"], re.IGNORECASE)


def test_events_show_their_facts(as_auditor: Client) -> None:
    record_event(
        kind=ChangeSet.Kind.SIGN_IN_FAILED,
        action="Failed to sign in as nobody@example.com",
        facts={"tries": 1234, "way": "<password>"},
        source=Source.ADMIN,
    )
    text = words(as_auditor.get(LIST, {"kind": "sign_in_failed"}))
    assert "Failed to sign in as nobody@example.com Way <password> Tries 1,234" in text
    assert "failed sign-in" in text
    entry = ChangeSet.objects.get(kind="sign_in_failed")
    assert "Way <password> Tries 1,234" in words(as_auditor.get(detail(entry)))


def test_counts_of_models_that_one_may_not_see_are_left_out(
    client: Client, outsider: User, change_set: ChangeSet
) -> None:
    outsider.user_permissions.set(
        Permission.objects.filter(codename__in=["view_changeset", "view_historicaltag"])
    )
    client.force_login(outsider)
    text = words(client.get(LIST))
    assert "Tags: 1 added" in text
    assert "Products: " not in text
    assert "12.34" not in text


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


def test_a_change_set_is_searched(as_auditor: Client, product: Product) -> None:
    others = Product.objects.bulk_create([a_product(f"N-{n:02}") for n in range(45)])
    with audit_context(source=Source.IMPORT, reason="Their list"):
        Product.objects.filter(pk__in=[o.pk for o in others[:40]]).update(price=11)
        Product.objects.filter(pk__in=[o.pk for o in others[40:]]).update(price=11, brand="new")
    change_set = ChangeSet.objects.latest("pk")
    page = detail(change_set)
    # Nobody promises in which order an UPDATE goes through the rows; the page has that order.
    rows = Product.history.filter(change_set=change_set).order_by("history_id")
    in_order = list(rows.values_list("sku", flat=True))

    def found(**query: Any) -> list[str]:
        response = as_auditor.get(page, {"model": "inventory.product", **query})
        (section,) = response.context["sections"]
        return [linked.entry.name[8:12] for linked in section.entries]

    assert found(q="n-41") == ["N-41"]
    assert found(q=str(others[3].pk)) == ["N-03"]
    assert found(q="%") == []
    assert sorted(in_order[40:]) == [f"N-{n}" for n in range(40, 45)]
    assert found(field="brand") == in_order[40:]
    assert found(field="brand", q="N-4") == in_order[40:]
    assert found(field="name") == []
    assert found(field="nonsense") == in_order[:20]
    (section,) = as_auditor.get(page, {"model": "inventory.product", "field": "price"}).context[
        "sections"
    ]
    assert len(section.entries) == 20
    assert found(field="price", after=section.next) == in_order[20:40]


def test_beyond_a_limit_a_change_set_is_not_counted(
    as_auditor: Client, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline_contents, "MOST_COUNTED", 10)
    with audit_context(source=Source.IMPORT, reason="Their list"):
        Product.objects.bulk_create([a_product(f"N-{n:02}") for n in range(11)])
    assert "Products more than 10" in words(as_auditor.get(detail(ChangeSet.objects.latest("pk"))))
    assert "Products: more than 10" in words(as_auditor.get(LIST))


@pytest.mark.parametrize("key", ["999999", "abc", "9" * 40])
def test_a_change_set_that_is_not_there(as_auditor: Client, key: str) -> None:
    assert as_auditor.get(f"/admin/audit/changeset/{key}/change/").status_code == 404


def test_the_number_of_queries_does_not_depend_on_the_number_of_rows(
    as_auditor: Client, auditor: User, product: Product
) -> None:
    numbers: dict[str, set[int]] = {"history": set(), "list": set(), "detail": set()}
    for size in (5, 50):
        others = Product.objects.bulk_create([a_product(f"{size}-{n}") for n in range(size)])
        with audit_context(
            source=Source.IMPORT, actor=auditor, request_id=f"r-{size}", reason="Their list"
        ):
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
