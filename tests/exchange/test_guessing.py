"""Columns that only their content tells are proposed, and never mapped by that alone."""

import pytest

from backoffice.exchange.guessing import is_gtin
from backoffice.exchange.services import plan_again
from inventory.models import Product
from tests.inventory.factories import make_product

from .choosing import choose
from .files import apply, bring

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_work")]


@pytest.mark.parametrize(
    ("cell", "right"),
    [
        ("4006381333931", True),
        ("4006381333932", False),
        ("036000291452", True),
        ("96385074", True),
        ("10012345678902", True),
        ("0000000", False),
        ("400638133393X", False),
        ("²006381333931", False),
    ],
)
def test_check_digits(cell: str, right: bool) -> None:
    assert is_gtin(cell) is right


def test_barcodes_and_images_are_proposed_and_not_imported_unasked() -> None:
    rows = [
        "sku,name,price,x,y,z",
        "A,a,1,4006381333931,https://example.com/a.jpg,1",
        "B,b,1,036000291452,https://example.com/b.png https://example.com/c.webp?x=1,2",
    ]
    job = bring("\n".join(rows))
    assert job.guesses == {"barcode": 3, "images": 4}
    apply(job)
    assert {p.barcode for p in Product.objects.all()} == {""}


def test_one_wrong_check_digit_or_one_value_says_nothing() -> None:
    assert bring("sku,name,price,x\nA,a,1,4006381333931\nB,b,1,4006381333932\n").guesses == {}
    assert bring("sku,name,price,x\nA,a,1,4006381333931\nB,b,1,4006381333931\n").guesses == {}


def test_the_key_is_proposed_by_what_is_there() -> None:
    for number in range(3):
        make_product(sku=f"K-{number}")
    job = bring("Ref,What\nx,k-0\ny,K-1\nz,other\n")
    assert (job.mapping, job.guesses) == ({}, {"sku": 1})


def test_a_column_called_version_by_chance_is_none_of_ours() -> None:
    assert "version" not in bring("sku,name,price,version\nA,a,1,2.0 beta\n").mapping
    assert "version" in bring("sku,name,price,version\nA,a,1,2\n").mapping


def test_a_guess_that_was_not_taken_is_not_made_again() -> None:
    job = bring("sku,name,price,x\nA,a,1,4006381333931\nB,b,1,036000291452\n")
    assert choose(job).guesses == {}
    assert plan_again(job=job).guesses == {}


def test_a_column_that_says_the_opposite_of_active_is_proposed() -> None:
    job = bring("sku,name,price,Discontinued\nA,a,1,1\nB,b,1,0\n")
    assert job.guesses == {"is_active": 3}
    both = bring("sku,name,price,active,discontinued\nA,a,1,1,0\n")
    assert (both.mapping["is_active"], both.guesses) == (3, {})
