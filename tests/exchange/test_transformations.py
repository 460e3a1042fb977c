"""What is done to cells before they are checked."""

import pytest

from backoffice.exchange.exceptions import MappingRefused
from backoffice.exchange.transforming import KINDS, clean_steps
from inventory.models import Product

from .choosing import brought, choose, step
from .files import apply, bring, cells, counts, problems

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_work")]


def name_after(cell: str, *steps: dict[str, str]) -> str:
    job = brought(f'sku,name,price\nA,"{cell}",1\n', transformations={"name": list(steps)})
    return cells(job)[0]["Name"]


@pytest.mark.parametrize(
    ("steps", "cell", "result"),
    [
        ([step("upper")], "Größe 5", "GRÖßE 5"),
        ([step("lower")], "CUP", "cup"),
        ([step("title")], "DON'T panic  o'neil", "Don't Panic  O'neil"),
        ([step("prefix", "SW-")], "1", "SW-1"),
        ([step("suffix", " (new)")], "Cup", "Cup (new)"),
        ([step("before", " - ")], "Cup - blue - big", "Cup"),
        ([step("after", " - ")], "Cup - blue - big", "blue - big"),
        ([step("after", "/")], "no such sign", "no such sign"),
        ([step("replace", "%", "percent")], "5 % off § 3", "5 percent off § 3"),
        ([step("map", "RED = rot\nblue=blau")], "Red", "rot"),
        ([step("map", "red = rot")], "reddish", "reddish"),
        ([step("before", "/"), step("upper"), step("prefix", "x")], "ab /cd", "xAB"),
        ([step("prefix", "'; DROP TABLE x; --{}§%s")], "a", "'; DROP TABLE x; --{}§%sa"),
    ],
)
def test_each_transformation(steps: list[dict[str, str]], cell: str, result: str) -> None:
    assert name_after(cell, *steps) == result


def test_the_opposite_of_yes_is_no_and_what_is_neither_is_refused() -> None:
    job = brought(
        "sku,name,price,discontinued\nA,a,1,1\nB,b,1,No\nC,c,1,\nD,d,1,perhaps\n",
        mapping={"sku": 0, "name": 1, "price": 2, "is_active": 3},
        transformations={"is_active": [step("opposite")]},
    )
    assert [message for *_rest, message in problems(job)] == [
        "“perhaps” is neither yes nor no. Write yes or no."
    ]
    apply(job, valid_rows_only=True)
    active = Product.objects.order_by("sku").values_list("sku", "is_active")
    assert list(active) == [("A", False), ("B", True), ("C", True)]


@pytest.mark.parametrize(
    ("kind", "said"), [("opposite", "no opposite"), ("convert", "no currency")]
)
def test_a_step_for_another_kind_of_field_is_refused(kind: str, said: str) -> None:
    job = bring("sku,name,price\nA,a,1\n")
    with pytest.raises(MappingRefused, match=said):
        choose(job, transformations={"name": [step(kind, "USD", "2")]})


def test_the_order_is_that_of_the_declaration() -> None:
    assert name_after("a", step("prefix", "b"), step("upper")) == "BA"
    assert name_after("a", step("upper"), step("prefix", "b")) == "bA"


def test_a_blank_cell_stays_blank_and_one_of_which_nothing_is_left_becomes_so() -> None:
    job = brought(
        "sku,name,price,brand\nA,a,1,\nB,b,1,x\n",
        transformations={"brand": [step("replace", "x"), step("prefix", " ")]},
    )
    assert [row["Brand"] for row in cells(job)] == ["", ""]
    assert counts(job) == (2, 0, 0, 0)


def price_after(cell: str, *steps: dict[str, str]) -> str:
    job = brought(f'sku,name,price\nA,a,"{cell}"\n', transformations={"price": list(steps)})
    found = problems(job)
    return found[0][-1] if found else cells(job)[0]["Price"]


