from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from backoffice.accounts.models import User
from backoffice.audit.models import ChangeSet
from inventory.models import Product
from tests.console.pages import PRODUCTS, act, said, signed_in
from tests.inventory.factories import make_category, make_product, make_tag

pytestmark = pytest.mark.django_db

ACTIONS = ["activate_products", "deactivate_products", "set_category", "add_tag", "change_prices"]


def state() -> list[Any]:
    return list(
        Product.objects.order_by("pk").values_list("pk", "is_active", "price", "category", "tags")
    )


@pytest.mark.parametrize("action", [*ACTIONS, "delete_selected"])
@pytest.mark.parametrize("role", ["warehouse", "order_desk", "auditor", "outsider"])
def test_a_forged_action_is_refused_and_changes_nothing(
    role: str, action: str, request: pytest.FixtureRequest
) -> None:
    products = [make_product(), make_product(is_active=False)]
    sent: dict[str, Any] = {
        "apply": "1",
        "post": "yes",
        "reason": "x",
        "percent": "50",
        "category": make_category("Audio").pk,
        "tag": make_tag("Red").pk,
    }
    changes = ChangeSet.objects.filter(kind="change")
    before, change_sets = state(), changes.count()
    client = signed_in(request.getfixturevalue(role))
    for query in ({}, {"select_across": "1"}):
        assert act(client, action, products, **sent, **query).status_code == 403
    assert state() == before
    assert changes.count() == change_sets


def test_a_post_without_the_token_is_refused(catalogue_manager: User) -> None:
    product = make_product()
    client = Client(enforce_csrf_checks=True)
    client.force_login(catalogue_manager)
    response = act(client, "deactivate_products", [product], apply="1", reason="x")
    assert response.status_code == 403
    product.refresh_from_db()
    assert product.is_active


def test_the_first_page_says_what_will_happen_and_changes_nothing(catalogue_manager: User) -> None:
    products = [make_product(name="Mug", sku="M", is_active=False), make_product(), make_product()]
    response = act(signed_in(catalogue_manager), "activate_products", products)
    assert response.status_code == 200
    preview = response.context["preview"]
    assert preview.changing == 1
    assert preview.skipped == {"already active": 2}
    assert [(s.name, s.old, s.new) for s in preview.samples] == [("Mug (M)", "inactive", "active")]
    assert "2 skipped: already active" in response.text
    assert Product.objects.active().count() == 2


def test_applying_does_it_says_so_and_is_on_the_record(catalogue_manager: User) -> None:
    products = [make_product(is_active=False) for _ in range(3)] + [make_product()]
    client = signed_in(catalogue_manager)
    preview = act(client, "activate_products", products).context["preview"]
    response = act(
        client,
        "activate_products",
        products,
        apply="1",
        reason="Spring",
        previewed=preview.fingerprint,
    )
    assert response.status_code == 302
    assert response["Location"] == PRODUCTS
    assert said(response) == ["3 activated. 1 skipped: already active."]
    assert Product.objects.active().count() == 4
    change_set = ChangeSet.objects.get(action="3 products activated")
    assert (change_set.source, change_set.reason) == ("admin", "Spring")
    assert change_set.actor_id == catalogue_manager.pk
    assert Product.history.filter(change_set=change_set).count() == 3


def test_without_a_reason_nothing_is_done(catalogue_manager: User) -> None:
    product = make_product()
    response = act(signed_in(catalogue_manager), "deactivate_products", [product], apply="1")
    assert response.status_code == 200
    assert "Say why: this change needs a reason." in response.text
    assert response.context["preview"].changing == 1
    product.refresh_from_db()
    assert product.is_active


def test_prices_are_previewed_old_and_new(catalogue_manager: User) -> None:
    products = [
        make_product(sku="A", price=Decimal("10.00")),
        make_product(sku="B", price=Decimal("10.00"), compare_at_price=Decimal("10.20")),
    ]
    client = signed_in(catalogue_manager)
    assert act(client, "change_prices", products).context["preview"] is None

    shown = act(client, "change_prices", products, preview="1", percent="5")
    preview = shown.context["preview"]
    assert '<th scope="col" class="console-number">Price now</th>' in shown.text
    assert shown.context["form"].errors == {}
    assert preview.changing == 1
    assert preview.skipped == {"the compare-at price would not be above the new price": 1}
    assert ["10.00" in preview.samples[0].old, "10.50" in preview.samples[0].new] == [True, True]
    assert state()[0][2] == Decimal("10.00")

    done = act(
        client,
        "change_prices",
        products,
        apply="1",
        percent="5",
        reason="Copper",
        previewed=preview.fingerprint,
    )
    assert said(done) == [
        "1 price changed. 1 skipped: the compare-at price would not be above the new price."
    ]
    assert ChangeSet.objects.get(action="Price of 1 product changed by 5 %").reason == "Copper"


