"""Where the policy wants a reason, nothing is written without one, whatever writes."""

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from psycopg.errors import CheckViolation

from backoffice.accounts.models import Membership, User
from backoffice.audit import reasons
from backoffice.audit.checks import reasons_are_of_something
from backoffice.audit.context import Source, announce_context, audit_context
from backoffice.audit.exceptions import UndoReasonMissing
from backoffice.audit.models import ChangeSet
from backoffice.audit.reasons import ReasonMissing
from backoffice.audit.undo.services import undo_change_set
from inventory.models import Discount, Product, ProductImage
from inventory.services.catalogue import deactivate_products
from tests.audit.conftest import Record, a_product
from tests.console.pages import act, page, product_form, said, signed_in
from tests.inventory.factories import make_product

pytestmark = pytest.mark.django_db

MISSING = "Say why: this change needs a reason."


def _raw(statement: str) -> Callable[[Product], None]:
    def run(product: Product) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement, [product.pk])

    return run


def _save(product: Product) -> None:
    product.price = Decimal(9)
    product.save()


def _bulk_update(product: Product) -> None:
    product.cost = Decimal(9)
    Product.objects.bulk_update([product], ["cost"])


def _upsert(product: Product) -> None:
    again = a_product(pk=product.pk, price=9)
    Product.objects.bulk_create(
        [again], update_conflicts=True, unique_fields=["pk"], update_fields=["price"]
    )


WRITES: dict[str, Callable[[Product], Any]] = {
    "save": _save,
    "update": lambda product: Product.objects.update(price=9),
    "update of the former price": lambda product: Product.objects.update(compare_at_price=99),
    "upsert": _upsert,
    "bulk_update": _bulk_update,
    "raw SQL of the application": _raw("UPDATE inventory_product SET cost = 9 WHERE id = %s"),
    "a statement that hides the update": _raw(
        "WITH u AS (UPDATE inventory_product SET price = 9 WHERE id = %s RETURNING 1) TABLE u"
    ),
}


@pytest.mark.parametrize("source", [Source.ADMIN, Source.API, Source.COMMAND, Source.SHELL])
@pytest.mark.parametrize("how", WRITES)
def test_no_price_changes_without_a_reason_whatever_writes_it(
    how: str, source: Source, product: Product, record: Record
) -> None:
    with (
        audit_context(source=source, actor_name="Ana", reason="  "),
        pytest.raises(ReasonMissing) as refused,
        transaction.atomic(),
    ):
        WRITES[how](product)
    assert refused.value.model is Product
    assert str(refused.value) == "This change of products needs a reason. Say why."
    assert record.is_empty()
    assert Product.objects.get().price == 10


UNREADABLE = ["\0", "\u200b", " \ufeff\u00ad", "\x1b\x07", "\u2800\u3164"]


@pytest.mark.parametrize("reason", UNREADABLE)
def test_a_reason_that_nobody_can_read_is_none(
    reason: str, product: Product, catalogue_manager: User, record: Record
) -> None:
    with (
        audit_context(source=Source.ADMIN, reason=reason),
        pytest.raises(ReasonMissing),
        transaction.atomic(),
    ):
        Product.objects.update(price=9)
    client, address = signed_in(catalogue_manager), page("inventory_product_change", product.pk)
    response = client.post(address, product_form(product, price="12", change_reason=reason))
    assert response.context["adminform"].form.errors == {"change_reason": [MISSING]}
    act(client, "delete_selected", [product], post="yes", change_reason=reason)
    with pytest.raises(ReasonMissing):
        deactivate_products(products=Product.objects.all(), actor=catalogue_manager, reason=reason)
    with pytest.raises(UndoReasonMissing):
        undo_change_set(
            change_set=ChangeSet.objects.latest("pk"), actor=catalogue_manager, reason=reason
        )
    assert Product.objects.get().price == 10
    assert record.rows(Product) == []


def test_what_can_be_read_is_kept_as_it_was_written() -> None:
    assert reasons.said(" Kupfer\0 \u200b 加价 ") == "Kupfer \u200b 加价"
    assert reasons.said("→") == "→"


@pytest.mark.parametrize("how", WRITES)
def test_with_a_reason_it_is_written(how: str, product: Product, record: Record) -> None:
    with audit_context(source=Source.API, reason="Copper"):
        WRITES[how](product)
    assert len(record.rows(Product)) == 1


