"""The pages of the record, as each role sees them."""

import re
from html import unescape
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse

from backoffice.accounts.models import User
from backoffice.audit.admin import HistoryAdmin
from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import ChangeSet
from inventory.models import Category, Product, ProductImage, Tag
from tests.personas import Persona, make_user

from .conftest import a_product

LIST = "/admin/audit/changeset/"


def history_page(product: Product | int) -> str:
    key = product if isinstance(product, int) else product.pk
    return f"/admin/inventory/product/{key}/history/"


def detail(change_set: ChangeSet) -> str:
    return f"/admin/audit/changeset/{change_set.pk}/change/"


def words(response: Any) -> str:
    """The page's text on one line, without its tags."""
    text = re.sub(
        r"<(script|style).*?</\1>|<[^>]+>", " ", response.content.decode(), flags=re.DOTALL
    )
    return " ".join(unescape(text).split())


@pytest.fixture
def change_set(product: Product, catalogue_manager: User) -> ChangeSet:
    """A change of price, category and tag, made by the catalogue manager."""
    category = Category.objects.get_or_create_path("Audio > Speakers")
    with audit_context(
        source=Source.ADMIN,
        actor=catalogue_manager,
        action="Product changed: Product S-1",
        reason="the supplier's <new> list",
        request_id="request-0001",
        client_address="10.1.2.3",
    ):
        Product.objects.update(price="12.34", category=category)
        product.tags.set(Tag.objects.named(["new"]))
    return ChangeSet.objects.get(request_id="request-0001")


@pytest.fixture
def as_auditor(client: Client, auditor: User) -> Client:
    client.force_login(auditor)
    return client


# Who may see what.


@pytest.mark.parametrize(
    ("persona", "history", "timeline"),
    [
        (Persona.ADMINISTRATOR, 200, 200),
        (Persona.AUDITOR, 200, 200),
        (Persona.CATALOGUE_MANAGER, 200, 403),
        (Persona.WAREHOUSE, 403, 403),
        (Persona.ORDER_DESK, 403, 403),
        (Persona.OUTSIDER, 403, 403),
    ],
)
def test_who_may_see_what(
    persona: Persona, history: int, timeline: int, client: Client, change_set: ChangeSet
) -> None:
    user = User.objects.filter(email__startswith=persona.value[0].lower()).first()
    client.force_login(user or make_user(persona))
    product = Product.objects.get()
    assert client.get(history_page(product)).status_code == history
    assert client.get(LIST).status_code == timeline
    assert client.get(detail(change_set)).status_code == timeline


def test_visitors_are_asked_to_sign_in(client: Client, change_set: ChangeSet) -> None:
    for page in (history_page(Product.objects.get()), LIST, detail(change_set)):
        response = client.get(page)
        assert response.status_code == 302
        assert response["Location"] == f"/admin/login/?next={page}"


def test_nobody_writes_to_the_record_through_its_pages(
    client: Client, administrator: User, change_set: ChangeSet
) -> None:
    administrator.is_superuser = True
    administrator.save()
    client.force_login(administrator)
    number = ChangeSet.objects.count()
    for page in (LIST, detail(change_set), history_page(Product.objects.get())):
        for method in (client.post, client.put, client.delete, client.patch):
            assert method(page).status_code == 405
    response = client.post(LIST, {"action": "delete_selected", "_selected_action": change_set.pk})
    assert response.status_code == 405
    for page in ("add", "delete", "history"):
        with pytest.raises(NoReverseMatch):
            reverse(f"admin:audit_changeset_{page}", args=[] if page == "add" else [1])
    assert ChangeSet.objects.count() == number


def test_the_history_button_is_for_those_who_may(
    client: Client, product: Product, warehouse: User, catalogue_manager: User
) -> None:
    page = f"/admin/inventory/product/{product.pk}/change/"
    client.force_login(catalogue_manager)
    assert history_page(product) in client.get(page).content.decode()
    client.force_login(warehouse)
    assert history_page(product) not in client.get(page).content.decode()


