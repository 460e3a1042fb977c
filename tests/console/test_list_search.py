"""Finding what one means: words in any order, codes first, and what is nearly what was typed."""

from typing import Any

import pytest
from django.db import connection

from backoffice.accounts.models import User
from backoffice.misspelling import patterns_like, those_among
from backoffice.search import similar_keys
from backoffice.vocabulary import words_of
from inventory.managers import search_text
from inventory.models import Product
from tests.console.pages import PRODUCTS, act, page, signed_in
from tests.inventory.factories import make_category, make_product

pytestmark = pytest.mark.django_db

SIMILAR = "Did you mean one of these?"


def found(
    user: User, typed: str, address: str = PRODUCTS, **filters: str
) -> tuple[list[str], bool]:
    """The names on the list, in its order, and whether it says that they are only similar."""
    response = signed_in(user).get(address, {"q": typed, **filters})
    context: Any = response.context
    names = [getattr(row, "name", "") or str(row) for row in context["cl"].result_list]
    return names, SIMILAR in response.text


@pytest.fixture
def _goods(db: None) -> None:
    make_product(sku="BT-7", name="Bluetooth Headphones")
    make_product(sku="HP-1", name="Headphones, wired", brand="Acme")
    make_product(sku="KE-1", name="Kettle", barcode="4006381333931")
    make_product(sku="KE-2", name="Filter for kettle BT-7")


@pytest.mark.usefixtures("_goods")
@pytest.mark.parametrize(
    ("typed", "names", "similar"),
    [
        ("blutooth hedphones", ["Bluetooth Headphones"], True),
        ("hedphones blutooth", ["Bluetooth Headphones"], True),
        ("ketle", ["Filter for kettle BT-7", "Kettle"], True),
        ("headphones bluetooth", ["Bluetooth Headphones"], False),
        ("headphones", ["Bluetooth Headphones", "Headphones, wired"], False),
        ("acme wired", ["Headphones, wired"], False),
        # What has this very code stands first, whatever the order of the list.
        ("bt-7", ["Bluetooth Headphones", "Filter for kettle BT-7"], False),
        ("4006381333931", ["Kettle"], False),
        ("xylophone", [], False),
        ("q", [], False),
        ("%_\\'\"", [], False),
    ],
)
def test_the_search_finds(
    typed: str, names: list[str], similar: bool, catalogue_manager: User
) -> None:
    shown, said = found(catalogue_manager, typed)
    assert (sorted(shown) if similar else shown, said) == (names, similar)


@pytest.mark.usefixtures("_goods")
def test_the_most_similar_stand_first(catalogue_manager: User) -> None:
    make_product(name="Blue tooth brush")
    keys = similar_keys(Product.objects.all(), search_text(), "blutooth")
    assert Product.objects.get(pk=keys[0]).name == "Bluetooth Headphones"


@pytest.mark.usefixtures("_goods")
def test_the_filters_hold_for_what_is_similar(catalogue_manager: User) -> None:
    Product.objects.filter(sku="KE-1").update(is_active=False)
    assert found(catalogue_manager, "ketle", is_active__exact="0") == (["Kettle"], True)
    assert found(catalogue_manager, "hedphones", is_active__exact="0") == ([], False)


@pytest.mark.usefixtures("_goods")
def test_select_across_is_what_the_list_shows(catalogue_manager: User) -> None:
    chosen = [Product.objects.get(sku="BT-7")]
    preview = act(
        signed_in(catalogue_manager),
        "deactivate_products",
        chosen,
        query="?q=blutooth+hedphones",
        select_across="1",
    ).context["preview"]
    assert preview.changing == 1


def test_categories_and_people_are_found_with_typing_errors(administrator: User) -> None:
    make_category("Audio > Headphones")
    names, said = found(administrator, "hedphones", page("inventory_category_changelist"))
    assert (names, said) == (["Headphones"], True)
    User.objects.create_user("beatrice@stockbook.test", first_name="Beatrice", last_name="Quimby")
    people = page("accounts_user_changelist")
    names, said = found(administrator, "beatrise quimbi", people)
    assert (len(names), said) == (1, True)
    names, said = found(administrator, "quimby beatrice", people)
    assert (len(names), said) == (1, False)