def test_what_the_policy_does_not_name_needs_none(product: Product, record: Record) -> None:
    with audit_context(source=Source.ADMIN, actor_name="Ana"):
        Product.objects.update(name="Kettle", price=product.price)  # the price stays
        a_product("S-2", cost=3).save()
        product.delete()
    assert len(record.rows(Product)) == 3


def test_sql_from_outside_has_no_reason_and_is_on_the_record_as_such(
    product: Product, record: Record
) -> None:
    Product.objects.update(price=9)
    (row,) = record.rows(Product)
    change_set = ChangeSet.objects.get(pk=row.change_set_id)
    assert (change_set.source, change_set.reason) == ("sql", "")


def test_copy_and_functions_that_announce_themselves_are_held_to_it_too(product: Product) -> None:
    with audit_context(source=Source.TASK), transaction.atomic():
        announce_context(connection)
        raw = connection.connection  # past every execute wrapper
        with pytest.raises(CheckViolation, match="needs a reason"):
            raw.execute("UPDATE inventory_product SET price = 9")
        transaction.set_rollback(True)
    assert Product.objects.get().price == 10


def test_the_triggers_are_what_holds_it(product: Product) -> None:
    """The negative control: where none fires, the same write goes through."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
    with audit_context(source=Source.ADMIN):
        assert Product.objects.update(price=9) == 1


@pytest.mark.parametrize("column", ["is_active", "is_staff", "is_superuser"])
def test_access_changes_with_a_reason_only(column: str, warehouse: User) -> None:
    value = not getattr(warehouse, column)
    with audit_context(source=Source.COMMAND), pytest.raises(ReasonMissing), transaction.atomic():
        User.objects.filter(pk=warehouse.pk).update(**{column: value})
    with audit_context(source=Source.COMMAND, reason="They left"):
        User.objects.filter(pk=warehouse.pk).update(**{column: value})


def test_a_role_comes_and_goes_with_a_reason_only(warehouse: User, auditor: User) -> None:
    role = auditor.groups.get()
    for change in (
        lambda: warehouse.groups.add(role),
        warehouse.groups.clear,
        role.permissions.clear,
        lambda: warehouse.user_permissions.add(*role.permissions.all()[:2]),
        lambda: Membership.objects.update(group=role),
    ):
        with (
            audit_context(source=Source.SHELL),
            pytest.raises(ReasonMissing),
            transaction.atomic(),
        ):
            change()
    assert list(warehouse.groups.values_list("name", flat=True)) == ["Warehouse"]
    with audit_context(source=Source.SHELL, reason="Covers for Aude"):
        warehouse.groups.add(role)
        warehouse.groups.add(role)  # holds it already: nothing happens
    assert warehouse.groups.count() == 2


# Forms, bulk actions, imports and commands


def test_a_form_asks_for_the_reason_and_writes_nothing_without_it(
    catalogue_manager: User, record: Record
) -> None:
    product = make_product(price=10, name="Mug")
    client = signed_in(catalogue_manager)
    address = page("inventory_product_change", product.pk)
    record = Record.from_now()
    asked = client.get(address).text
    assert "Needed for a change of price, compare-at price or cost." in asked

    response = client.post(address, product_form(product, price="12", change_reason=" "))
    assert response.status_code == 200
    assert response.context["adminform"].form.errors == {"change_reason": [MISSING]}
    assert record.is_empty()

    response = client.post(address, product_form(product, name="Cup"))
    assert response.status_code == 302, "a name needs no reason"
    sent = product_form(product, name="Cup", price="12", change_reason="Copper")
    assert client.post(address, sent).status_code == 302
    product.refresh_from_db()
    assert (product.name, product.price) == ("Cup", Decimal(12))


def test_a_form_comes_back_when_the_database_wants_a_reason_for_a_part(
    catalogue_manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A policy over the rows of an inline, which the form knows nothing of."""
    product = make_product()

    def refuse(self: ProductImage, **_: Any) -> None:
        raise ReasonMissing(Product._meta.db_table)

    monkeypatch.setattr(ProductImage, "save", refuse)
    sent = product_form(
        product,
        name="Renamed",
        **{
            "images-TOTAL_FORMS": "1",
            "images-0-url": "https://example.com/a.png",
            "images-0-alt_text": "front",
            "images-0-position": "0",
        },
    )
    response = signed_in(catalogue_manager).post(page("inventory_product_change", product.pk), sent)
    assert response.status_code == 200
    assert response.context["adminform"].form.errors == {"change_reason": [MISSING]}
    assert 'value="Renamed"' in response.text, "what was typed is still there"
    assert Product.objects.get().name != "Renamed"


