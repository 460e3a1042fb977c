"""Who may open the pages of the catalogue, and what the product form does."""

from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from backoffice.accounts.models import User
from backoffice.audit.models import ChangeSet
from inventory.models import Discount, Product, ProductImage, ProductTag, Tag
from tests.console.pages import PRODUCTS, page, product_form, signed_in
from tests.inventory.factories import make_category, make_product, make_tag

pytestmark = pytest.mark.django_db

LISTS = ["product", "category", "tag", "discount"]


@pytest.mark.parametrize("name", LISTS)
def test_every_list_sends_a_stranger_to_the_sign_in(name: str) -> None:
    response = Client().get(page(f"inventory_{name}_changelist"))
    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("name", LISTS)
def test_who_has_no_role_is_refused(name: str, outsider: User) -> None:
    client = signed_in(outsider)
    assert client.get(page(f"inventory_{name}_changelist")).status_code == 403
    assert client.get(page(f"inventory_{name}_add")).status_code == 403


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("role", ["warehouse", "order_desk", "auditor"])
def test_who_only_reads_sees_the_list_and_adds_nothing(
    role: str, name: str, request: pytest.FixtureRequest
) -> None:
    client = signed_in(request.getfixturevalue(role))
    assert client.get(page(f"inventory_{name}_changelist")).status_code == 200
    assert client.get(page(f"inventory_{name}_add")).status_code == 403


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("role", ["administrator", "catalogue_manager"])
def test_who_keeps_the_catalogue_sees_every_page(
    role: str, name: str, request: pytest.FixtureRequest
) -> None:
    client = signed_in(request.getfixturevalue(role))
    rows = {
        "product": make_product(category=make_category("Audio"), compare_at_price=Decimal(20)),
        "category": make_category("Audio > Radios"),
        "tag": make_tag("Summer"),
        "discount": Discount.objects.create(name="Sale", value=Decimal(5)),
    }
    key = rows[name].pk
    for address in (
        page(f"inventory_{name}_changelist"),
        page(f"inventory_{name}_changelist") + "?q=a",
        page(f"inventory_{name}_add"),
        page(f"inventory_{name}_change", key),
        page(f"inventory_{name}_delete", key),
        page(f"inventory_{name}_history", key),
    ):
        assert client.get(address).status_code == 200, address


def test_a_reader_opens_a_product_and_cannot_save_it(warehouse: User) -> None:
    product = make_product(name="Mug", price=Decimal("10.00"), cost=Decimal("4.56"))
    client = signed_in(warehouse)
    address = page("inventory_product_change", product.pk)

    shown = client.get(address)
    assert shown.status_code == 200
    assert "change_reason" not in shown.text
    assert "4.56" not in shown.text
    assert "4.56" not in client.get(PRODUCTS).text

    assert client.post(address, product_form(product, price="1.00")).status_code == 403
    delete = client.post(page("inventory_product_delete", product.pk), {"post": "yes"})
    assert delete.status_code == 403
    product.refresh_from_db()
    assert product.price == Decimal("10.00")


def test_the_cost_is_shown_to_who_may_change_it(catalogue_manager: User) -> None:
    make_product(cost=Decimal("4.56"))
    assert "4.56" in signed_in(catalogue_manager).get(PRODUCTS).text


def test_a_new_product_has_its_maker_its_tags_and_a_name_on_the_record(
    catalogue_manager: User,
) -> None:
    summer, red = make_tag("Summer"), make_tag("Red")
    response = signed_in(catalogue_manager).post(
        page("inventory_product_add"),
        product_form(name="Blue mug", sku="MUG-1", tags=[summer.pk, red.pk]),
    )
    assert response.status_code == 302
    product = Product.objects.get()
    assert product.slug == "blue-mug"
    assert product.created_by == catalogue_manager
    assert set(product.tags.all()) == {summer, red}
    change_set = ChangeSet.objects.get(action="Product added: Blue mug (MUG-1)")
    assert change_set.actor_id == catalogue_manager.pk
    assert change_set.reason == ""
    assert Product.history.get().change_set_id == change_set.pk
    links = ProductTag.history.filter(change_set=change_set)
    assert links.count() == 2


