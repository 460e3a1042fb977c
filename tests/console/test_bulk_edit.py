"""Bulk edit: any set of fields of many rows, with each old and new value before it is done."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice.accounts.models import User
from backoffice.audit.models import ChangeSet
from backoffice.console.bulk.edit_form import editable_in_bulk
from inventory.models import Category, Discount, Product, ProductTag, Tag
from tests.console.pages import act, said, signed_in
from tests.inventory.factories import make_category, make_product, make_tag

pytestmark = pytest.mark.django_db


def previewed(client: Client, products: list[Product], **sent: Any) -> Any:
    response = act(client, "bulk_edit", products, preview="1", **sent)
    assert response.status_code == 200
    assert response.context["preview"], response.context["form"].errors
    return response.context["preview"]


def edited(client: Client, products: list[Product], reason: str = "Tidy", **sent: Any) -> Any:
    seen = previewed(client, products, **sent)
    return act(
        client, "bulk_edit", products, apply="1", reason=reason, previewed=seen.fingerprint, **sent
    )


def shown(preview: Any) -> list[tuple[str, str, str, str]]:
    return [(s.name, s.field, str(s.old), str(s.new)) for s in preview.samples]


def test_what_can_be_edited_in_bulk_is_declared_or_is_what_rows_may_share() -> None:
    offered = {
        model: editable_in_bulk(admin.site.get_model_admin(model))
        for model in (Category, Discount, Tag)
    }
    assert offered == {
        Category: ["description"],
        Discount: ["kind", "value", "is_active", "starts_at", "ends_at"],
        Tag: [],
    }


def test_several_fields_are_previewed_and_written_as_one_change_set(
    catalogue_manager: User,
) -> None:
    radios, red, old = make_category("Radios"), make_tag("Red"), make_tag("Old")
    products = [
        make_product(name="A", sku="A", price=Decimal(10), brand="Contoso"),
        make_product(name="B", sku="B", price=Decimal(20), category=radios),
    ]
    products[1].tags.add(old)
    asked = {
        "do_price": "percent", "by_price": "5",
        "do_brand": "set", "to_brand": "Northwind",
        "do_category": "set", "to_category": radios.pk,
        "do_tags": "replace", "to_tags": [red.pk],
        "do_is_active": "no",
    }  # fmt: skip
    client = signed_in(catalogue_manager)
    preview = previewed(client, products, **asked)
    assert preview.changing == 2
    assert [(name, field) for name, field, _old, _new in shown(preview)] == [
        ("A (A)", "price"), ("A (A)", "brand"), ("A (A)", "category"), ("A (A)", "tags"),
        ("A (A)", "active"),
        ("B (B)", "price"), ("B (B)", "brand"), ("B (B)", "tags"), ("B (B)", "active"),
    ]  # fmt: skip
    assert shown(preview)[7] == ("B (B)", "tags", "Old", "Red")
    assert "10.00" in shown(preview)[0][2]
    assert "10.50" in shown(preview)[0][3]
    assert not ProductTag.objects.filter(tag=red).exists()

    response = edited(client, products, reason="New supplier", **asked)
    assert said(response) == ["2 changed."]
    rows = Product.objects.order_by("sku").values_list(
        "price", "brand", "category", "is_active", "tags", "version"
    )
    assert list(rows) == [
        (Decimal("10.50"), "Northwind", radios.pk, False, red.pk, 2),
        (Decimal("21.00"), "Northwind", radios.pk, False, red.pk, 2),
    ]
    change_set = ChangeSet.objects.get(reason="New supplier")
    assert change_set.action == "2 products edited: price, brand, category, tags and active"
    assert Product.history.filter(change_set=change_set).count() == 2
    assert ProductTag.history.filter(change_set=change_set).count() == 3


def test_what_would_break_a_rule_or_change_nothing_is_skipped_and_said(
    catalogue_manager: User,
) -> None:
    products = [
        make_product(price=Decimal(10), compare_at_price=Decimal(12)),
        make_product(price=Decimal(10)),
        make_product(price=Decimal(15)),
        make_product(price=Decimal(9999999999)),
    ]
    client = signed_in(catalogue_manager)
    done = edited(client, products, do_price="set", to_price="15")
    (words,) = said(done)
    assert words == (
        "2 changed. 2 skipped: 1 The compare-at price must be above the price. Raise it, or leave "
        "it blank, 1 nothing in them would change."
    )
    assert [p.price for p in Product.objects.order_by("pk")] == [10, 15, 15, 15]


def test_a_reckoned_value_stays_within_what_the_field_takes(catalogue_manager: User) -> None:
    products = [
        make_product(price=Decimal(10)), make_product(price=Decimal(9999999999)),
        make_product(price=Decimal(3)),
    ]  # fmt: skip
    client = signed_in(catalogue_manager)
    low = previewed(client, products, do_price="amount", by_price="-5")
    assert (low.changing, low.skipped) == (2, {"price would be too low": 1})
    high = previewed(client, products, do_price="percent", by_price="10")
    assert (high.changing, high.skipped) == (2, {"price would be too high": 1})


def test_links_are_added_and_taken_away(catalogue_manager: User) -> None:
    red, blue = make_tag("Red"), make_tag("Blue")
    products = [make_product(), make_product(), make_product()]
    products[0].tags.add(red)
    products[1].tags.add(red, blue)
    client = signed_in(catalogue_manager)

    def tags() -> list[list[str]]:
        return [sorted(t.name for t in p.tags.all()) for p in Product.objects.order_by("pk")]

    done = edited(client, products, do_tags="add", to_tags=[red.pk, blue.pk])
    assert said(done) == ["2 changed. 1 skipped: nothing in them would change."]
    assert tags() == [["Blue", "Red"]] * 3
    edited(client, products[:2], do_tags="remove", to_tags=[red.pk])
    assert tags() == [["Blue"], ["Blue"], ["Blue", "Red"]]
    edited(client, products, do_tags="clear")
    assert tags() == [[], [], []]


def test_clearing_puts_nothing_there(catalogue_manager: User) -> None:
    product = make_product(brand="Contoso", cost=Decimal(3), category=make_category("Audio"))
    edited(
        signed_in(catalogue_manager), [product],
        do_brand="clear", do_cost="clear", do_category="clear",
    )  # fmt: skip
    product.refresh_from_db()
    assert (product.brand, product.cost, product.category) == ("", None, None)


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "__all__"),
        ({"do_price": "set", "to_price": ""}, "to_price"),
        ({"do_price": "set", "to_price": "-1"}, "to_price"),
        ({"do_price": "percent", "by_price": "x"}, "by_price"),
        ({"do_price": "percent", "by_price": "-101"}, "by_price"),
        ({"do_price": "amount", "by_price": "0"}, "by_price"),
        ({"do_price": "clear"}, "do_price"),
        ({"do_tax_class": "set", "to_tax_class": "none"}, "to_tax_class"),
        ({"do_category": "set", "to_category": "0"}, "to_category"),
        ({"do_tags": "add"}, "to_tags"),
        ({"do_brand": "set", "to_brand": "x" * 101}, "to_brand"),
    ],
)
def test_what_makes_no_sense_is_refused_beside_its_field(
    sent: dict[str, str], field: str, catalogue_manager: User
) -> None:
    product = make_product(price=Decimal(10))
    response = act(
        signed_in(catalogue_manager), "bulk_edit", [product], apply="1", reason="x", **sent
    )
    assert response.status_code == 200
    assert list(response.context["form"].errors) == [field]
    product.refresh_from_db()
    assert (product.price, product.version) == (Decimal(10), 1)


def test_an_input_that_the_choice_has_no_use_for_is_left_aside(catalogue_manager: User) -> None:
    product = make_product(price=Decimal(10))
    edited(
        signed_in(catalogue_manager), [product],
        do_is_featured="yes", to_price="nonsense", by_price="nonsense",
    )  # fmt: skip
    product.refresh_from_db()
    assert (product.is_featured, product.price) == (True, Decimal(10))


def test_a_hidden_field_is_not_offered_and_nothing_posted_for_it_counts(outsider: User) -> None:
    codes = ["change_product", "view_product", "undo_changeset"]
    outsider.user_permissions.add(*Permission.objects.filter(codename__in=codes))
    product = make_product(cost=Decimal(3))
    client = signed_in(outsider)
    page = act(client, "bulk_edit", [product])
    assert "do_price" in page.context["form"].fields
    assert "do_cost" not in page.context["form"].fields
    refused = act(client, "bulk_edit", [product], apply="1", reason="x", do_cost="set", to_cost="1")
    assert list(refused.context["form"].errors) == ["__all__"]
    product.refresh_from_db()
    assert product.cost == Decimal(3)


def test_price_and_cost_need_a_reason_even_where_bulk_changes_need_none(
    catalogue_manager: User, settings: Any
) -> None:
    settings.AUDIT_REASONS = ["-bulk"]
    product = make_product(price=Decimal(10))
    client = signed_in(catalogue_manager)
    sent = {"do_price": "set", "to_price": "11"}
    refused = edited(client, [product], reason="", **sent)
    assert list(refused.context["form"].errors) == ["reason"]
    product.refresh_from_db()
    assert product.price == Decimal(10)
    assert said(edited(client, [product], reason="", do_brand="set", to_brand="B")) == [
        "1 changed."
    ]


def test_dates_are_set_and_rules_between_fields_hold(catalogue_manager: User) -> None:
    now = timezone.now().replace(microsecond=0)
    discount = Discount.objects.create(name="Spring", value=10, starts_at=now)
    open_ended = Discount.objects.create(name="Summer", value=10)
    data = {
        "action": "bulk_edit", "index": "0", "_selected_action": [discount.pk, open_ended.pk],
        "do_ends_at": "set", "to_ends_at_0": "2020-01-01", "to_ends_at_1": "00:00:00",
        "preview": "1",
    }  # fmt: skip
    client = signed_in(catalogue_manager)
    preview = client.post("/admin/inventory/discount/", data).context["preview"]
    assert (preview.changing, preview.skipped) == (1, {"A discount ends after it starts": 1})


def test_many_rows_take_as_many_statements_as_few(catalogue_manager: User) -> None:
    client = signed_in(catalogue_manager)
    red = make_tag("Red")

    def statements(number: int, brand: str) -> int:
        products = [make_product() for _ in range(number)]
        sent: dict[str, Any] = {
            "do_brand": "set",
            "to_brand": brand,
            "do_tags": "add",
            "to_tags": [red.pk],
        }
        with CaptureQueriesContext(connection) as captured:
            edited(client, products, **sent)
        return len(captured)

    statements(1, "warm up")
    assert statements(40, "B") == statements(2, "C")
