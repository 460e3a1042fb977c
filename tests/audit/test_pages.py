"""Who sees which page of the record, and the history of an object."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import NoReverseMatch, reverse

from backoffice.accounts.models import User
from backoffice.audit.admin import HistoryAdmin
from backoffice.audit.models import ChangeSet
from inventory.models import Product, ProductImage
from tests.personas import Persona, make_user

from .pages import LIST, detail, history_page, words

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
    assert "Tags + new" in text
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
    assert "+ new" not in text
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
