"""A product's images as a cell: compared, written row by row, and out again as they came."""

import re

import pytest

from inventory.models import Product, ProductImage
from tests.inventory.factories import make_product

from .files import bring, cells, counts, imported, problems
from .test_export import exported

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_work")]

A, B, C = (f"https://a.example/{name}.jpg" for name in "abc")


def images(sku: str = "S-1") -> list[tuple[int, str, str]]:
    found = ProductImage.objects.filter(product__sku=sku).order_by("position", "id")
    return [*found.values_list("position", "url", "alt_text")]


def lamp(addresses: str, texts: str = "") -> str:
    return f'sku,name,price,images,image_alt_texts\nS-1,Lamp,1,"{addresses}","{texts}"\n'


@pytest.mark.parametrize(
    "addresses", [f"{A}\n{B}", f"{A} {B}", f"{A}, {B}", f"{A},{B}", f" {A} ,\n{B},"]
)
def test_addresses_may_be_separated_as_people_do(addresses: str) -> None:
    imported(lamp(addresses, "| Seen from | behind").replace("| Seen from |", "|Seen from "))
    assert images() == [(1, A, ""), (2, B, "Seen from behind")]


def test_a_comma_within_an_address_is_part_of_it() -> None:
    imported(lamp("https://a.example/w_400,c_fill/a.jpg /media/b,c.jpg"))
    assert [url for _place, url, _text in images()] == [
        "https://a.example/w_400,c_fill/a.jpg", "/media/b,c.jpg",
    ]  # fmt: skip


def test_only_the_images_that_differ_are_written() -> None:
    imported(lamp(f"{A} {B} {B}", "one | two | three"))
    kept = {image.url: image.pk for image in ProductImage.objects.filter(url=A)}
    written = ProductImage.history.count()
    job = bring(lamp(f"{B} {A} {C}"))
    assert counts(job) == (0, 1, 0, 0)
    assert cells(job)[0]["Images"] == f"{B}\n{A}\n{C}"
    imported(lamp(f"{B} {A} {C}"))
    assert images() == [(1, B, "two"), (2, A, "one"), (3, C, "")]
    assert ProductImage.objects.get(url=A).pk == kept[A]
    changes = ProductImage.history.order_by("pk").values_list("history_type", "url")[written:]
    assert sorted(changes) == [("+", C), ("-", B), ("~", A), ("~", B)]


def test_texts_stay_where_the_file_puts_them_when_images_change_places() -> None:
    imported(lamp(f"{A} {B}", "one | two"))
    imported(lamp(f"{B} {A}", "one | two"))
    assert images() == [(1, B, "one"), (2, A, "two")]
    assert counts(bring(lamp(f"{B} {A}", "one|two"))) == (0, 0, 1, 0)


def test_a_blank_cell_keeps_images_and_clear_takes_them_away() -> None:
    imported(lamp(f"{A} {B}", "one | two"))
    assert counts(bring(lamp(""))) == (0, 0, 1, 0)
    imported(lamp("<clear>"))
    assert images() == []


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("javascript:alert(1)", "begins with https:// or http://"),
        (f"{A} data:text/html,x", "begins with https:// or http://"),
        ("//evil.example/x.jpg", "begins with https:// or http://"),
        (f"https://a.example/{'x' * 500}", "longer than 500 characters"),
    ],
)
def test_what_is_no_safe_address_is_refused(address: str, why: str) -> None:
    job = bring(lamp(address))
    assert counts(job) == (0, 0, 0, 1)
    [(line, column, _value, message)] = problems(job)
    assert (line, column) == (2, "Images")
    assert why in message


def test_more_texts_than_images_are_not_lost_in_silence() -> None:
    [(_, column, _, message)] = problems(bring(lamp(A, "one | two")))
    assert (column, message) == (
        "Image descriptions", "There are more texts in “one | two” than images. Remove some.",
    )  # fmt: skip


@pytest.mark.parametrize(
    "texts",
    [
        ["", "", ""], ["", "x", ""], ["a|b", "", "c"], ["\\|", "\\\\|x", "|"], ["=1+1", "", ""],
        ["", "  two   spaces ", "line\nbreak"], ["'quoted", "x", "'"], ["a \\", "b", "c"],
    ],
)  # fmt: skip
def test_what_is_exported_comes_back_as_no_change(texts: list[str]) -> None:
    imported(lamp(f"{A} {B} {C}"))
    for image, text in zip(ProductImage.objects.order_by("position"), texts, strict=True):
        image.alt_text = text
        image.save()
    before = images()
    content = exported(Product.objects.all())
    job = bring(content)
    assert (counts(job), problems(job)) == ((0, 0, 1, 0), [])
    Product.objects.get().images.all().delete()
    # Its version would tell that the file is older than that.
    assert [*counts(bring(content))][:3] == [0, 0, 0]
    imported(re.sub(rb",1-[a-z]+\r?\n$", b",\n", content))
    assert [text for _place, _url, text in images()] == [" ".join(t.split()) for t in texts]
    assert [url for _place, url, _text in images()] == [url for _place, url, _text in before]


def test_images_of_somebody_else_are_left_alone() -> None:
    product = make_product()
    ProductImage.objects.create(product=product, url=A, alt_text="mine", position=7)
    imported(lamp(f"{A} {B}"))
    assert images(product.sku) == [(7, A, "mine")]
