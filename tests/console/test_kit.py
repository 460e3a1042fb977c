"""The parts that every ModelAdmin is made of."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib import admin
from django.core.checks import CheckMessage
from django.db import models
from django.utils import timezone

from backoffice.accounts.models import User
from backoffice.audit.models import ChangeSet
from backoffice.console.admin import ModelAdmin
from backoffice.console.displays import ago, money, number
from backoffice.console.fieldsets import without
from backoffice.console.through import is_bare_link
from backoffice.console.widgets import DecimalInput
from inventory.models import Product, Tag
from tests.console.pages import act, page, product_form, said, seen, signed_in
from tests.inventory.factories import make_product, make_tag


def test_a_link_that_only_names_its_ends_can_be_chosen_in_a_form() -> None:
    assert is_bare_link(Product._meta.get_field("tags"))
    assert is_bare_link(User._meta.get_field("groups"))
    assert not is_bare_link(Product._meta.get_field("category"))
    assert not is_bare_link(models.ManyToManyField(Tag))


def errors_of(**attributes: Any) -> list[CheckMessage]:
    kind = type("SomeAdmin", (ModelAdmin,), attributes)
    messages: list[CheckMessage] = kind(Product, admin.site).check()
    return messages


def test_the_checks_still_refuse_what_is_wrong() -> None:
    assert errors_of(fieldsets=[(None, {"fields": ["tags"]})]) == []
    assert [error.id for error in errors_of(list_display=["nonsense"])] == ["admin.E108"]


def test_a_link_with_more_to_say_stays_out_of_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backoffice.console.through.is_bare_link", lambda field: False)
    messages = errors_of(fieldsets=[(None, {"fields": ["tags"]})])
    assert [message.id for message in messages] == ["admin.E013"]


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (Decimal("1234567.8"), "1,234,567.80"),
        (Decimal("0.0040"), "0.0040"),
        (Decimal("9.9900"), "9.99"),
        (Decimal(0), "0.00"),
    ],
)
def test_money_is_grouped_and_to_the_cent_unless_it_goes_below(
    amount: Decimal, shown: str, settings: Any
) -> None:
    settings.CURRENCY = "CHF"
    assert money(amount) == (
        f'<span class="money">{shown} <span class="money-currency">CHF</span></span>'
    )


def test_nothing_is_an_em_dash() -> None:
    assert [money(None), number(None), ago(None)] == ["—", "—", "—"]


def test_a_count_and_a_moment() -> None:
    assert number(12345) == '<span class="number">12,345</span>'
    assert "3 hours ago" in ago(timezone.now() - timedelta(hours=3)).replace("\xa0", " ")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Decimal("11.9000"), "11.90"),
        (Decimal("0.0040"), "0.004"),
        (Decimal("0.0000"), "0.00"),
        ("12.345", "12.345"),
        ("abc", "abc"),
        (None, None),
    ],
)
def test_a_decimal_is_shown_as_people_write_it(value: Any, shown: str | None) -> None:
    assert DecimalInput().format_value(value) == shown


def test_a_browser_does_not_take_the_comma_out_of_an_amount(
    catalogue_manager: User,
) -> None:
    product = make_product(price=10)
    assert 'type="text"' in DecimalInput().render("price", "1")
    address = f"/admin/inventory/product/{product.pk}/change/"
    sent = product_form(product, price="17,90", change_reason="season")
    response = signed_in(catalogue_manager).post(address, sent)
    assert response.context["adminform"].form.errors["price"] == ["Enter a number."]
    product.refresh_from_db()
    assert product.price == Decimal("10.00")


def test_fields_are_left_out_with_the_lines_and_sets_they_leave_empty() -> None:
    fieldsets = [("A", {"fields": ["a", ("b", "c")]}), ("B", {"fields": [("b",)]})]
    assert without(fieldsets, {"a", "b"}) == [("A", {"fields": [("c",)]})]


@pytest.fixture
def _reason_required() -> Iterator[None]:
    product_admin: Any = admin.site._registry[Product]
    product_admin.reason_required = True
    yield
    del product_admin.reason_required


@pytest.mark.django_db
@pytest.mark.usefixtures("_reason_required")
def test_where_a_reason_is_required_nothing_changes_without(catalogue_manager: User) -> None:
    product = make_product(price=Decimal("10.00"))
    client = signed_in(catalogue_manager)
    change = page("inventory_product_change", product.pk)
    delete = page("inventory_product_delete", product.pk)

    for reason in ("", "   "):
        refused = client.post(change, product_form(product, price="12.00", change_reason=reason))
        assert refused.status_code == 200
        assert "Say why: this change needs a reason." in refused.text
    refused = client.post(delete, {"post": "yes"})
    assert refused["Location"] == delete
    assert said(refused) == ["Say why: this change needs a reason."]
    act(client, "delete_selected", [product], post="yes")
    added = client.post(page("inventory_product_add"), product_form(sku="OTHER"))
    assert "Say why: this change needs a reason." in added.text
    assert list(Product.objects.values_list("price", flat=True)) == [Decimal("10.00")]

    client.post(change, product_form(product, price="12.00", change_reason=" Dearer "))
    assert ChangeSet.objects.get(reason="Dearer").actor_id == catalogue_manager.pk
    client.post(delete, {"post": "yes", "change_reason": "Gone"})
    assert not Product.objects.exists()


@pytest.mark.django_db
def test_the_actor_of_one_request_is_not_that_of_the_next(
    catalogue_manager: User, administrator: User
) -> None:
    tag = make_tag("A")
    address = page("inventory_tag_change", tag.pk)
    first = {"name": "B", "slug": "b", "change_reason": "First", "_seen": seen(tag)}
    signed_in(catalogue_manager).post(address, first)
    signed_in(administrator).post(address, {"name": "C", "slug": "b", "_seen": seen(tag)})
    changed = ChangeSet.objects.filter(action__startswith="Tag changed").order_by("id")
    assert [(each.action, each.actor_id, each.reason) for each in changed] == [
        ("Tag changed: B", catalogue_manager.pk, "First"),
        ("Tag changed: C", administrator.pk, ""),
    ]
