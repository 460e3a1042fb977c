"""The timeline on the form, and the pages of the past: what they show, and to whom."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice.accounts.models import User
from backoffice.audit.admin import HistoryAdmin
from backoffice.audit.context import Source, audit_context
from backoffice.audit.events import record_event
from backoffice.audit.models import ChangeSet
from inventory.models import Category, Product, ProductImage, ProductTag, Tag

from .conftest import a_product
from .pages import history_page, words
from .test_as_of import moment_after

LIST = "/admin/inventory/product/as-of/"


def form(product: Product) -> str:
    return f"/admin/inventory/product/{product.pk}/change/"


def tab(product: Product | int) -> str:
    return history_page(product).replace("/history/", "/timeline/")


def past(product: Product | int, moment: Any = "") -> str:
    page = history_page(product).replace("/history/", "/as-of/")
    return f"{page}?at={quote(moment.isoformat())}" if moment else page


# The tab.


def test_the_form_has_the_timeline_as_a_tab_that_is_fetched_when_it_is_opened(
    client: Client, product: Product, catalogue_manager: User, warehouse: User
) -> None:
    client.force_login(catalogue_manager)
    shown = client.get(form(product)).content.decode()
    assert f'hx-get="{tab(product)}" hx-trigger="intersect once"' in shown
    assert 'href="#dataset-timeline"' in shown
    assert history_page(product) in shown
    client.force_login(warehouse)
    shown = client.get(form(product)).content.decode()
    assert tab(product) not in shown
    assert "dataset-timeline" not in shown


def test_the_tab_takes_no_query_of_the_form(as_auditor: Client, product: Product) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            assert as_auditor.get(form(product)).status_code == 200
        return len([query for query in found if "historical" in query["sql"]])

    as_auditor.get(form(product))
    for price in range(20, 40):
        Product.objects.update(price=price)
    assert queries() == 0


@pytest.mark.parametrize("page", ["/admin/inventory/tag/", "/admin/inventory/category/"])
def test_every_form_has_it(as_auditor: Client, page: str) -> None:
    made: Any = {"tag": Tag, "category": Category}[page.split("/")[-2]]
    key = made.objects.create(name="x")
    assert "dataset-timeline" in as_auditor.get(f"{page}{key.pk}/change/").content.decode()
    assert (
        "dataset-timeline"
        not in as_auditor.get(f"{page}{key.pk}/change/?_popup=1").content.decode()
    )


def test_the_tab_shows_the_timeline_by_the_page(as_auditor: Client, product: Product) -> None:
    for price in range(100, 160):
        Product.objects.update(price=price)
    first = as_auditor.get(tab(product))
    assert "<html" not in first.content.decode()
    assert "Price 158.00 159.00" in words(first)
    assert "Price 108.00 109.00" not in words(first)
    older = f"{tab(product)}?before={quote(str(first.context['timeline'].older))}"
    assert older in first.content.decode()
    second = words(as_auditor.get(older))
    assert "Price 108.00 109.00" in second
    assert "As of" not in second  # once is enough
    assert "Older" not in second


def test_tags_that_came_and_went_are_one_line(as_auditor: Client, product: Product) -> None:
    with audit_context(source=Source.SHELL, action="First"):
        product.tags.set(Tag.objects.named(["sale", "summer"]))
    with audit_context(source=Source.SHELL, action="Second"):
        product.tags.set(Tag.objects.named(["new", "summer"]))
    text = words(as_auditor.get(tab(product)))
    assert "Second Tags + new − sale" in text
    assert any(f"First Tags {both}" in text for both in ("+ sale + summer", "+ summer + sale"))


def test_options_are_told_by_their_key(as_auditor: Client, product: Product) -> None:
    Product.objects.update(options={"Size": "M", "Colour": "blue", "Cut": "wide"})
    Product.objects.update(options={"Size": "M", "Colour": "navy", "Fit": True})
    text = words(as_auditor.get(tab(product)))
    assert "Options · Colour blue navy Options · Cut wide — Options · Fit — yes" in text
    assert "Options · Size M" not in text


def test_events_about_an_object_stand_among_its_changes(
    client: Client, product: Product, auditor: User, catalogue_manager: User, warehouse: User
) -> None:
    with audit_context(source=Source.ADMIN, actor=warehouse):
        record_event(
            kind=ChangeSet.Kind.REFUSED,
            action="Tried to delete it",
            reference=f"inventory.product/{product.pk}",
        )
        record_event(
            kind=ChangeSet.Kind.REFUSED, action="Another", reference="inventory.product/999999"
        )
    with audit_context(source=Source.SHELL, action="Made dearer", reason="to see it"):
        Product.objects.update(price=20)
    client.force_login(auditor)
    text = words(client.get(tab(product)))
    assert text.index("Made dearer") < text.index("refused Tried to delete it")
    assert text.index("Tried to delete it") < text.index("SKU S-1")
    assert "Another" not in text
    client.force_login(catalogue_manager)  # may not see the timeline
    text = words(client.get(tab(product)))
    assert "Made dearer" in text
    assert "Tried to delete it" not in text


def test_what_a_person_did_at_the_door_is_on_their_timeline(
    client: Client, auditor: User, warehouse: User
) -> None:
    with audit_context(source=Source.ADMIN, actor=warehouse):
        record_event(kind=ChangeSet.Kind.SIGN_OUT, action="Went home")
    client.force_login(auditor)
    page = "/admin/accounts/user/{}/timeline/"
    assert "Went home" in words(client.get(page.format(warehouse.pk)))
    assert "Went home" not in words(client.get(page.format(auditor.pk)))


# The object as it was.


def test_the_object_as_it_was(as_auditor: Client, product: Product) -> None:
    category = Category.objects.get_or_create_path("Audio > Old")
    Product.objects.update(category=category, options={"Size": "M"})
    product.tags.set(Tag.objects.named(["new", "sale"]))
    ProductImage.objects.create(product=product, url="/1.jpg", alt_text="Front")
    then = moment_after(ProductImage)
    Product.objects.update(name="Another", price=99, options={})
    Category.objects.filter(pk=category.pk).update(name="Renamed")
    Tag.objects.filter(name="new").update(name="newer")
    product.tags.clear()
    ProductImage.objects.all().delete()

    response = as_auditor.get(past(product, then))
    text = words(response)
    assert "As it was on" in text
    assert "Back to today." in text
    assert "Name Product S-1 SKU S-1" in text
    assert "Price 10.00" in text
    assert "Category Audio > Old" in text
    assert "Options Size: M" in text
    assert "Tags new sale" in text
    assert "/1.jpg Front 0" in text
    assert "99.00" not in text
    body = response.content.decode()
    assert 'method="post"' not in body.split('id="content"')[-1].split("audit-banner")[1]
    today = words(as_auditor.get(past(product)))
    assert "Name Another" in today
    assert "Tags None at that time." in today
    assert "Category Audio > Renamed" in today


def test_the_address_of_a_step_leads_to_what_it_left(as_auditor: Client, product: Product) -> None:
    for price in (11, 12, 13):
        with audit_context(source=Source.SHELL, action=f"To {price}", reason="test"):
            Product.objects.update(price=price)
    response = as_auditor.get(history_page(product))
    steps = response.context["timeline"].steps
    for step, shown in zip(steps, ("13.00", "12.00", "11.00", "10.00"), strict=True):
        address = past(product, step.at)
        assert f'href="{address}"' in response.content.decode()
        assert f"Price {shown}" in words(as_auditor.get(address))


def test_before_it_was_made_there_is_nothing(as_auditor: Client, product: Product) -> None:
    text = words(as_auditor.get(past(product, timezone.now() - timedelta(days=30))))
    assert "There was no such product at that time" in text
    assert "SKU" not in text.split("There was no such")[1]


def test_what_was_deleted_is_there_at_its_time(as_auditor: Client, product: Product) -> None:
    then, key = moment_after(), product.pk
    product.delete()
    text = words(as_auditor.get(past(key, then)))
    assert "Name Product S-1" in text
    assert "Back to its history." in text
    assert "There was no such product" in words(as_auditor.get(past(key)))
    assert as_auditor.get(past(key + 1)).status_code == 404


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("2026-03-03T14:00", "3 Mar 2026, 13:00:00"),  # as the clocks of the shop show
        ("2026-03-03T14:00:05", "3 Mar 2026, 13:00:05"),
        ("2026-07-03T14:00", "3 Jul 2026, 12:00:00"),  # summer time
        ("2026-03-03T14:00:00+00:00", "3 Mar 2026, 14:00:00"),
        ("2026-03-03", "3 Mar 2026, 22:59:59"),  # to the end of the day
    ],
)
def test_a_time_is_that_of_the_shop(
    as_auditor: Client, product: Product, settings: Any, asked: str, shown: str
) -> None:
    settings.TIME_ZONE = "Europe/Paris"
    response = as_auditor.get(past(product), {"at": asked})
    settings.TIME_ZONE = "UTC"
    assert f"{response.context['moment']:%-d %b %Y, %H:%M:%S}" == shown


@pytest.mark.parametrize(
    "nonsense",
    [
        "x",
        "2026-13-01",
        "2026-02-30T10:00",
        "9999-12-31T23:59-23:59",
        "0001-01-01T00:00+14:00",
        "\0",
    ],
)
def test_a_time_that_is_none_is_complained_of(
    as_auditor: Client, product: Product, nonsense: str
) -> None:
    for page in (past(product), LIST):
        text = words(as_auditor.get(page, {"at": nonsense}))
        assert "is no date. Choose a day and a time." in text or nonsense.startswith("9999")


def test_there_is_nothing_to_see_of_the_future(as_auditor: Client, product: Product) -> None:
    response = as_auditor.get(past(product), {"at": "2999-01-01T00:00"})
    assert response.context["moment"] <= timezone.now()


# The list as it was.


def test_the_list_as_it_was(as_auditor: Client, product: Product) -> None:
    Product.objects.bulk_create([a_product(f"B-{n}", cost=3) for n in range(60)])
    then = moment_after()
    Product.objects.filter(sku="B-7").delete()
    Product.objects.update(name="Renamed")
    a_product("LATER").save()

    first = as_auditor.get(LIST, {"at": then.isoformat()})
    text = words(first)
    assert "As it was on" in text
    assert "Name SKU Price Cost Active Category" in text
    assert "Product B-7 B-7 10.00 3.00 yes —" in text
    assert "LATER" not in text
    assert past(product, then) in first.content.decode()
    more = as_auditor.get(f"{LIST}{first.context['more_url']}")
    assert "Product B-59 B-59" in words(more)
    assert "More" not in words(more)
    found = words(as_auditor.get(LIST, {"at": then.isoformat(), "q": "product b-7"}))
    assert "Product B-7" in found
    assert "B-8" not in found
    assert "Nothing of that name" in words(as_auditor.get(LIST, {"q": "b-7"}))
    assert f'href="{LIST}"' in as_auditor.get("/admin/inventory/product/").content.decode()


def test_the_past_of_what_the_list_hides_is_hidden(
    as_auditor: Client, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = a_product("GONE")
    gone.save()
    then = moment_after()
    gone.delete()
    monkeypatch.setattr(
        type(admin.site.get_model_admin(Product)),
        "get_queryset",
        lambda self, request: Product.objects.none(),
    )
    text = words(as_auditor.get(LIST, {"at": then.isoformat()}))
    assert "S-1" not in text
    assert "GONE" in text
    assert as_auditor.get(past(product, then)).status_code == 404


def test_without_the_right_to_a_part_its_past_is_left_out(
    client: Client, outsider: User, product: Product
) -> None:
    product.tags.set(Tag.objects.named(["new"]))
    outsider.user_permissions.set(
        Permission.objects.filter(codename__in=["view_product", "view_historicalproduct"])
    )
    client.force_login(outsider)
    text = words(client.get(past(product)))
    assert "Tags new" not in text
    assert "Without tags of products, images, whose history you may not see" in text


def test_the_pages_change_nothing(as_auditor: Client, product: Product) -> None:
    for page in (LIST, past(product), tab(product)):
        for method in (as_auditor.post, as_auditor.put, as_auditor.delete, as_auditor.patch):
            assert method(page).status_code == 405


@pytest.mark.parametrize("after", ["x", "", "9" * 40, "-1", "\0"])
def test_a_place_in_the_list_that_is_none(as_auditor: Client, product: Product, after: str) -> None:
    assert as_auditor.get(LIST, {"after": after}).status_code == 200


@pytest.mark.parametrize("columns", [("nonsense",), ("tags",), ("password",)])
def test_columns_that_the_history_does_not_keep_are_found_by_the_checks(columns: Any) -> None:
    class BadAdmin(HistoryAdmin):
        as_of_columns = columns

    found = [message.id for message in BadAdmin(User, admin.site)._check_as_of_columns()]
    assert found == ["audit.E011"]


# What is read does not depend on how much there is.


@pytest.mark.parametrize("page", [LIST, tab, past])
def test_the_number_of_queries_does_not_grow(
    as_auditor: Client, product: Product, page: Any
) -> None:
    address = page if isinstance(page, str) else page(product)

    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            assert as_auditor.get(address).status_code == 200
        return len(found)

    for number in range(2):
        Product.objects.update(category=Category.objects.create(name=f"c{number}"))
        product.tags.add(Tag.objects.create(name=f"t{number}"))
    queries()  # the first of a session notes that someone is here
    few = queries()
    Product.objects.bulk_create(
        [a_product(f"N-{n}", category=Category.objects.create(name=f"n{n}")) for n in range(20)]
    )
    for number in range(2, 12):
        Product.objects.filter(pk=product.pk).update(
            category=Category.objects.create(name=f"c{number}")
        )
        product.tags.add(Tag.objects.create(name=f"t{number}"))
        ProductTag.objects.all()
    assert queries() == few


# Secrets.


def test_the_past_of_a_secret_field_is_as_secret_as_the_field(
    client: Client, outsider: User, auditor: User, product: Product
) -> None:
    Product.objects.update(cost="7.77")
    Product.objects.update(cost="8.88")
    then = moment_after()
    Product.objects.update(name="Another")
    outsider.user_permissions.set(
        Permission.objects.filter(codename__in=["view_product", "view_historicalproduct"])
    )
    pages = [tab(product), history_page(product), past(product, then), f"{LIST}?at=2999-01-01"]
    for viewer, sees in ((auditor, True), (outsider, False)):
        client.force_login(viewer)
        for page in pages:
            text = words(client.get(page))
            assert ("8.88" in text, "Cost" in text) == (sees, sees), (viewer, page)
