"""What can be wrong with a row although each of its cells is right."""

from decimal import Decimal

import pytest

from inventory.models import Product
from tests.inventory.factories import make_product

from .files import apply, bring, counts, imported, problems, statuses, table

pytestmark = pytest.mark.django_db

VARIANTS = ["sku", "name", "price", "variant_of"]


def variants(*pairs: tuple[str, str]) -> str:
    """A file of products, each with the SKU of its parent."""
    return table(VARIANTS, *([sku, f"Product {sku}", "1", parent] for sku, parent in pairs))


def test_a_key_that_stands_in_more_rows_than_one_is_wrong_in_each() -> None:
    job = bring("sku,name,price\nA,a,1\nB,b,1\na,c,1\n Ａ,d,1\n")
    message = "“{}” stands in more than one row. Keep one of these rows."
    assert problems(job) == [
        (2, "SKU", "A", message.format("A")),
        (4, "SKU", "a", message.format("a")),
    ]
    assert counts(job) == (2, 0, 0, 2)


def test_a_slug_twice_in_the_file_or_taken_by_another_product() -> None:
    make_product(sku="LIVE", slug="taken")
    make_product(sku="OWN", slug="own")
    job = bring("sku,name,price,slug\nA,a,1,same\nB,b,1,SAME\nC,c,1,TAKEN\nOWN,,,own\nD,d,1,free\n")
    assert [(line, column, value) for line, column, value, _message in problems(job)] == [
        (2, "Slug", "same"),
        (3, "Slug", "SAME"),
        (4, "Slug", "TAKEN"),
    ]
    assert problems(job)[2][3] == ("“TAKEN” belongs to another row already. Choose another value.")
    assert statuses(job) == ["invalid", "invalid", "invalid", "unchanged", "new"]


def test_a_former_price_that_is_not_above_the_price() -> None:
    job = bring(
        "sku,name,price,compare_at_price\nA,a,10,5\nB,b,10,10\nC,c,10,10.0001\nD,d,10,\nE,e,10,-1\n"
    )
    assert [(line, column, value) for line, column, value, _message in problems(job)] == [
        (2, "Compare-at price", "5"),
        (3, "Compare-at price", "10"),
        (6, "Compare-at price", "-1"),
    ]


def test_a_former_price_is_judged_by_the_live_price_where_the_file_has_none() -> None:
    make_product(sku="A", price=10)
    job = bring("sku,compare_at_price\nA,10\n")
    assert [(line, column) for line, column, *_rest in problems(job)] == [(2, "Compare-at price")]
    assert counts(bring("sku,compare_at_price\nA,11\n")) == (0, 1, 0, 0)


def test_a_price_is_judged_by_the_live_former_price_where_the_file_has_none() -> None:
    make_product(sku="A", price=10, compare_at_price=12)
    job = bring("sku,price\nA,12\n")
    assert [(line, column) for line, column, *_rest in problems(job)] == [(2, "Price")]
    job = bring("sku,price,compare_at_price\nA,12,\n")
    assert counts(job) == (0, 0, 0, 1)
    assert counts(bring("sku,price\nA,11.9999\n")) == (0, 1, 0, 0)


def test_variants_and_their_parents_come_in_any_order() -> None:
    make_product(sku="LIVE")
    job = imported(variants(("V2", "P"), ("W", "live"), ("P", ""), ("V1", "p")))
    assert counts(job) == (4, 0, 0, 0)
    parents = dict(Product.objects.values_list("sku", "variant_of__sku"))
    assert parents == {"LIVE": None, "V2": "P", "W": "LIVE", "P": None, "V1": "P"}


def test_a_live_product_becomes_a_variant_of_a_new_one() -> None:
    make_product(sku="V", name="Product V", price=1)
    job = bring(variants(("V", "P"), ("P", "")))
    assert statuses(job) == ["changed", "new"]
    apply(job)
    variant = Product.objects.get(sku="V")
    assert str(variant.variant_of) == "Product P (P)"
    assert variant.history.count() == 2


def test_an_unknown_parent() -> None:
    assert problems(bring(variants(("V", "NONE")))) == [
        (2, "Variant of", "NONE", "There is no “NONE”. Correct the name, or add it first.")
    ]


def test_a_variant_of_itself() -> None:
    make_product(sku="LIVE", name="Product LIVE", price=1)
    message = "A row cannot refer to itself. Leave the cell blank."
    assert problems(bring(variants(("V", "v"), ("LIVE", "LIVE")))) == [
        (2, "Variant of", "v", message),
        (3, "Variant of", "LIVE", message),
    ]


def test_a_variant_of_a_variant_in_the_file_and_of_a_live_one() -> None:
    make_product(sku="LIVE-V", variant_of=make_product(sku="LIVE-P"))
    job = bring(variants(("P", ""), ("V", "P"), ("VV", "V"), ("LV", "LIVE-V")))
    message = "“{}” is a variant itself. Name the product that it belongs to."
    assert problems(job) == [
        (4, "Variant of", "V", message.format("V")),
        (5, "Variant of", "LIVE-V", message.format("LIVE-V")),
    ]


def test_two_variants_of_each_other() -> None:
    job = bring(variants(("A", "B"), ("B", "A")))
    assert counts(job) == (0, 0, 0, 2)


def test_a_product_with_variants_cannot_become_one() -> None:
    make_product(sku="V", variant_of=make_product(sku="P"))
    job = bring("sku,variant_of\nP,OTHER\n")
    make_product(sku="OTHER")
    job = bring("sku,variant_of\nP,OTHER\n")
    assert problems(job) == [
        (
            2,
            "Variant of",
            "OTHER",
            "This product has variants, so it cannot become a variant of “OTHER”.",
        )
    ]


def test_a_row_whose_parent_is_invalid_cannot_go_in_without_it() -> None:
    job = bring("sku,name,price,variant_of\nP,,1,\nV,v,1,P\nLIVE,x,bad,\nW,w,1,LIVE\nX,x,1,\n")
    assert (2, "Name") in [(line, column) for line, column, *_rest in problems(job)]
    assert (
        3,
        "Variant of",
        "P",
        "The row of “P” is invalid, so this one cannot be. Correct that row.",
    ) in problems(job)
    make_product(sku="LIVE")
    job = imported(
        "sku,name,price,variant_of\nP,,1,\nV,v,1,P\nLIVE,x,bad,\nW,w,1,LIVE\nX,x,1,\n",
        valid_rows_only=True,
    )
    assert counts(job) == (2, 0, 0, 3)
    assert Product.objects.get(sku="W").variant_of == Product.objects.get(sku="LIVE")


def test_rules_over_the_row_wait_until_its_cells_are_right() -> None:
    [(_line, column, _value, _message)] = problems(
        bring("sku,name,price,compare_at_price\nA,a,x,5\n")
    )
    assert column == "Price"


def test_prices_on_the_edge_of_the_check_are_written() -> None:
    imported("sku,name,price,compare_at_price\nA,a,0,0.0001\n")
    assert Product.objects.get().compare_at_price == Decimal("0.0001")