def test_there_is_no_form_of_a_single_version(as_auditor: Client, product: Product) -> None:
    version = Product.history.get().history_id
    assert as_auditor.get(f"{history_page(product)}{version}/").status_code in (302, 404)
    with pytest.raises(NoReverseMatch):
        reverse("admin:inventory_product_simple_history", args=[product.pk, version])


# The history of an object.


def test_the_history_of_an_object(as_auditor: Client, change_set: ChangeSet) -> None:
    product = Product.objects.get()
    ProductImage.objects.create(product=product, url="/1.jpg", alt_text="Front")
    response = as_auditor.get(history_page(product))
    text = words(response)

    assert "Carla Catalogue <carla@stockbook.test> back office" in text
    assert "Product changed: Product S-1 Why the supplier's <new> list" in text
    assert "Price 10.00 12.34" in text
    assert "Category — Audio > Speakers" in text
    assert "Tag “new” added" in text
    assert "Image “Front” added" in text
    assert "<new>" not in response.content.decode()
    assert detail(change_set) in response.content.decode()
    # Newest first.
    assert text.index("Image “Front”") < text.index("Price 10.00") < text.index("SKU S-1")


def test_without_the_right_to_a_part_its_history_is_left_out(
    client: Client, outsider: User, change_set: ChangeSet
) -> None:
    outsider.user_permissions.set(
        Permission.objects.filter(codename__in=["view_product", "view_historicalproduct"])
    )
    client.force_login(outsider)
    response = client.get(history_page(Product.objects.get()))
    text = words(response)
    assert "Price 10.00 12.34" in text
    assert "Tag “new”" not in text
    assert "Without changes to tags of products, images" in text
    assert LIST not in response.content.decode()


def test_the_history_of_an_object_that_is_gone(as_auditor: Client, product: Product) -> None:
    key = product.pk
    product.delete()
    response = as_auditor.get(history_page(key))
    assert response.status_code == 200
    assert "This object was deleted." in words(response)
    assert "Product S-1 (S-1)" in words(response)


@pytest.mark.parametrize("key", ["999", "abc", "9" * 40, "1.5", "_2F"])
def test_an_object_that_never_was(as_auditor: Client, product: Product, key: str) -> None:
    assert as_auditor.get(f"/admin/inventory/product/{key}/history/").status_code == 404


def test_an_object_that_the_list_hides_has_no_history_page(
    as_auditor: Client, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    product_admin = admin.site.get_model_admin(Product)
    monkeypatch.setattr(
        type(product_admin), "get_queryset", lambda self, request: Product.objects.none()
    )
    assert as_auditor.get(history_page(product)).status_code == 404


def test_older_changes_are_a_page_away(as_auditor: Client, product: Product) -> None:
    for price in range(100, 160):
        Product.objects.update(price=price)
    first = as_auditor.get(history_page(product))
    assert first.content.decode().count("<tr>") > 50
    assert "Price 158.00 159.00" in words(first)
    assert "Price 109.00 110.00" in words(first)  # the last of the page has a difference, too
    assert "Price 108.00 109.00" not in words(first)
    older = first.context["timeline"].older
    second = as_auditor.get(history_page(product), {"before": str(older)})
    assert "Price 108.00 109.00" in words(second)
    assert "Price 10.00 100.00" in words(second)
    assert "Newest" in words(second)
    assert "Older" not in words(second)


# The timeline.


def test_the_timeline(as_auditor: Client, change_set: ChangeSet) -> None:
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


# The declaration.


@pytest.mark.parametrize("name", ["nonsense", "category", "variants_"])
def test_a_part_that_is_none_is_found_by_the_checks(name: str) -> None:
    class BadAdmin(HistoryAdmin):
        history_related = (name,)

    found = [message.id for message in BadAdmin(Product, admin.site).check()]
    assert found == ["audit.E010"]


def test_a_part_that_is_one_is_fine() -> None:
    class GoodAdmin(HistoryAdmin):
        history_related = ("product_tags", "images", "variants")

    assert GoodAdmin(Product, admin.site).check() == []
