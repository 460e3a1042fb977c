"""Relations whose cells name the other row by another of its unique fields."""

import pytest

from backoffice.exchange.exceptions import MappingRefused
from inventory.models import Category, Product
from tests.inventory.factories import make_category, make_product

from .choosing import brought, choose
from .files import apply, bring, counts, problems

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_work")]


def test_a_parent_is_named_by_its_slug() -> None:
    cup = make_product(sku="A", name="Big cup", slug="big-cup", price=1)
    job = brought(
        "sku,name,price,variant_of\nB,b,1,BIG-CUP\nC,c,1,A\n", lookups={"variant_of": "slug"}
    )
    assert [(line, column, value, message) for line, column, value, message in problems(job)] == [
        (3, "Variant of", "A", "There is no “A”. Correct the name, or add it first.")
    ]
    apply(job, valid_rows_only=True)
    assert Product.objects.get(sku="B").variant_of == cup
    again = "sku,name,price,variant_of\nB,b,1,big-cup\n"
    assert counts(brought(again, lookups={"variant_of": "slug"})) == (0, 0, 1, 0)


def test_a_parent_of_the_same_file_is_named_by_its_slug_too() -> None:
    apply(
        brought(
            "sku,name,price,slug,variant_of\nB,b,1,,the-cup\nA,a,1,the-cup,\n",
            lookups={"variant_of": "slug"},
        )
    )
    assert Product.objects.get(sku="B").variant_of == Product.objects.get(sku="A")


def test_the_rules_of_the_resource_hold_for_it() -> None:
    parent = make_product(sku="A", slug="a-slug")
    make_product(sku="B", slug="b-slug", variant_of=parent)
    job = brought("sku,name,price,variant_of\nC,c,1,b-slug\n", lookups={"variant_of": "slug"})
    assert counts(job) == (0, 0, 0, 1)
    assert "is a variant itself" in problems(job)[0][3]


def test_a_category_by_its_slug_is_never_made() -> None:
    kitchen = make_category("Home > Kitchen")
    job = brought(
        f"sku,name,price,category\nA,a,1,{kitchen.slug}\nB,b,1,garden\n",
        lookups={"category": "slug"},
    )
    assert counts(job) == (1, 0, 0, 1)
    apply(job, valid_rows_only=True)
    assert Product.objects.get().category == kitchen
    assert Category.objects.count() == 2


@pytest.mark.parametrize("by", ["id", "price", "barcode", "name", "created_by__password", ""])
def test_only_what_is_unique_can_be_looked_up_by(by: str) -> None:
    job = bring("sku,name,price,variant_of\nB,b,1,A\n")
    with pytest.raises(MappingRefused, match="is not recognised by"):
        choose(job, lookups={"variant_of": by})


def test_what_is_missing_is_only_made_where_the_job_says_so() -> None:
    rows = "sku,name,price,category,tags\nA,a,1,Kitchen,red\n"
    job = brought(rows, creates=["tags"])
    assert [(column, message) for _line, column, _value, message in problems(job)] == [
        ("Category", "There is no “Kitchen”. Correct the name, or add it first.")
    ]
    job = choose(job, creates=None)
    assert counts(job) == (1, 0, 0, 0)
    assert sorted(job.summary["creates"]) == ["category", "tags"]