def test_a_price_is_multiplied_exactly_and_never_rounded_unasked() -> None:
    assert price_after("22.78", step("multiply", "1.5")) == "34.17"
    # Our own result is no number that can be read in two ways.
    assert price_after("10", step("multiply", "1.0125")) == "10.125"
    assert price_after("0.1", step("multiply", "3")) == "0.30"
    assert price_after("10.99", step("multiply", "1.19")) == "13.0781"
    said = price_after("10.9991", step("multiply", "1.19"))
    assert said.startswith("“13.088929” has more than 4 decimals.")
    assert price_after("10.9991", step("multiply", "1.19"), step("round", "2")) == "13.09"
    assert price_after("2.5", step("round", "0")) == "3.00"
    assert "has 120 characters" in price_after("9" * 90, step("multiply", "9" * 30))


@pytest.mark.parametrize("cell", ["NaN", "1e5", "12,x", "--1", "1" * 101])
def test_what_is_no_number_is_not_calculated_with(cell: str) -> None:
    assert price_after(cell, step("multiply", "2")) == price_after(cell)


def test_an_error_shows_the_transformed_value_also_in_the_file_of_failed_rows() -> None:
    job = brought(
        "sku,name,price\nA,a,3\nB,b,x\n", transformations={"price": [step("prefix", "-")]}
    )
    assert [(line, value) for line, _column, value, _message in problems(job)] == [
        (2, "-3"),
        (3, "-x"),
    ]
    job = choose(job, transformations={"price": [step("map", "x = y")]})
    job = apply(job, valid_rows_only=True)
    with job.errors_file.open() as file:
        text = file.read().decode("utf-8-sig")
    assert text.splitlines()[1].startswith("B,b,x,")
    assert "“y” is not a number" in text


def test_a_list_is_split_at_any_sign() -> None:
    job = brought(
        "sku,name,price,tags\nA,a,1,red / blue/green\n",
        transformations={"tags": [step("split", "/")]},
    )
    apply(job)
    assert sorted(tag.name for tag in Product.objects.get().tags.all()) == ["blue", "green", "red"]
    with pytest.raises(MappingRefused, match="Name holds one value, so there is no list to split"):
        choose(bring("sku,name,price\nB,b,1\n"), transformations={"name": [step("split", "/")]})


def test_every_row_gets_a_constant() -> None:
    job = brought(
        "sku,name,price\nA,a,1\nB,b,2\n", constants={"brand": " Contoso ", "tags": "new, hot"}
    )
    apply(job)
    assert [(p.brand, p.tags.count()) for p in Product.objects.all()] == [("Contoso", 2)] * 2
    wrong = brought("sku,name\nC,c\n", constants={"price": "cheap"})
    assert problems(wrong)[0][1:3] == ("Price", "cheap")


def test_a_constant_and_a_column_for_one_field_are_refused() -> None:
    job = bring("sku,name,price\nA,a,1\n")
    with pytest.raises(MappingRefused) as refusal:
        choose(job, constants={"name": "x", "sku": "y", "password": "z"})
    assert (
        refusal.value.problems
        == [
            "There is no field “password”.",
            "“Name” is fed by a column and by a value for every row. Choose one.",
            "“SKU” is fed by a column and by a value for every row. Choose one.",
            "“SKU” cannot be the same in every row.",
        ]
        or len(refusal.value.problems) == 4
    )


@pytest.mark.parametrize(
    "steps",
    [
        "upper",
        [{}],
        [step("drop")],
        [step("prefix")],
        [step("multiply", "NaN")],
        [step("multiply", "0")],
        [step("multiply", "1e9")],
        [step("multiply", "1); DROP TABLE x")],
        [step("round", "-1")],
        [step("round", "²")],
        [step("round", "99")],
        [step("map", "red")],
        [step("map", "a = b\nA = c")],
        [step("map", "")],
        [step("prefix", "\0")],
        [step("upper")] * 11,
    ],
)
def test_transformations_that_cannot_be(steps: object) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        clean_steps(steps)


def test_every_kind_has_a_label_of_its_own() -> None:
    assert len({str(kind.label) for kind in KINDS.values()}) == len(KINDS) == 14
