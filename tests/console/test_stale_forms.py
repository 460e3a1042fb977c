"""Two people, one form: nobody's edit is lost, and both are told."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from backoffice.accounts.models import User
from inventory.models import Product, ProductImage
from tests.console.pages import page, product_form, said, seen, signed_in
from tests.inventory.factories import make_category, make_product, make_tag

pytestmark = pytest.mark.django_db


def address(product: Product) -> str:
    return page("inventory_product_change", product.pk)


def hidden(response: Any) -> dict[str, list[str]]:
    """What a page's form says of the state that it shows."""
    found: dict[str, list[str]] = {}
    names = r"(?:[\w-]+-)?_(?:seen|seen_since|asked_about)"
    for name, value in re.findall(
        f'<input type="hidden" name="({names})" value="([^"]*)">', response.text
    ):
        found.setdefault(name, []).append(value.replace("&quot;", '"'))
    return found


@pytest.fixture
def mug() -> Product:
    return make_product(name="Mug", sku="MUG-1", price=Decimal("10.00"), brand="Ox")


@pytest.fixture
def carla(catalogue_manager: User) -> Client:
    return signed_in(catalogue_manager)


@pytest.fixture
def ada(administrator: User) -> Client:
    return signed_in(administrator)


def test_a_form_says_which_state_it_shows(carla: Client, mug: Product) -> None:
    tag = make_tag("Red")
    mug.tags.add(tag)
    assert hidden(carla.get(address(mug))) == {"_seen": [f'["1",{{"tags":["{tag.pk}"]}}]']}


def test_what_both_changed_comes_back_with_both_values(
    carla: Client, ada: Client, mug: Product
) -> None:
    stale = product_form(mug, brand="Ox", price="11.00", change_reason="Copper")
    ada.post(address(mug), product_form(mug, brand="Ox", price="12.00", change_reason="Gold"))

    refused = carla.post(address(mug), stale)

    assert refused.status_code == 200
    told = refused.text.replace("\xa0", " ")
    assert "Ada Admin changed price from 10.00 to 12.00, now." in told
    assert "Keep mine: <strong>11.00</strong>" in refused.text
    assert "Take theirs: <strong>12.00</strong>" in refused.text
    assert 'name="price" value="11.00"' in refused.text
    mug.refresh_from_db()
    assert mug.price == Decimal("12.00")
    assert hidden(refused)["_asked_about"] == ["price"]


@pytest.mark.parametrize(("choice", "price"), [("mine", "11.00"), ("theirs", "12.00")])
def test_the_choice_saves_in_one_step(
    carla: Client, ada: Client, mug: Product, choice: str, price: str
) -> None:
    stale = product_form(mug, name="Big mug", price="11.00", change_reason="Copper")
    Product.objects.filter(pk=mug.pk).update(price=Decimal("12.00"))
    sent = {**stale, **hidden(carla.post(address(mug), stale))}

    unanswered = carla.post(address(mug), sent)
    assert unanswered.status_code == 200
    assert hidden(unanswered) == hidden(carla.post(address(mug), stale))

    assert carla.post(address(mug), {**sent, "_keep_price": choice}).status_code == 302
    mug.refresh_from_db()
    assert (mug.price, mug.name) == (Decimal(price), "Big mug")


def test_what_only_the_other_changed_stays_and_is_said(
    carla: Client, ada: Client, mug: Product
) -> None:
    audio = make_category("Audio")
    stale = product_form(mug, brand="Ox", name="Big mug")
    ada.post(address(mug), product_form(mug, brand="Ox", category=audio.pk))

    saved = carla.post(address(mug), stale)

    assert saved.status_code == 302
    mug.refresh_from_db()
    assert (mug.name, mug.category) == ("Big mug", audio)
    told = [message.replace("\xa0", " ") for message in said(saved)]
    assert "Ada Admin also changed category from — to Audio, now; that stays." in told


def test_the_same_change_twice_is_no_conflict(carla: Client, mug: Product) -> None:
    stale = product_form(mug, brand="Ox", price="12.00", change_reason="Gold")
    Product.objects.filter(pk=mug.pk).update(price=Decimal("12.00"))
    assert carla.post(address(mug), stale).status_code == 302