def test_a_change_is_one_change_set_with_its_reason(catalogue_manager: User) -> None:
    product = make_product(name="Mug", sku="MUG-1", price=Decimal("10.00"))
    product.tags.add(make_tag("Old"))
    new = make_tag("New")
    response = signed_in(catalogue_manager).post(
        page("inventory_product_change", product.pk),
        product_form(
            product, price="12.50", tags=[new.pk], change_reason="The supplier raised theirs"
        ),
    )
    assert response.status_code == 302
    product.refresh_from_db()
    assert product.price == Decimal("12.50")
    assert list(product.tags.all()) == [new]
    change_set = ChangeSet.objects.get(action="Product changed: Mug (MUG-1)")
    assert change_set.reason == "The supplier raised theirs"
    assert change_set.actor_name == "Carla Catalogue <carla@stockbook.test>"
    newest = Product.history.latest("history_id")
    assert (newest.price, newest.change_set_id) == (Decimal("12.50"), change_set.pk)
    links = ProductTag.history.filter(change_set=change_set)
    assert sorted(links.values_list("history_type", flat=True)) == ["+", "-"]


def test_saving_what_was_there_leaves_nothing_on_the_record(catalogue_manager: User) -> None:
    product = make_product(price=Decimal("10.5000"))
    response = signed_in(catalogue_manager).post(
        page("inventory_product_change", product.pk),
        product_form(product, change_reason="No change"),
    )
    assert response.status_code == 302
    assert not ChangeSet.objects.filter(reason="No change").exists()
    assert Product.history.count() == 1


def test_an_invalid_form_says_why_and_saves_nothing(catalogue_manager: User) -> None:
    product = make_product(price=Decimal("10.00"))
    response = signed_in(catalogue_manager).post(
        page("inventory_product_change", product.pk),
        product_form(product, price="10.00", compare_at_price="9.00", name="Other"),
    )
    assert response.status_code == 200
    assert (
        "The compare-at price must be above the price. Raise it, or leave it blank."
        in response.text
    )
    product.refresh_from_db()
    assert product.name != "Other"


def test_images_are_kept_with_the_product(catalogue_manager: User) -> None:
    product = make_product()
    client = signed_in(catalogue_manager)
    address = page("inventory_product_change", product.pk)
    image = {
        "images-TOTAL_FORMS": "1",
        "images-0-product": product.pk,
        "images-0-position": "0",
        "images-0-url": "javascript:alert(1)",
    }
    refused = client.post(address, product_form(product, **image))
    assert "Enter an address that begins with https:// or http://." in refused.text
    assert not ProductImage.objects.exists()

    image["images-0-url"] = "https://img.example/mug.png"
    assert client.post(address, product_form(product, **image)).status_code == 302
    assert "https://img.example/mug.png" in client.get(PRODUCTS).text


def test_a_variant_cannot_be_given_to_a_variant(catalogue_manager: User) -> None:
    shirt = make_product()
    medium = make_product(variant_of=shirt)
    other = make_product()
    client = signed_in(catalogue_manager)
    response = client.post(
        page("inventory_product_change", other.pk), product_form(other, variant_of=medium.pk)
    )
    assert "This is a variant itself." in response.text
    offered = client.get(
        "/admin/autocomplete/",
        {
            "app_label": "inventory",
            "model_name": "product",
            "field_name": "variant_of",
            "term": "Product",
        },
    ).json()
    found = {int(result["id"]) for result in offered["results"]}
    assert found == {shirt.pk, other.pk}


def test_deleting_goes_on_the_record_with_its_reason(catalogue_manager: User) -> None:
    product = make_product(name="Mug", sku="MUG-1")
    client = signed_in(catalogue_manager)
    address = page("inventory_product_delete", product.pk)
    assert 'name="change_reason"' in client.get(address).text
    client.post(address, {"post": "yes", "change_reason": "Never sold"})
    assert not Product.objects.exists()
    change_set = ChangeSet.objects.get(action="Product deleted: Mug (MUG-1)")
    assert change_set.reason == "Never sold"


def test_a_change_without_rights_to_a_part_of_it_is_refused_in_the_list(warehouse: User) -> None:
    product = make_product(price=Decimal("10.00"))
    forged = {
        "form-TOTAL_FORMS": "1",
        "form-INITIAL_FORMS": "1",
        "form-0-id": product.pk,
        "form-0-price": "1.00",
        "_save": "Save",
    }
    signed_in(warehouse).post(PRODUCTS, forged)
    product.refresh_from_db()
    assert product.price == Decimal("10.00")


def test_the_admin_keeps_no_log_beside_the_record(catalogue_manager: User) -> None:
    signed_in(catalogue_manager).post(page("inventory_tag_add"), {"name": "Summer", "slug": ""})
    assert Tag.objects.get().slug == "summer"
    assert not LogEntry.objects.exists()


def test_options_that_cannot_be_edited_are_shown_without_styles_that_the_policy_refuses(
    auditor: User,
) -> None:
    product = make_product(options={"Größe": "<M>"})
    text = signed_in(auditor).get(page("inventory_product_change", product.pk)).text
    assert "&quot;Größe&quot;: &quot;&lt;M&gt;&quot;" in text
    assert " style=" not in text.replace("x-bind:style=", "")
