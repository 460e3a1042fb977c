"""The slugs of an import are made at once, and are what the trigger makes of one row at a time."""

import random
from typing import Any

import pytest
from django.db import connection, transaction

from backoffice.exchange.exceptions import PlanStale
from backoffice.exchange.made_texts import MadeTexts
from inventory.models import Product
from tests.inventory.factories import make_product

from .files import imported

pytestmark = pytest.mark.django_db

# sku, name
HOSTILE = [
    ("1", "a"), ("2", "a"), ("a", "a"), ("4", "a-2"), ("5", "a-2-2"), ("6", "A 2"), ("2-2", "a"),
    ("7", "?!"), ("!", "?"), ("!!", "??"), ("x", "..."), ("8", "x"), ("9", "x-2"), ("?", "x"),
    ("10", "Ünïcödé"), ("11", "unicode"), ("12", "there"), ("13", "there"), ("14", "There 13"),
    ("15", "taken-15"), ("16", "taken"), ("17", "z" * 149 + " b"), ("18", "z" * 149 + " c"),
    ("19", "日本"), ("20", "20"), ("21", "名前"), ("22", "a-2-2"), ("++", "x-3"), ("--", "..."),
]  # fmt: skip
THERE = ["there", "taken-16", "a-2-3", "20-20", "X-2"]


def slugs() -> dict[str, str]:
    return dict(Product.objects.filter(brand="").values_list("sku", "slug"))


def one_by_one(rows: list[tuple[str, str]]) -> dict[str, str]:
    """What the trigger makes of them; all that is rolled back."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            for sku, name in rows:
                cursor.execute(
                    "INSERT INTO inventory_product (sku, name, price) VALUES (%s, %s, 1)",
                    [sku, name],
                )
        found = slugs()
        transaction.set_rollback(True)
    return found


def brought(rows: list[tuple[str, str]]) -> dict[str, str]:
    imported("sku,name,price\n" + "".join(f'"{sku}","{name}",1\n' for sku, name in rows))
    return slugs()


@pytest.mark.parametrize("seed", range(12))
def test_the_outcome_is_that_of_the_trigger_whatever_the_names(seed: int) -> None:
    for slug in THERE:
        make_product(slug=slug, brand="There")
    rows = [*HOSTILE]
    random.Random(seed).shuffle(rows)  # noqa: S311 - not for secrets
    expected = one_by_one(rows)
    assert len(expected) == len(HOSTILE)
    assert brought(rows) == expected


def test_names_of_few_letters_come_out_as_the_trigger_makes_them() -> None:
    chance = random.Random(4)  # noqa: S311
    make_product(slug="a-b", brand="There")
    names = ["".join(chance.choices("ab1- 2", k=3)).strip() or "?" for _ in range(400)]
    rows = [(f"{chance.choice('ab')}-{number}", name) for number, name in enumerate(names)]
    expected = one_by_one(rows)
    assert brought(rows) == expected


CONTENDING = [("1", "a"), ("2", "a"), ("2-", "a"), ("4", "a-2-2")]


def test_what_the_trigger_gives_one_row_is_not_kept_for_another() -> None:
    expected = {"1": "a", "2": "a-2", "2-": "a-2-2", "4": "a-2-2-4"}
    assert one_by_one(CONTENDING) == brought(CONTENDING) == expected


def test_otherwise_they_would_get_in_each_others_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MadeTexts, "_leave_to_the_trigger", lambda self: None)
    with pytest.raises(PlanStale):
        brought(CONTENDING)


def test_a_slug_that_the_file_names_is_nobody_elses() -> None:
    make_product(sku="P", brand="There")
    rows = "A,Cup,1,\nB,Other,1,CUP\nC,Cup,1,cup-a\nD,Cup d,1,\nE,Cup,1,\nP,New,1,cup-e\n"
    imported(f"sku,name,price,slug\n{rows}")
    assert slugs() == {"A": "cup-a-2", "B": "CUP", "C": "cup-a", "D": "cup-d", "E": "cup-e-2"}


def test_the_trigger_is_called_only_for_rows_that_contend() -> None:
    def calls() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL track_functions = 'pl'")
            cursor.execute(
                "SELECT COALESCE(sum(calls), 0) FROM pg_stat_xact_user_functions "
                "WHERE funcname LIKE 'pgtrigger_slug_from_name%%'"
            )
            return int(cursor.fetchone()[0])

    before = calls()
    brought([("1", "Cup"), ("2", "Cup"), ("3", "Mug")])
    assert calls() == before
    brought([("4", "Tea"), ("5", "Tea"), ("5-", "Tea")])
    assert calls() == before + 2
    assert slugs() == {
        "1": "cup", "2": "cup-2", "3": "mug", "4": "tea", "5": "tea-5", "5-": "tea-5-2",
    }  # fmt: skip


def test_variants_come_after_their_parents_also_in_their_slugs() -> None:
    imported("sku,name,price,variant_of\nV,Cup,1,A\nA,Cup,1,\nW,Cup,1,A\n")
    assert slugs() == {"A": "cup", "V": "cup-v", "W": "cup-w"}


def test_rows_that_have_no_names_in_the_file_need_no_slugs() -> None:
    product: Any = make_product(sku="P", price="1")
    imported("sku,price\nP,2\n")
    product.refresh_from_db()
    assert product.price == 2
