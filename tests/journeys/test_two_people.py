"""Two people have one product open. Neither loses what they did."""

import re
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from inventory.models import Product, ProductImage
from tests.inventory.factories import make_category, make_product
from tests.journeys.conftest import Visitor
from tests.personas import Persona

pytestmark = pytest.mark.django_db(transaction=True)


def saved(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()


def test_two_people_edit_one_product(visitors: list[Visitor]) -> None:
    audio = make_category("Audio")
    mug = make_product(name="Mug", sku="MUG-1", price=Decimal("10.00"), brand="Ox")
    ProductImage.objects.create(product=mug, url="/static/console/logo.svg", alt_text="Front")
    ada, carla = (
        visitor.sign_in(persona)
        for visitor, persona in zip(
            visitors, (Persona.ADMINISTRATOR, Persona.CATALOGUE_MANAGER), strict=True
        )
    )
    for page, visitor in zip((ada, carla), visitors, strict=True):
        page.goto(f"{visitor.server.url}/admin/inventory/product/{mug.pk}/change/")

    ada.get_by_label("Price", exact=False).first.fill("12.00")
    ada.get_by_label("Brand").fill("Elk")
    ada.get_by_label("Reason for this change").fill("Gold")
    saved(ada)
    expect(ada.get_by_text("was changed successfully")).to_be_visible()
    Product.objects.filter(pk=mug.pk).update(category=audio)

    carla.get_by_label("Name").first.fill("Big mug")
    carla.get_by_label("Price", exact=False).first.fill("11.00")
    carla.get_by_label("Reason for this change").fill("Copper")
    saved(carla)
    told = carla.get_by_role("alert").filter(has_text="Changed by somebody else")
    expect(told).to_contain_text(
        re.compile(r"Ada Admin changed price from 10.00 to 12.00, .*(now|ago)")
    )
    expect(told).to_contain_text("Ada Admin also changed brand from Ox to Elk")
    expect(carla.get_by_label("Name").first).to_have_value("Big mug")
    expect(carla.get_by_label("Brand")).to_have_value("Elk")

    carla.get_by_label("Take theirs: 12.00").check()
    saved(carla)
    expect(carla.get_by_text("was changed successfully")).to_be_visible()
    mug.refresh_from_db()
    assert (mug.name, mug.brand, mug.category) == ("Big mug", "Elk", audio)
    assert mug.price == Decimal("12.00")