def test_a_choice_counts_only_for_what_was_shown(carla: Client, mug: Product) -> None:
    stale = product_form(mug, brand="Ox", price="11.00", change_reason="Copper")
    Product.objects.filter(pk=mug.pk).update(price=Decimal("12.00"))
    sent = {**stale, **hidden(carla.post(address(mug), stale)), "_keep_price": "mine"}
    Product.objects.filter(pk=mug.pk).update(price=Decimal("13.00"))

    refused = carla.post(address(mug), sent)

    assert refused.status_code == 200
    assert "Take theirs: <strong>13.00</strong>" in refused.text
    mug.refresh_from_db()
    assert mug.price == Decimal("13.00")


def test_without_the_state_nothing_is_saved(carla: Client, mug: Product) -> None:
    for nonsense in ("", "x", "[]", "[1]", '["1",[]]', "null"):
        sent = product_form(mug, brand="Ox", name="Other", _seen=nonsense)
        refused = carla.post(address(mug), sent)
        assert refused.status_code == 200, nonsense
        assert "did not say which state of the data it shows" in refused.text
    mug.refresh_from_db()
    assert mug.name == "Mug"


def test_tags_of_two_people_come_together(carla: Client, ada: Client, mug: Product) -> None:
    old, red, blue = make_tag("Old"), make_tag("Red"), make_tag("Blue")
    mug.tags.add(old)
    stale = product_form(mug, brand="Ox", tags=[old.pk, red.pk])
    ada.post(address(mug), product_form(mug, brand="Ox", tags=[blue.pk]))

    saved = carla.post(address(mug), stale)

    assert set(mug.tags.all()) == {red, blue}
    assert said(saved)[:2] == [
        "Ada Admin also added “Blue” to tags; that stays.",
        "Ada Admin also took “Old” out of tags; that stays.",
    ]


def test_an_image_that_both_changed_is_asked_about(carla: Client, mug: Product) -> None:
    image = ProductImage.objects.create(product=mug, url="/a.png", alt_text="Front")
    form = {
        **product_form(mug, brand="Ox"),
        **hidden(carla.get(address(mug))),
        "images-TOTAL_FORMS": "1",
        "images-INITIAL_FORMS": "1",
        "images-0-id": image.pk,
        "images-0-product": mug.pk,
        "images-0-position": "0",
        "images-0-url": "/a.png",
        "images-0-alt_text": "The mug",
    }
    ProductImage.objects.update(alt_text="A mug", position=3)

    refused = carla.post(address(mug), form)
    assert "Keep mine: <strong>The mug</strong>" in refused.text
    assert re.search(r'name="images-0-position" value="3"', refused.text)
    again = {
        **form,
        **hidden(refused),
        "images-0-_keep_alt_text": "mine",
        "images-0-position": "3",
    }
    assert carla.post(address(mug), again).status_code == 302
    image.refresh_from_db()
    assert (image.alt_text, image.position) == ("The mug", 3)


def test_what_somebody_deleted_says_who_it_was(carla: Client, ada: Client, mug: Product) -> None:
    stale = product_form(mug, brand="Ox", name="Big mug")
    ada.post(page("inventory_product_delete", mug.pk), {"post": "yes", "change_reason": "x"})

    response = carla.post(address(mug), stale)

    assert response["Location"] == page("inventory_product_changelist")
    (message,) = said(response)
    assert message.startswith(
        "Ada Admin deleted product “Mug (MUG-1)”, now. What you entered was not saved."
    )
    assert page("inventory_product_history", mug.pk) in message
    assert not Product.objects.exists()


def test_who_may_not_read_the_history_is_not_told_who_deleted(
    warehouse: User, ada: Client, mug: Product
) -> None:
    ada.post(page("inventory_product_delete", mug.pk), {"post": "yes", "change_reason": "x"})
    (message,) = said(signed_in(warehouse).get(address(mug)))
    assert "Ada" not in message
    assert "history" not in message


