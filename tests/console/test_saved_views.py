"""Saved views: a list under a name, one's own or shared, and nothing in it that one may not see."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from backoffice.accounts.models import User
from backoffice.audit.models import ChangeSet
from backoffice.console.models import ListLayout, SavedView
from tests.console.pages import PRODUCTS, page, said, signed_in
from tests.inventory.factories import make_product

pytestmark = pytest.mark.django_db

SAVE = PRODUCTS + "views/save/"
CHEAP = "is_active__exact=0&o=-price_now"


def save(client: Client, name: str, query: str = CHEAP, **sent: Any) -> SavedView:
    response = client.post(SAVE, {"name": name, "query": query, **sent})
    assert response.status_code == 302
    view = SavedView.objects.get(name=name)
    assert response["Location"] == f"{PRODUCTS}?view={view.pk}&{view.query}"
    return view


def change(client: Client, view: SavedView, **sent: Any) -> Any:
    return client.post(reverse("admin:inventory_product_view_change", args=[view.pk]), sent)


def delete(client: Client, view: SavedView) -> Any:
    return client.post(reverse("admin:inventory_product_view_delete", args=[view.pk]))


def tabs(client: Client, query: str = "") -> list[tuple[str, bool]]:
    head: Any = client.get(PRODUCTS + query).context["list_head"]
    return [(tab.title, tab.active) for tab in head.tabs]


def test_a_view_keeps_filters_columns_and_order(catalogue_manager: User) -> None:
    make_product(sku="ON")
    make_product(sku="OFF-1", price=1, is_active=False)
    make_product(sku="OFF-2", price=2, is_active=False)
    client = signed_in(catalogue_manager)
    view = save(client, "Off sale", f"{CHEAP}&cols=product,brand,price_now&p=3&after=x")
    assert view.query == "is_active__exact=0&o=-price_now"
    assert view.columns == ["product", "brand", "price_now"]

    client.post(PRODUCTS + "columns/", {"column": ["status"], "query": ""})
    shown: Any = client.get(f"{PRODUCTS}?view={view.pk}&{view.query}").context
    assert [product.sku for product in shown["cl"].result_list] == ["OFF-2", "OFF-1"]
    assert shown["cl"].list_display[1:] == ["product", "brand", "price_now"]
    assert [(tab.title, tab.active) for tab in shown["list_head"].tabs] == [
        ("All", False),
        ("Off sale", True),
    ]
    assert tabs(client) == [("All", True), ("Off sale", False)]
    on_record = ChangeSet.objects.get(action="View saved: Off sale")
    assert SavedView.history.get(change_set=on_record).query == view.query


def test_a_personal_view_is_nobody_elses(catalogue_manager: User, warehouse: User) -> None:
    view = save(signed_in(catalogue_manager), "Mine")
    other = signed_in(warehouse)
    assert tabs(other) == []
    assert change(other, view, name="Theirs").status_code == 404
    assert delete(other, view).status_code == 404
    view.refresh_from_db()
    assert view.name == "Mine"
    # The number of a view that is not theirs opens nothing of it.
    shown: Any = other.get(f"{PRODUCTS}?view={view.pk}").context["list_head"]
    assert shown.view is None


def test_a_shared_view_is_opened_by_colleagues_and_changed_by_its_owner_alone(
    catalogue_manager: User, warehouse: User, administrator: User
) -> None:
    view = save(signed_in(catalogue_manager), "Off sale", is_shared="on")
    colleague = signed_in(warehouse)
    assert tabs(colleague, f"?view={view.pk}&{view.query}")[1] == ("Off sale", True)
    assert change(colleague, view, name="Theirs").status_code == 403
    assert delete(colleague, view).status_code == 403
    assert change(signed_in(administrator), view, name="Theirs").status_code == 403
    assert SavedView.objects.get().name == "Off sale"
    assert delete(signed_in(administrator), view).status_code == 302
    assert not SavedView.objects.exists()
    assert ChangeSet.objects.get(action="View deleted: Off sale").actor_id == administrator.pk


def test_a_shared_view_shows_nothing_that_its_reader_may_not_see(
    administrator: User, warehouse: User
) -> None:
    owner, reader = signed_in(administrator), signed_in(warehouse)
    save(owner, "By cost", "cost__gte=5", is_shared="on")
    view = save(owner, "With cost", f"{CHEAP}&cols=product,cost_now,price_now", is_shared="on")
    assert tabs(reader) == [("All", True), ("With cost", False)]
    assert len(tabs(owner)) == 3
    make_product(is_active=False, cost="7.77")
    response = reader.get(f"{PRODUCTS}?view={view.pk}&{view.query}")
    assert response.context["cl"].list_display == ["product", "price_now"]
    assert "7.77" not in response.text
    asked = reader.get(f"{PRODUCTS}?cols=product,cost_now&o=-cost_now")
    assert "cost_now" not in asked.context["cl"].list_display
    assert "7.77" not in asked.text


def test_a_changed_view_offers_to_keep_the_changes(catalogue_manager: User) -> None:
    client = signed_in(catalogue_manager)
    view = save(client, "Off sale")
    address = f"{PRODUCTS}?view={view.pk}&{view.query}"
    assert client.get(address).context["list_head"].is_changed is False
    assert "Save changes" not in client.get(address).text
    changed = client.get(f"{address}&brand=acme")
    assert changed.context["list_head"].is_changed
    assert "Save changes" in changed.text
    change(client, view, keep="1", query=f"view={view.pk}&{view.query}&brand=acme")
    view.refresh_from_db()
    assert view.query == "brand=acme&is_active__exact=0&o=-price_now"
    # Its columns too: chosen while it is open, they belong to it and not to the list.
    chosen = client.post(
        PRODUCTS + "columns/", {"column": ["brand"], "query": f"view={view.pk}&{view.query}"}
    )
    assert "cols=product%2Cbrand" in chosen["Location"]
    assert not ListLayout.objects.exists()
    change(client, view, keep="1", query=f"view={view.pk}&{view.query}&cols=product,brand")
    view.refresh_from_db()
    assert view.columns == ["product", "brand"]


def test_renaming_sharing_and_names_that_do_not_do(catalogue_manager: User) -> None:
    client = signed_in(catalogue_manager)
    view = save(client, "One")
    change(client, view, name=" Two  words ", is_shared="on", query="")
    view.refresh_from_db()
    assert (view.name, view.is_shared, view.query) == ("Two words", True, CHEAP)
    twice = client.post(SAVE, {"name": "two WORDS", "query": CHEAP})
    assert said(twice)[-1:] == [
        "You have a view “two WORDS” of this list already. Choose another name."
    ]
    client.post(SAVE, {"name": "  ", "query": CHEAP})
    client.post(SAVE, {"name": "x" * 61, "query": CHEAP})
    assert SavedView.objects.count() == 1


def test_views_are_for_those_who_see_the_list_and_change_by_post(
    catalogue_manager: User, outsider: User
) -> None:
    view = save(signed_in(catalogue_manager), "Off sale", is_shared="on")
    stranger = signed_in(outsider)
    assert stranger.post(SAVE, {"name": "x", "query": ""}).status_code == 403
    assert change(stranger, view, name="x").status_code == 403
    assert delete(stranger, view).status_code == 403
    client = signed_in(catalogue_manager)
    for name in ("change", "delete"):
        assert client.get(page(f"inventory_product_view_{name}", view.pk)).status_code == 405
    assert client.get(SAVE).status_code == 405
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(catalogue_manager)
    assert delete(careful, view).status_code == 403
    assert SavedView.objects.get().name == "Off sale"
    # A view of another list is none of this one.
    assert client.post(page("inventory_tag_view_delete", view.pk)).status_code == 404
