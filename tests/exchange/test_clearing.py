"""What a blank cell does, and how one cell clears a field."""

import pytest

from backoffice.exchange.models import ImportJob
from inventory.models import Product, Tag
from tests.inventory.factories import make_category, make_product

from .choosing import brought, step
from .files import apply, bring, cells, counts, problems

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_work")]

Blank = ImportJob.BlankCells


@pytest.fixture
def cup() -> Product:
    product = make_product(
        sku="A", name="Cup", price=5, cost=2, brand="Contoso", tax_class="reduced",
        compare_at_price=9, category=make_category("Kitchen"), options={"Size": "M"},
    )  # fmt: skip
    product.tags.add(Tag.objects.create(name="red"))
    return product


FULL = "sku,brand,cost,category,tags,options,compare_at_price\n"


def state(product: Product) -> tuple[object, ...]:
    product = Product.objects.get(pk=product.pk)
    return (
        product.brand, product.cost, product.category_id, product.tags.count(), product.options,
        product.compare_at_price,
    )  # fmt: skip


def test_blank_cells_keep_what_is_there_unless_said_otherwise(cup: Product) -> None:
    before = state(cup)
    job = brought(f"{FULL}A,,,,,,\n", blank_cells=Blank.KEEP)
    assert counts(job) == (0, 0, 1, 0)
    assert state(cup) == before


def test_clear_in_a_cell_clears_that_one(cup: Product) -> None:
    job = bring("sku,brand,cost,tags\nA,<CLEAR>,<clear>,\n")
    assert counts(job) == (0, 1, 0, 0)
    assert job.summary["fields"] == {"brand": 1, "cost": 1}
    assert cells(job)[0] == {"SKU": "A", "Brand": "", "Cost": "", "Tags": "red"}
    apply(job)
    assert state(cup) == ("", None, cup.category_id, 1, {"Size": "M"}, 9)
    assert counts(bring("sku,brand,cost,tags\nA,<CLEAR>,<clear>,\n")) == (0, 0, 1, 0)


def test_everything_that_can_be_empty_can_be_cleared(cup: Product) -> None:
    row = "A" + ",<clear>" * 6 + "\n"
    job = apply(bring(FULL + row))
    assert job.changed == 1
    assert state(cup) == ("", None, None, 0, {}, None)
    assert counts(bring(FULL + row)) == (0, 0, 1, 0)


@pytest.mark.parametrize("field", ["name", "price", "tax_class", "is_active", "slug"])
def test_what_must_have_a_value_cannot_be_cleared(cup: Product, field: str) -> None:
    [(_line, column, value, message)] = problems(bring(f"sku,{field}\nA,<Clear>\n"))
    assert value == "<Clear>"
    assert message == f"{column} cannot be cleared: it must have a value. Fill one in."


def test_the_key_cannot_be_cleared() -> None:
    job = bring("sku,name,price\n<clear>,a,1\n")
    assert [message for *_where, message in problems(job)] == [
        "SKU cannot be cleared: it must have a value. Fill one in."
    ]


def test_blank_cells_clear_where_the_user_says_so(cup: Product) -> None:
    job = brought(
        f"{FULL}A,,,,,,\nN,,,,,,\n", blank_cells=Blank.CLEAR, constants={"name": "n", "price": "1"}
    )
    assert counts(job) == (1, 1, 0, 0)
    apply(job)
    assert state(cup) == ("", None, None, 0, {}, None)


def test_a_blank_cell_of_what_must_have_a_value_is_told_if_it_is_to_be_cleared(
    cup: Product,
) -> None:
    job = brought("sku,name,price,tax_class\nA,Cup,,\nN,New,3,\n", blank_cells=Blank.CLEAR)
    says = "is blank, and must have a value. Fill it in, or let blank cells keep what is there."
    assert [(line, message) for line, _column, _value, message in problems(job)] == [
        (2, f"Price {says}"),
        (2, f"Tax class {says}"),
    ]
    assert (job.new, job.invalid) == (1, 1)


def test_blank_cells_put_the_default_there(cup: Product) -> None:
    job = brought("sku,brand,tax_class,cost,tags,is_featured\nA,,,,,\n", blank_cells=Blank.DEFAULT)
    assert job.summary["fields"] == {"brand": 1, "tax_class": 1, "cost": 1, "tags": 1}
    apply(job)
    cup.refresh_from_db()
    assert (cup.brand, cup.tax_class, cup.cost, cup.tags.count()) == ("", "standard", None, 0)


def test_clear_beats_the_policy_and_the_transformations(cup: Product) -> None:
    job = brought(
        "sku,brand\nA,<clear>\n",
        blank_cells=Blank.DEFAULT,
        transformations={"brand": [step("prefix", "x")]},
    )
    apply(job)
    assert state(cup)[0] == ""


def test_a_value_can_be_mapped_to_clear(cup: Product) -> None:
    apply(brought("sku,cost\nA,n/a\n", transformations={"cost": [step("map", "N/A = <clear>")]}))
    assert state(cup)[1] is None


def test_levels_of_a_path_are_cleared_together(cup: Product) -> None:
    apply(bring("sku,category,subcategory\nA,<clear>,\n"))
    assert state(cup)[2] is None


def test_a_constraint_judges_what_clearing_leaves_behind(cup: Product) -> None:
    """The price goes above the former price, which goes."""
    assert counts(bring("sku,price\nA,10\n")) == (0, 0, 0, 1)
    job = bring("sku,price,compare_at_price\nA,10,<clear>\n")
    assert problems(job) == []
    apply(job)
    assert state(cup)[5] is None


def test_a_new_row_may_clear_what_has_no_value_yet() -> None:
    apply(bring("sku,name,price,brand,cost\nN,n,1,<clear>,<clear>\n"))
    product = Product.objects.get()
    assert (product.brand, product.cost) == ("", None)
