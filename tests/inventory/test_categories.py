from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from inventory.models import Category
from tests.inventory.factories import make_category, make_product

pytestmark = pytest.mark.django_db


def paths() -> list[str]:
    return list(Category.objects.order_by("path").values_list("path", flat=True))


def test_a_path_makes_what_is_missing_above_it() -> None:
    category = make_category(" Audio >MP3 players ")
    assert category.path == "Audio > MP3 players"
    assert paths() == ["Audio", "Audio > MP3 players"]


def test_a_path_is_found_whatever_its_case() -> None:
    category = make_category("Audio > Radios")
    assert make_category("AUDIO > radios") == category
    assert paths() == ["Audio", "Audio > Radios"]


@pytest.mark.parametrize("path", ["", "Audio > ", " > Audio", "Audio > Radios > audio"])
def test_a_path_that_leads_nowhere_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"blank|twice"):
        make_category(path)
    assert paths() == []


def test_renaming_passes_down_to_all_below() -> None:
    make_category("Audio > Radios > DAB")
    make_category("Audio > Players")
    make_category("Audiobooks")
    Category.objects.filter(path="Audio").update(name="Sound")
    assert paths() == [
        "Audiobooks",
        "Sound",
        "Sound > Players",
        "Sound > Radios",
        "Sound > Radios > DAB",
    ]


def test_moving_takes_all_below_along() -> None:
    dab = make_category("Audio > Radios > DAB")
    radios = Category.objects.get(path="Audio > Radios")
    radios.parent = make_category("Kitchen")
    radios.save()
    dab.refresh_from_db()
    assert dab.path == "Kitchen > Radios > DAB"
    assert paths() == ["Audio", "Kitchen", "Kitchen > Radios", "Kitchen > Radios > DAB"]


def test_a_move_to_the_top_level_shortens_the_path() -> None:
    make_category("Audio > Radios > DAB")
    Category.objects.filter(path="Audio > Radios").update(parent=None)
    assert paths() == ["Audio", "Radios", "Radios > DAB"]


def _by_save(top: Category, below: Category) -> None:
    top.parent = below
    top.save()


def _by_update(top: Category, below: Category) -> None:
    Category.objects.filter(pk=top.pk).update(parent=below)


def _by_bulk_update(top: Category, below: Category) -> None:
    top.parent = below
    Category.objects.bulk_update([top], ["parent"])


def _by_sql(top: Category, below: Category) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE inventory_category SET parent_id = %s WHERE id = %s", [below.pk, top.pk]
        )


@pytest.mark.parametrize("move", [_by_save, _by_update, _by_bulk_update, _by_sql])
def test_a_category_cannot_lie_within_itself(move: Callable[..., Any]) -> None:
    bottom = make_category("A > B > C")
    top = Category.objects.get(path="A")
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        move(top, bottom)
    cause: Any = caught.value.__cause__
    assert cause.diag.constraint_name == "inventory_category_no_cycle"
    assert paths() == ["A", "A > B", "A > B > C"]


def test_a_category_is_not_its_own_parent() -> None:
    top = make_category("A")
    with pytest.raises(IntegrityError), transaction.atomic():
        _by_update(top, top)
    assert paths() == ["A"]


def test_two_that_swap_places_in_one_statement_close_no_circle() -> None:
    a, b = make_category("A"), make_category("B")
    a.parent, b.parent = b, a
    with pytest.raises(IntegrityError), transaction.atomic():
        Category.objects.bulk_update([a, b], ["parent"])
    assert paths() == ["A", "B"]


def test_within_finds_the_category_and_all_below_and_no_namesake() -> None:
    make_category("Audio > Radios > DAB")
    make_category("Audio > Radios and more")
    radios = Category.objects.get(path="Audio > Radios")
    within = Category.objects.within(radios).values_list("path", flat=True)
    assert sorted(within) == ["Audio > Radios", "Audio > Radios > DAB"]
    assert [each.path for each in Category.objects.roots()] == ["Audio"]


def test_a_category_in_use_stays() -> None:
    category = make_category("Audio")
    make_product(category=category)
    with pytest.raises(IntegrityError):
        category.delete()
    assert paths() == ["Audio"]


def test_get_or_none() -> None:
    category = make_category("Audio")
    assert Category.objects.get_or_none(path="Audio") == category
    assert Category.objects.get_or_none(path="Video") is None