MISTYPED = [
    # A letter missing, doubled, wrong, at the wrong place; in short words as in long ones.
    ("tepot", "Teapot"),
    ("teapott", "Teapot"),
    ("teaptot", "Teapot"),
    ("taepot", "Teapot"),
    ("teapor", "Teapot"),
    ("wisk", "Whisk"),
    ("whsik", "Whisk"),
    ("whiskk", "Whisk"),
    ("kettel", "Kettle"),
    ("cettle", "Kettle"),
    ("bwol", "Bowl"),
    ("bowll", "Bowl"),
    ("spatual", "Spatula"),
    ("corkscrw", "Corkscrew"),
    ("thermomter", "Thermometer"),
    ("stel tepot", "Teapot"),
    # Umlauts as they are typed without a German keyboard.
    ("kuhler", "Kühler"),
    ("kuehler", "Kühler"),
    ("ruhrgerat", "Rührgerät"),
    ("ruehrgeraet", "Rührgerät"),
    ("giesskanne", "Gießkanne"),
]


@pytest.fixture
def _kitchen(db: None) -> None:
    things = "Teapot Whisk Kettle Bowl Spatula Corkscrew Thermometer Kühler Rührgerät Gießkanne"
    for thing in [*things.split(), "Knife", "Dish", "Tent", "Towel", "Wire rack", "Kestrel"]:
        make_product(name=f"Steel {thing} A1", brand="Acme")


@pytest.mark.usefixtures("_kitchen")
@pytest.mark.parametrize(("typed", "meant"), MISTYPED)
def test_what_is_mistyped_is_found_without_noise(typed: str, meant: str) -> None:
    keys = similar_keys(Product.objects.all(), search_text(), typed)
    names = [Product.objects.get(pk=key).name for key in keys]
    assert names == [f"Steel {meant} A1"]


@pytest.mark.usefixtures("_kitchen")
@pytest.mark.parametrize("typed", ["xylophone", "zzzz", "mg", "%%%%", "a_b%c", "\\\\\\", "4711"])
def test_what_resembles_nothing_finds_nothing(typed: str) -> None:
    assert similar_keys(Product.objects.all(), search_text(), typed) == []


@pytest.mark.parametrize("name", ["Cast-iron Teapot", "Iron, cast", "Pan (iron)", "Cast iron/oak"])
def test_a_short_word_is_known_beside_any_sign(name: str) -> None:
    make_product(name="Ironing board")
    product = make_product(name=name)
    assert similar_keys(Product.objects.all(), search_text(), "iorn") == [product.pk]


def test_a_search_leaves_the_planner_as_it_was(catalogue_manager: User) -> None:
    similar_keys(Product.objects.all(), search_text(), "tepot")
    with connection.cursor() as cursor:
        cursor.execute("SHOW enable_seqscan")
        assert cursor.fetchone() == ("on",)


def test_in_a_large_table_a_mistyped_word_is_looked_for_as_the_words_that_there_are(
    warehouse: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("Kettle", "Steel kettle", "Mug", "50% off_bin"):
        make_product(name=name)
    monkeypatch.setattr("backoffice.vocabulary._SMALL", 0)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE inventory_product")
    words = words_of(Product, search_text())
    assert {"KETTLE", "STEEL", "MUG", "OFF_BIN"} <= set(words.split())
    assert not any(letter.isdigit() for letter in words)
    assert [p.text for p in those_among(patterns_like("ketle"), words)] == ["%KETTLE%"]
    assert [p.text for p in those_among(patterns_like("of_bin"), words)] == [r"%OF\_BIN%"]
    assert found(warehouse, "ketle") == (["Kettle", "Steel kettle"], True)
    # What is too rare, or too new, to be among them.
    make_product(name="Xylophone")
    assert "XYLOPHONE" not in words_of(Product, search_text())
    assert found(warehouse, "xilophone") == (["Xylophone"], True)