def test_many_are_deleted_with_a_reason_only(catalogue_manager: User) -> None:
    rows = [make_product(), make_product()]
    client = signed_in(catalogue_manager)
    assert 'name="change_reason"' in (asked := act(client, "delete_selected", rows).text)
    assert "Reason for this deletion *" in asked
    response = act(client, "delete_selected", rows, post="yes")
    assert said(response) == [MISSING]
    assert Product.objects.count() == 2
    act(client, "delete_selected", rows, post="yes", change_reason="Never sold")
    assert Product.objects.count() == 0


def test_a_bulk_action_that_lifts_its_reason_is_still_held_to_that_of_the_price(
    catalogue_manager: User, settings: Any
) -> None:
    settings.AUDIT_REASONS = ["-bulk"]
    product = make_product(price=10)
    client = signed_in(catalogue_manager)
    seen = act(client, "deactivate_products", [product]).context["preview"].fingerprint
    act(client, "deactivate_products", [product], apply="1", previewed=seen, reason="")
    product.refresh_from_db()
    assert not product.is_active
    previewed = act(client, "change_prices", [product], preview="1", percent="5")
    sent = {"percent": "5", "previewed": previewed.context["preview"].fingerprint, "reason": ""}
    response = act(client, "change_prices", [product], apply="1", **sent)
    assert "This change of products needs a reason. Say why." in response.text
    product.refresh_from_db()
    assert product.price == 10


def test_a_command_without_a_reason_writes_nothing(product: Product, tmp_path: Any) -> None:
    file = tmp_path / "prices.csv"
    file.write_text(f"sku,price\n{product.sku},12\n")
    with audit_context(source=Source.COMMAND), suppress(SystemExit):
        with pytest.raises(Exception, match="needs a reason"):
            call_command("import_file", "products", str(file), "--apply")
        assert Product.objects.get().price == 10
        call_command("import_file", "products", str(file), "--apply", "--reason", "March")
    assert Product.objects.get().price == 12


# What a shop adds and lifts


def test_settings_add_and_lift(product: Product, settings: Any, catalogue_manager: User) -> None:
    discount = Discount.objects.create(name="Spring", value=10)
    settings.AUDIT_REASONS = ["inventory.Discount.value", "-inventory.Product.price"]
    with audit_context(source=Source.ADMIN):
        Product.objects.update(price=9)
        with pytest.raises(ReasonMissing), transaction.atomic():
            Product.objects.update(cost=3)
        with pytest.raises(ReasonMissing), transaction.atomic():
            Discount.objects.update(value=20)
    settings.AUDIT_REASONS = ["inventory.Discount.deleted", "inventory.Product.category"]
    with audit_context(source=Source.ADMIN):
        Discount.objects.update(value=20)
        with pytest.raises(ReasonMissing), transaction.atomic():
            discount.delete()
    assert reasons.announced()["inventory_product"] == [
        "category_id", "compare_at_price", "cost", "price",
    ]  # fmt: skip
    client = signed_in(catalogue_manager)
    response = client.post(page("inventory_discount_delete", discount.pk), {"post": "yes"})
    assert said(response) == [MISSING]
    assert Discount.objects.exists()


def test_a_reason_lifted_leaves_the_form_alone(
    product: Product, settings: Any, catalogue_manager: User
) -> None:
    settings.AUDIT_REASONS = ["-inventory.Product.price"]
    client = signed_in(catalogue_manager)
    address = page("inventory_product_change", product.pk)
    assert client.post(address, product_form(product, price="12")).status_code == 302


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("inventory.Product.prize", "names no field of a model"),
        ("-inventory.Produkt.price", "names no field of a model"),
        ("price", "names no field of a model"),
        ("inventory.Product.tags", "names no field of a model"),
        ("inventory.Tag.name", "inventory.Tag has no policy to change"),
    ],
)
def test_a_setting_that_names_nothing_is_an_error(entry: str, said: str, settings: Any) -> None:
    settings.AUDIT_REASONS = ["-bulk", "inventory.Product.name", entry]
    (error,) = reasons_are_of_something()
    assert error.id == "audit.E005"
    assert said in error.msg
