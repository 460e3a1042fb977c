"""Where one finds what was deleted, to look at it or to restore it."""

import pytest
from django.test import Client

from backoffice.accounts.models import User
from backoffice.audit import deleted
from backoffice.audit.context import Source, audit_context
from backoffice.audit.undo.services import restore_object
from inventory.models import Product, Tag
from tests.audit.pages import words

PAGE = "/admin/inventory/product/deleted/"


@pytest.fixture
def as_manager(client: Client, catalogue_manager: User) -> Client:
    client.force_login(catalogue_manager)
    return client


def _deleted(*skus: str) -> list[Product]:
    products = [Product.objects.create(sku=sku, name=f"Pot {sku}", price=1) for sku in skus]
    for product in products:
        with audit_context(source=Source.ADMIN, actor_name="Carla", reason=f"Away: {product.sku}"):
            Product.objects.filter(pk=product.pk).delete()
    return products


def _skus(client: Client, **query: str) -> list[str]:
    page = client.get(PAGE, query).context["page"]
    return [gone.entry.name.partition("(")[2].rstrip(")") for gone in page.objects]


def test_what_was_deleted_is_found_with_who_and_why(as_manager: Client, product: Product) -> None:
    first, second = _deleted("D-1", "D-2")
    assert _skus(as_manager) == ["D-2", "D-1"]
    page = as_manager.get(PAGE)
    assert "Pot D-2 (D-2)" in words(page)
    assert "Carla Away: D-2 Restore" in words(page)
    for address in (
        f"/admin/inventory/product/{second.pk}/history/",
        f"/admin/audit/changeset/restore/?object=inventory.product/{second.pk}",
    ):
        assert f'href="{address}"' in page.content.decode()
        assert as_manager.get(address, follow=True).status_code == 200
    assert f'href="{PAGE}"' in as_manager.get("/admin/inventory/product/").content.decode()
    assert _skus(as_manager, q="d-1") == ["D-1"]
    assert _skus(as_manager, q=str(first.pk)) == ["D-1"]
    assert _skus(as_manager, q="%") == []
    assert _skus(as_manager, before="nonsense") == ["D-2", "D-1"]


def test_what_came_back_is_not_among_it_until_it_goes_again(
    as_manager: Client, catalogue_manager: User
) -> None:
    (gone,) = _deleted("D-1")
    restore_object(model=Product, key=gone.pk, actor=catalogue_manager, reason="Needed")
    assert _skus(as_manager) == []
    with audit_context(source=Source.ADMIN, reason="After all"):
        Product.objects.filter(pk=gone.pk).delete()
    assert _skus(as_manager) == ["D-1"]


def test_pages_meet_without_gap_or_overlap(
    as_manager: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deleted, "PER_PAGE", 2)
    monkeypatch.setattr(deleted, "WINDOW", 1)
    _deleted(*(f"D-{n}" for n in range(5)))
    found: list[str] = []
    query: dict[str, str] = {}
    for _page in range(3):
        page = as_manager.get(PAGE, query).context["page"]
        found += _skus(as_manager, **query)
        query = {"before": str(page.older)}
    assert page.older is None
    assert found == [f"D-{n}" for n in reversed(range(5))]


def test_a_page_ends_when_its_time_is_up(
    as_manager: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deleted, "WINDOW", 1)
    monkeypatch.setattr(deleted, "SECONDS_PER_PAGE", 0)
    _deleted("D-1", "D-2")
    page = as_manager.get(PAGE, {"q": "d-1"})
    assert page.context["page"].objects == []
    assert "Look further back" in words(page)
    assert _skus(as_manager, q="d-1", before=str(page.context["page"].older)) == ["D-1"]


def test_nothing_deleted_is_said(as_manager: Client) -> None:
    Tag.objects.create(name="new")
    assert "Nothing that was deleted is missing today." in words(as_manager.get(PAGE))


def test_who_may_not_restore_gets_no_way_to(client: Client, auditor: User) -> None:
    _deleted("D-1")
    client.force_login(auditor)
    page = client.get(PAGE)
    assert "Pot D-1 (D-1)" in words(page)
    assert "Restore" not in words(page)


def test_of_imports_which_nobody_deletes_there_is_no_such_page(
    client: Client, auditor: User
) -> None:
    client.force_login(auditor)
    assert client.get("/admin/exchange/importjob/deleted/").status_code == 403
    assert "Deleted" not in words(client.get("/admin/exchange/importjob/"))