def images_form(mug: Product, *images: ProductImage, **fields: Any) -> dict[str, Any]:
    sent = product_form(mug, brand="Ox")
    count = str(len(images))
    sent |= {"images-TOTAL_FORMS": count, "images-INITIAL_FORMS": count}
    for number, image in enumerate(images):
        row = {"id": image.pk, "product": mug.pk, "url": image.url, "position": image.position}
        row |= {"alt_text": image.alt_text, "_seen": seen(image)}
        sent |= {f"images-{number}-{name}": value for name, value in row.items()}
    return {**sent, **fields}


def make_images(mug: Product) -> list[ProductImage]:
    return [
        ProductImage.objects.create(product=mug, url=f"/{name}.png", position=number)
        for number, name in enumerate("abc")
    ]


def test_an_image_that_somebody_deleted_stays_deleted(carla: Client, mug: Product) -> None:
    a, b, c = make_images(mug)
    form = images_form(mug, a, b, c, **{"images-2-alt_text": "Third"})
    a.delete()

    saved = carla.post(address(mug), form)

    assert saved.status_code == 302
    assert list(mug.images.values_list("url", "alt_text")) == [
        ("/b.png", ""), ("/c.png", "Third"),
    ]  # fmt: skip
    assert any("deleted image “/a.png”" in message for message in said(saved))


def test_an_image_deleted_while_one_changed_it_is_offered_anew(carla: Client, mug: Product) -> None:
    a, b, c = make_images(mug)
    form = images_form(mug, a, b, c, **{"images-0-alt_text": "First"})
    a.delete()

    refused = carla.post(address(mug), form)
    assert refused.status_code == 200
    assert "Save again to add it anew, or remove it." in refused.text
    assert mug.images.count() == 2
    rows = refused.context["inline_admin_formsets"][0].formset
    assert [row["url"].value() for row in rows.forms] == ["/b.png", "/c.png", "/a.png"]
    assert (rows.total_form_count(), rows.initial_form_count()) == (3, 2)

    again = images_form(mug, b, c) | {
        "images-TOTAL_FORMS": "3",
        "images-2-product": mug.pk,
        "images-2-url": "/a.png",
        "images-2-alt_text": "First",
        "images-2-position": "0",
    }
    assert carla.post(address(mug), again).status_code == 302
    assert set(mug.images.values_list("url", "alt_text")) == {
        ("/a.png", "First"), ("/b.png", ""), ("/c.png", ""),
    }  # fmt: skip


def test_an_image_that_somebody_changed_is_not_deleted_unseen(carla: Client, mug: Product) -> None:
    a, *_rest = make_images(mug)
    form = images_form(mug, a, **{"images-0-DELETE": "on"})
    ProductImage.objects.filter(pk=a.pk).update(alt_text="The best one")

    refused = carla.post(address(mug), form)
    assert "Save again to delete it all the same." in refused.text
    assert mug.images.count() == 3

    assert carla.post(address(mug), {**form, **hidden(refused)}).status_code == 302
    assert mug.images.count() == 2


HUGE = "9" * 30


@pytest.mark.parametrize("key", [HUGE, "x", "0", "-1", "1.5", "%00"])
def test_a_key_of_nothing_is_no_failure(carla: Client, mug: Product, key: str) -> None:
    nowhere = page("inventory_product_changelist") + f"{key}/change/"
    assert carla.get(nowhere).status_code == 302
    assert carla.post(nowhere, product_form(mug)).status_code == 302
    forged = images_form(mug) | {
        "images-TOTAL_FORMS": "1", "images-INITIAL_FORMS": "1", "images-0-id": key,
        "images-0-url": "/a.png", "images-0-product": mug.pk, "images-0-position": "0",
    }  # fmt: skip
    assert carla.post(address(mug), forged).status_code == 200
    assert not ProductImage.objects.exists()


def test_options_that_only_the_other_changed_stay(carla: Client, mug: Product) -> None:
    stale = product_form(mug, brand="Ox", name="Big mug", options="")
    Product.objects.filter(pk=mug.pk).update(options={"Size": "M"}, weight=Decimal("0.5"))
    assert carla.post(address(mug), stale).status_code == 302
    mug.refresh_from_db()
    assert (mug.name, mug.options, mug.weight) == ("Big mug", {"Size": "M"}, Decimal("0.5"))