@pytest.mark.parametrize("percent", ["", "x", "-100.01", "1000.01", "NaN", "Infinity", "1e999"])
def test_a_percent_that_makes_no_sense_is_refused(percent: str, catalogue_manager: User) -> None:
    product = make_product(price=Decimal("10.00"))
    response = act(
        signed_in(catalogue_manager),
        "change_prices",
        [product],
        apply="1",
        percent=percent,
        reason="x",
    )
    assert response.status_code == 200
    assert "percent" in response.context["form"].errors
    product.refresh_from_db()
    assert product.price == Decimal("10.00")


def test_what_was_not_previewed_is_not_applied(catalogue_manager: User) -> None:
    product = make_product(price=Decimal("10.00"))
    client = signed_in(catalogue_manager)
    seen = act(client, "change_prices", [product], preview="1", percent="5").context["preview"]

    other_percent = act(
        client,
        "change_prices",
        [product],
        apply="1",
        percent="50",
        reason="x",
        previewed=seen.fingerprint,
    )
    assert other_percent.status_code == 200
    assert "What would change is not what you saw last." in other_percent.text

    seen = act(client, "activate_products", [product], select_across="1").context["preview"]
    make_product(is_active=False)
    more_rows = act(
        client,
        "activate_products",
        [product],
        select_across="1",
        apply="1",
        reason="x",
        previewed=seen.fingerprint,
    )
    assert more_rows.status_code == 200
    assert more_rows.context["preview"].changing == 1
    assert Product.objects.inactive().count() == 1
    product.refresh_from_db()
    assert product.price == Decimal("10.00")


def test_all_that_the_filter_finds_are_changed_without_their_keys(catalogue_manager: User) -> None:
    mugs = [make_product(name=f"Mug {number}") for number in range(60)]
    tea = make_product(name="Tea")
    client = signed_in(catalogue_manager)
    page = act(client, "deactivate_products", mugs[:50], query="?q=mug", select_across="1")
    assert page.context["keys"] == [str(mugs[0].pk)]
    assert page.context["preview"].changing == 60

    response = act(
        client,
        "deactivate_products",
        mugs[:1],
        query="?q=mug",
        select_across="1",
        previewed=page.context["preview"].fingerprint,
        apply="1",
        reason="Cracked",
    )
    assert said(response) == ["60 deactivated."]
    assert list(Product.objects.active()) == [tea]
    assert ChangeSet.objects.filter(reason="Cracked").count() == 1


def test_setting_a_category_and_adding_a_tag(catalogue_manager: User) -> None:
    radios, red = make_category("Audio > Radios"), make_tag("Red")
    products = [make_product(), make_product(category=radios)]
    products[1].tags.add(red)
    client = signed_in(catalogue_manager)

    shown = act(client, "set_category", products, preview="1", category=radios.pk)
    assert [(str(s.old), str(s.new)) for s in shown.context["preview"].samples] == [
        ("—", "Audio > Radios")
    ]
    seen = {"apply": "1", "previewed": shown.context["preview"].fingerprint}
    done = act(client, "set_category", products, **seen, category=radios.pk, reason="Sorted")
    assert said(done) == ["1 moved. 1 skipped: in this category already."]

    shown = act(client, "add_tag", products, preview="1", tag=red.pk)
    assert [(s.old, s.new) for s in shown.context["preview"].samples] == [("—", "Red")]
    seen["previewed"] = shown.context["preview"].fingerprint
    done = act(client, "add_tag", products, **seen, tag=red.pk, reason="Season")
    assert said(done) == ["1 tagged. 1 skipped: carrying this tag already."]
    assert Product.objects.tagged("Red").count() == 2
    assert ChangeSet.objects.filter(reason__in=["Sorted", "Season"]).count() == 2


def test_a_category_that_is_gone_is_refused(catalogue_manager: User) -> None:
    product = make_product()
    response = act(
        signed_in(catalogue_manager), "set_category", [product], apply="1", category=0, reason="x"
    )
    assert response.status_code == 200
    assert "category" in response.context["form"].errors
    product.refresh_from_db()
    assert product.category is None


def test_deleting_several_is_one_change_set_in_words(catalogue_manager: User) -> None:
    products = [make_product() for _ in range(3)]
    client = signed_in(catalogue_manager)
    shown = act(client, "delete_selected", products)
    assert 'name="change_reason"' in shown.text
    act(client, "delete_selected", products, post="yes", change_reason="Doubles")
    assert not Product.objects.exists()
    change_set = ChangeSet.objects.get(action="3 products deleted")
    assert change_set.reason == "Doubles"
    assert Product.history.filter(change_set=change_set, history_type="-").count() == 3


def test_more_than_can_be_read_are_not_deleted_at_once(
    catalogue_manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backoffice.console.admin.MOST_DELETED_AT_ONCE", 2)
    products = [make_product() for _ in range(3)]
    response = act(
        signed_in(catalogue_manager), "delete_selected", products, select_across="1", post="yes"
    )
    assert said(response) == ["At most 2 can be deleted at once. Filter the list, or select fewer."]
    assert Product.objects.count() == 3
