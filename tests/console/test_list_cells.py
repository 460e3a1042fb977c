"""Editing one cell in a list: the rules of the form, the reason, others' changes, and Undo."""

import re
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.test import Client

from backoffice.accounts.models import User
from backoffice.audit.models import ChangeSet
from inventory.models import Category, Discount, Product
from tests.console.pages import PRODUCTS, page, signed_in
from tests.inventory.factories import make_category, make_product

pytestmark = pytest.mark.django_db


@pytest.fixture
def product(db: None) -> Product:
    return make_product(
        sku="M-1", name="Mug", price=Decimal("10.00"), compare_at_price=Decimal("12.00")
    )


def address(obj: Any, column: str) -> str:
    return page(f"{obj._meta.app_label}_{obj._meta.model_name}_cell", obj.pk, column)


def hidden(html: str) -> dict[str, str]:
    """What the form of a cell sends besides what is entered."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', html)
    return {name: unescape(value) for name, value in found if name != "csrfmiddlewaretoken"}


def enter(client: Client, obj: Any, column: str, **entered: Any) -> Any:
    """Open the cell, enter something, save."""
    opened = client.get(address(obj, column))
    assert opened.status_code == 200
    return client.post(address(obj, column), {**hidden(opened.text), **entered})


def test_a_cell_is_saved_and_taken_back(catalogue_manager: User, product: Product) -> None:
    client = signed_in(catalogue_manager)
    answer = enter(client, product, "price_now", price="11.50", change_reason="Dearer").json()
    product.refresh_from_db()
    assert product.price == Decimal("11.50")
    assert "11.50" in answer["cell"]
    assert answer["said"] == "Price changed: Mug (M-1)"
    change_set = ChangeSet.objects.get(action="Product changed: Mug (M-1)")
    assert (change_set.reason, change_set.actor_id) == ("Dearer", catalogue_manager.pk)
    assert Product.history.filter(change_set=change_set).count() == 1

    undo = answer["undo"]
    back = client.post(undo["address"], {"seen": undo["seen"], "to": undo["to"]}).json()
    product.refresh_from_db()
    assert product.price == Decimal("10.00")
    assert "10.00" in back["cell"]
    assert (back["said"], back["undo"]) == ("Price put back: Mug (M-1)", {})
    # Once.
    again = client.post(undo["address"], {"seen": undo["seen"], "to": undo["to"]})
    assert again.status_code == 409


def test_nothing_else_of_the_row_is_touched(catalogue_manager: User) -> None:
    category = make_category("Audio")
    variant = make_product(
        sku="V", name="V", options={"Size": 7}, category=category, variant_of=make_product()
    )
    before = Product.objects.filter(pk=variant.pk).values().get()
    enter(signed_in(catalogue_manager), variant, "product", name="Blue mug", price="1", sku="X")
    after = Product.objects.filter(pk=variant.pk).values().get()
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"name", "updated_at", "version"}
    assert after["name"] == "Blue mug"


@pytest.mark.parametrize(
    ("column", "entered", "said"),
    [
        ("price_now", {"price": "abc", "change_reason": "x"}, "Enter a number."),
        ("price_now", {"price": "-1", "change_reason": "x"}, "greater than or equal to 0"),
        ("price_now", {"price": "", "change_reason": "x"}, "This field is required."),
        ("price_now", {"price": "11"}, "Say why: this change needs a reason."),
        ("price_now", {"price": "13", "change_reason": "x"}, "must be above the price"),
        ("product", {"name": ""}, "This field is required."),
        ("product", {"name": "x" * 201}, "at most 200"),
        ("barcode", {"barcode": "4.00638E+12"}, "A spreadsheet has turned this barcode"),
        ("category_path", {"category": "0"}, "Select a valid choice"),
        ("tax_class", {"tax_class": "none"}, "Select a valid choice"),
    ],
)
def test_what_the_form_would_refuse_is_refused_beside_the_cell(
    column: str,
    entered: dict[str, str],
    said: str,
    catalogue_manager: User,
    product: Product,
) -> None:
    before = Product.objects.filter(pk=product.pk).values().get()
    response = enter(signed_in(catalogue_manager), product, column, **entered)
    assert response.headers["Content-Type"].startswith("text/html")
    assert said in unescape(response.text)
    assert Product.objects.filter(pk=product.pk).values().get() == before


def test_a_box_and_a_choice(catalogue_manager: User, product: Product) -> None:
    audio = make_category("Audio")
    client = signed_in(catalogue_manager)
    assert "inactive" in enter(client, product, "status").json()["cell"]
    assert "Audio" in enter(client, product, "category_path", category=audio.pk).json()["cell"]
    product.refresh_from_db()
    assert (product.is_active, product.category) == (False, audio)
    answer = enter(client, product, "category_path", category=audio.pk).json()
    assert (answer["said"], answer["undo"]) == ("Nothing has changed.", {})


def test_what_somebody_else_changed_is_not_overwritten(
    catalogue_manager: User, administrator: User, product: Product
) -> None:
    mine, theirs = signed_in(catalogue_manager), signed_in(administrator)
    opened = hidden(mine.get(address(product, "price_now")).text)
    enter(theirs, product, "price_now", price="9.00", change_reason="Sale")
    sent = {**opened, "price": "11.00", "change_reason": "Dearer"}
    refused = mine.post(address(product, "price_now"), sent)
    text = unescape(refused.text)
    assert "changed price from 10.00 to 9.00" in text
    product.refresh_from_db()
    assert product.price == Decimal("9.00")
    # With the choice made, it is saved.
    (choice,) = re.findall(r'name="(_?keep_\w+)" value="mine"', text)
    chosen = {**hidden(refused.text), choice: "mine", "price": "11.00", "change_reason": "Dearer"}
    saved = mine.post(address(product, "price_now"), chosen)
    assert saved.headers["Content-Type"] == "application/json"
    product.refresh_from_db()
    assert product.price == Decimal("11.00")
    # What somebody else changed besides is in nobody's way, and stays.
    opened = hidden(mine.get(address(product, "price_now")).text)
    enter(theirs, product, "product", name="Cup")
    mine.post(address(product, "price_now"), {**opened, "price": "8", "change_reason": "x"})
    product.refresh_from_db()
    assert (product.name, product.price) == ("Cup", Decimal(8))


def test_undo_is_refused_once_somebody_has_changed_it_again(
    catalogue_manager: User, product: Product
) -> None:
    client = signed_in(catalogue_manager)
    undo = enter(client, product, "product", name="Cup").json()["undo"]
    enter(client, product, "product", name="Glass")
    refused = client.post(undo["address"], {"seen": undo["seen"], "to": undo["to"]})
    assert refused.status_code == 409
    assert "cell" not in refused.json()
    for nonsense in ({}, {"seen": "x", "to": "1"}, {"seen": "9" * 30, "to": "-1"}):
        assert client.post(undo["address"], nonsense).status_code == 409
    product.refresh_from_db()
    assert product.name == "Glass"


@pytest.mark.parametrize("role", ["warehouse", "order_desk", "auditor", "outsider"])
def test_without_the_right_nothing_changes(
    role: str, product: Product, request: pytest.FixtureRequest
) -> None:
    client = signed_in(request.getfixturevalue(role))
    for column, sent in (("product", {"name": "Cup"}), ("cost_now", {"cost": "1"})):
        assert client.get(address(product, column)).status_code == 403
        assert client.post(address(product, column), sent).status_code == 403
    undo = page("inventory_product_cell_undo", product.pk, "product")
    assert client.post(undo, {"seen": "1", "to": "1"}).status_code == 403
    product.refresh_from_db()
    assert product.name == "Mug"
    if role != "outsider":
        assert "console-cells" not in client.get(PRODUCTS).text


def test_a_cell_that_is_none_of_those_declared_is_refused(
    catalogue_manager: User, product: Product
) -> None:
    client = signed_in(catalogue_manager)
    for column in ("sku", "changed", "version", "nonsense"):
        assert client.post(address(product, column), {column: "9"}).status_code == 403
    for key in ("0", "x", "9" * 30):
        missing = page("inventory_product_cell", key, "product")
        assert client.get(missing).status_code == 404
    assert client.get(page("inventory_product_cell_undo", product.pk, "product")).status_code == 405
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(catalogue_manager)
    assert careful.post(address(product, "product"), {"name": "Cup"}).status_code == 403
    # A POST that did not see the row.
    assert client.post(address(product, "product"), {"name": "Cup"}).status_code == 200
    product.refresh_from_db()
    assert product.name == "Mug"


def test_other_lists_have_it_by_declaring_a_line(catalogue_manager: User) -> None:
    client = signed_in(catalogue_manager)
    category = make_category("Audio > Radios")
    answer = enter(client, category, "place", name="Tuners").json()
    assert "Tuners" in answer["cell"]
    assert Category.objects.get(pk=category.pk).path == "Audio > Tuners"
    discount = Discount.objects.create(name="Spring", value=10)
    refused = enter(client, discount, "reduction", value="101", change_reason="More")
    assert "at most 100 percent" in unescape(refused.text)
    enter(client, discount, "reduction", value="20", change_reason="More")
    discount.refresh_from_db()
    assert discount.value == 20
