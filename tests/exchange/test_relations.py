"""Cells that name something else: categories, tags, discounts."""

import pytest

from inventory.models import Category, Discount, Product, Tag
from tests.inventory.factories import make_category

from .files import imported, judged, said

pytestmark = pytest.mark.django_db


def test_an_unknown_discount_and_a_known_one_in_any_case() -> None:
    summer = Discount.objects.create(name="Summer", value=10)
    assert said("discount", "Winter") == (
        "There is no “Winter”. Correct the name, or add it first."
    )
    imported("sku,name,price,discount\nA,a,1,SUMMER\n")
    assert Product.objects.get().discount == summer


def test_categories_that_cannot_be() -> None:
    assert said("category", "A > B > A") == (
        "“A > B > A” names a category twice, so it would lie within itself. Name each category "
        "once."
    )
    assert said("category", "A > > B") == (
        "“A > > B” has a blank name. Write a name on both sides of each >."
    )
    assert (
        said("category", "A >") == "“A >” has a blank name. Write a name on both sides of each >."
    )
    assert said("category", "c" * 101) == (
        f"The category “{'c' * 40}...” has 101 characters; at most 100 fit."
    )
    assert said("category", "a<b") == (
        "“a<b” has a <, which a category's name cannot have. Remove it."
    )
    assert Category.objects.count() == 0


def test_levels_of_a_category_in_columns_of_their_own() -> None:
    imported("sku,name,price,category,subcategory\nA,a,1,Audio,MP3\nB,b,1,Audio,\nC,c,1,,\n")
    assert [str(p.category) for p in Product.objects.order_by("id")] == [
        "Audio > MP3",
        "Audio",
        "None",
    ]


def test_category_paths_are_met_whatever_their_case_and_spacing() -> None:
    make_category("Audio > MP3 players")
    job = imported("sku,name,price,category\nA,a,1,AUDIO>mp3  Players\n")
    assert job.summary["creates"] == {}
    assert str(Product.objects.get().category) == "Audio > MP3 players"


@pytest.mark.parametrize(
    ("live", "in_file"), [("Sales", "ſales"), ("10 μm", "10 µm"), ("Straße", "STRASSE"), ("ı", "I")]
)
def test_letters_whose_capitals_coincide_lose_no_category(live: str, in_file: str) -> None:
    """UPPER() and LOWER() do not agree on which letters are the same."""
    make_category(live)
    imported(f"sku,name,price,category\nA,a,1,{in_file}\n")
    category = Product.objects.get().category
    assert category is not None
    assert category.name in {live, in_file}


def test_a_tag_too_long() -> None:
    message = said("tags", f"red, {'t' * 51}")
    assert message.endswith("is longer than 50 characters.")
    assert judged("tags", f"red, {'t' * 50}") == []


def test_tags_are_told_apart_by_commas_and_not_by_case() -> None:
    Tag.objects.create(name="Red")
    imported('sku,name,price,tags\nA,a,1,"red, blue,,blue , green"\nB,b,2,"GREEN,Blue"\n')
    assert [tag.name.lower() for tag in Tag.objects.order_by("id")] == ["red", "blue", "green"]
    first, second = Product.objects.order_by("id")
    assert "Red" in {tag.name for tag in first.tags.all()}
    assert (first.tags.count(), second.tags.count()) == (3, 2)
