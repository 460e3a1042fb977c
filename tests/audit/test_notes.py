"""Notes of staff about an object: entries of the record, that nobody changes afterwards."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client

from backoffice.accounts.models import User
from backoffice.accounts.roles import RoleName
from backoffice.audit.events import record_event
from backoffice.audit.models import ChangeSet
from inventory.models import Product
from tests.audit.pages import LIST, history_page, words

NOTE = ChangeSet.Kind.NOTE


def _post(client: Client, product: Product, text: str, **headers: str) -> Any:
    address = f"/admin/inventory/product/{product.pk}/note/"
    return client.post(address, {"text": text}, headers=headers)


@pytest.fixture
def as_manager(client: Client, catalogue_manager: User) -> Client:
    client.force_login(catalogue_manager)
    return client


def test_a_note_stands_on_the_object_and_on_the_timeline(
    as_manager: Client, product: Product, auditor: User
) -> None:
    response = _post(as_manager, product, "Asked them: <b>yes</b>.\nIn March.")
    assert response.status_code == 302
    assert response["Location"] == history_page(product)
    entry = ChangeSet.objects.get(kind=NOTE)
    assert (entry.action, entry.reason) == (
        f"Note on Product: {product}",
        "Asked them: <b>yes</b>.\nIn March.",
    )
    assert entry.actor_name == "Carla Catalogue <carla@stockbook.test>"
    assert entry.reference == f"inventory.product/{product.pk}"
    assert "Asked them: <b>yes</b>. In March." in words(as_manager.get(history_page(product)))

    as_manager.force_login(auditor)
    shown = words(as_manager.get(LIST, {"kind": "note", "q": "march"}))
    assert f"Note on Product: {product} Asked them: <b>yes</b>. In March." in shown
    found = as_manager.get(
        LIST, {"model": "inventory.product", "object": product.sku, "kind": "note"}
    )
    assert [line.change_set.pk for day in found.context["days"] for line in day.lines] == [entry.pk]
    detail = words(as_manager.get(f"/admin/audit/changeset/{entry.pk}/change/"))
    assert f"About Product {product.pk}: {product}" in detail
    assert "Undo" not in detail


def test_the_tab_shows_the_note_at_once(as_manager: Client, product: Product) -> None:
    response = _post(as_manager, product, "Call them on Monday.", HX_Request="true")
    assert response.status_code == 200
    assert "Call them on Monday." in words(response)
    assert b"<html" not in response.content


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 2001])
def test_an_empty_note_and_one_too_long_are_not_written(
    as_manager: Client, product: Product, text: str
) -> None:
    for headers in ({}, {"HX_Request": "true"}):
        response = _post(as_manager, product, text, **headers)
        assert response.status_code == 200
        assert b'role="alert"' in response.content
    assert not ChangeSet.objects.filter(kind=NOTE).exists()


def test_a_note_on_what_is_gone(as_manager: Client, product: Product) -> None:
    key = product.pk
    product.delete()
    product.pk = key
    assert _post(as_manager, product, "Deleted by mistake?").status_code == 302
    assert "Deleted by mistake?" in words(as_manager.get(history_page(key)))


def test_who_sees_no_history_and_who_has_no_right_write_none(
    as_manager: Client, product: Product, warehouse: User
) -> None:
    Group.objects.get(name=RoleName.CATALOGUE_MANAGER).permissions.remove(
        Permission.objects.get(codename="add_note")
    )
    assert "Add note" not in words(as_manager.get(history_page(product)))
    assert _post(as_manager, product, "x").status_code == 403
    as_manager.force_login(warehouse)
    warehouse.user_permissions.add(Permission.objects.get(codename="add_note"))
    assert _post(as_manager, product, "x").status_code == 403
    assert not ChangeSet.objects.filter(kind=NOTE).exists()


def test_a_note_is_no_get_and_of_nothing_that_never_was(
    as_manager: Client, product: Product
) -> None:
    assert as_manager.get(f"/admin/inventory/product/{product.pk}/note/").status_code == 405
    address = f"/admin/inventory/product/{product.pk + 999}/note/"
    assert as_manager.post(address, {"text": "x"}).status_code == 404


def test_a_reader_without_the_timeline_sees_notes_and_no_other_events(
    as_manager: Client, product: Product, administrator: User
) -> None:
    _post(as_manager, product, "Seen by its readers.")
    record_event(
        kind=ChangeSet.Kind.EXPORT,
        action="Exported it",
        reference=f"inventory.product/{product.pk}",
    )
    seen = words(as_manager.get(history_page(product)))
    assert "Seen by its readers." in seen
    assert "Exported it" not in seen
    as_manager.force_login(administrator)
    assert "Exported it" in words(as_manager.get(history_page(product)))
