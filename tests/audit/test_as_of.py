"""Objects and lists as they were at a moment."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.models import Max
from django.utils import timezone

from backoffice.audit.as_of import TookTooLong, list_as_of, names_at, object_as_of, parts_as_of
from backoffice.audit.naming import history_of
from backoffice.audit.selectors import Strand
from inventory.models import Category, Product, ProductImage, ProductTag, Tag

from .conftest import a_product

TAGS = Strand(model=ProductTag, attname="product_id")
IMAGES = Strand(model=ProductImage, attname="product_id")
SEARCHED = ("sku", "name")


def moment_after(model: Any = Product) -> datetime:
    """Right after what was last recorded of a model; nothing later happened at that time."""
    last: datetime = history_of(model).objects.aggregate(n=Max("history_date"))["n"]
    return last


def skus(moment: datetime, **options: Any) -> list[str]:
    return [row.sku for row in list_as_of(Product, moment, **options).rows]


def all_as_of(moment: datetime, size: int, **options: Any) -> list[str]:
    found: list[str] = []
    after = None
    while True:
        page = list_as_of(Product, moment, after=after, size=size, **options)
        found += [row.sku for row in page.rows]
        if page.next is None:
            return found
        after = page.next


def test_an_object_as_it_was_between_its_changes(product: Product) -> None:
    moments = [moment_after()]
    for price in (11, 12):
        Product.objects.update(price=price)
        moments.append(moment_after())
    key = product.pk
    product.delete()

    before = moments[0] - timedelta(microseconds=1)
    assert object_as_of(Product, key, before) is None
    prices = [object_as_of(Product, key, moment).price for moment in moments]
    assert prices == [Decimal(10), Decimal(11), Decimal(12)]
    # Up to the last microsecond before the next change.
    assert object_as_of(Product, key, moments[1] - timedelta(microseconds=1)).price == 10
    assert object_as_of(Product, key, timezone.now()) is None


def at_one_moment(product: Product) -> datetime:
    """Two changes at the same microsecond; 12 was the later of them."""
    Product.objects.update(price=11)
    Product.objects.update(price=12)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE inventory_historicalproduct SET history_date = "
            "(SELECT max(history_date) FROM inventory_historicalproduct) WHERE history_type = '~'"
        )
        cursor.execute("SET session_replication_role = origin")
    return moment_after()


def test_of_two_changes_at_one_moment_the_later_counts(product: Product) -> None:
    moment = at_one_moment(product)
    assert Product.history.filter(history_date=moment).count() == 2
    assert object_as_of(Product, product.pk, moment).price == 12
    assert [row.price for row in list_as_of(Product, moment).rows] == [12]
    assert names_at(moment, []) is not None
    # The library's own reading of it returns the object twice.
    assert [found.price for found in Product.history.as_of(moment)] == [12]
    assert [row.price for row in Product.history.latest_of_each()] == [12]
    assert [found.price for found in Product.history.as_of(moment).filter(pk=product.pk)] == [12]


def test_the_list_as_it_was_has_what_is_gone_and_not_what_came_later(product: Product) -> None:
    Product.objects.bulk_create([a_product(f"B-{n}") for n in range(5)])
    Product.objects.filter(sku="B-2").delete()
    then = moment_after()
    Product.objects.filter(sku="B-1").delete()
    Product.objects.filter(sku="B-3").update(name="Renamed", sku="C-3")
    a_product("LATER").save()

    assert skus(then) == ["S-1", "B-0", "B-1", "B-3", "B-4"]
    assert skus(timezone.now()) == ["S-1", "B-0", "C-3", "B-4", "LATER"]
    assert skus(then - timedelta(days=1)) == []


@pytest.mark.parametrize("size", [1, 2, 3, 50])
def test_pages_of_the_past_have_neither_gap_nor_repetition(product: Product, size: int) -> None:
    Product.objects.bulk_create([a_product(f"B-{n}") for n in range(9)])
    Product.objects.update(brand="x")
    then = moment_after()
    Product.objects.filter(sku__in=["B-0", "B-8"]).delete()
    assert all_as_of(then, size) == ["S-1", *(f"B-{n}" for n in range(9))]
    assert all_as_of(timezone.now(), size) == ["S-1", *(f"B-{n}" for n in range(1, 8))]
    assert all_as_of(then, size, words=["b-"], among=SEARCHED) == [f"B-{n}" for n in range(9)]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["old"], ["S-1"]),
        (["OLD", "s-1"], ["S-1"]),
        (["new"], []),
        (["100%"], ["S-2"]),
        (["_"], []),
        (["%"], ["S-2"]),
        (["\\"], []),
        (["kÄse"], ["S-3"]),
    ],
)
def test_the_past_is_searched_by_what_things_were_called_then(
    product: Product, words: list[str], found: list[str]
) -> None:
    Product.objects.update(name="Old name")
    a_product("S-2", name="100% wool").save()
    a_product("S-3", name="Käse").save()
    then = moment_after()
    Product.objects.update(name="New name")
    assert skus(then, words=words, among=SEARCHED) == found


def test_a_search_ends_when_its_time_is_up_and_goes_on_from_there(product: Product) -> None:
    Product.objects.bulk_create([a_product(f"B-{n}") for n in range(5)])
    now = timezone.now()
    page = list_as_of(Product, now, words=["b-4"], among=SEARCHED, seconds=0)
    assert (page.rows, page.unfinished, page.next) == ((), True, product.pk)
    found, after, pages = [], None, 0
    while True:
        page = list_as_of(Product, now, words=["b-4"], among=SEARCHED, seconds=0, after=after)
        found += [row.sku for row in page.rows]
        pages += 1
        if page.next is None:
            break
        after = page.next
    assert found == ["B-4"]
    assert pages > 5


def test_a_list_that_takes_too_long_is_given_up(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "backoffice.audit.as_of._matches", lambda *_: ("pg_sleep(5) IS NOT NULL", {})
    )
    monkeypatch.setattr("backoffice.audit.as_of.LONGEST", 0.1)
    with pytest.raises(TookTooLong):
        list_as_of(Product, timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)


def test_parts_as_they_were(product: Product) -> None:
    front = ProductImage.objects.create(product=product, url="/f.jpg", position=2)
    ProductImage.objects.create(product=product, url="/b.jpg", position=1)
    product.tags.set(Tag.objects.named(["new", "sale"]))
    then = moment_after(ProductTag)
    other = a_product("S-2")
    other.save()
    ProductImage.objects.filter(pk=front.pk).update(product=other)
    product.tags.clear()
    ProductImage.objects.filter(url="/b.jpg").delete()

    assert [row.url for row in parts_as_of(IMAGES, product.pk, then)] == ["/b.jpg", "/f.jpg"]
    assert len(parts_as_of(TAGS, product.pk, then)) == 2
    now = timezone.now()
    assert parts_as_of(IMAGES, product.pk, now) == []
    assert parts_as_of(TAGS, product.pk, now) == []
    assert [row.url for row in parts_as_of(IMAGES, other.pk, now)] == ["/f.jpg"]
    assert parts_as_of(IMAGES, other.pk, then) == []


def test_related_objects_have_the_name_that_they_had(product: Product) -> None:
    category = Category.objects.get_or_create_path("Audio > Old")
    Product.objects.update(category=category)
    then = moment_after()
    category.name = "New"
    category.save()
    row = object_as_of(Product, product.pk, then)
    field = Product._meta.get_field("category")
    assert names_at(then, [(Product, row)]).target(field, category.pk) == "Audio > Old"
    assert names_at(timezone.now(), [(Product, row)]).target(field, category.pk) == "Audio > New"


def test_a_name_from_before_the_record_is_that_of_today(product: Product) -> None:
    category = Category.objects.get_or_create_path("Audio")
    Product.objects.update(category=category)
    row = object_as_of(Product, product.pk, timezone.now())
    long_ago = timezone.now() - timedelta(days=900)
    field = Product._meta.get_field("category")
    assert names_at(long_ago, [(Product, row)]).target(field, category.pk) == "Audio"


@pytest.mark.parametrize("rows", [5, 60])
def test_the_number_of_queries_does_not_grow_with_the_list(
    product: Product, rows: int, django_assert_num_queries: Any
) -> None:
    categories = [Category.objects.create(name=f"c{n}") for n in range(rows)]
    Product.objects.bulk_create([a_product(f"N-{c.pk}", category=c) for c in categories])
    now = timezone.now()
    with django_assert_num_queries(6):  # a savepoint, its limits, the walk, the rows, its end
        page = list_as_of(Product, now, size=100)
    with django_assert_num_queries(1):
        names_at(now, [(Product, row) for row in page.rows])
    assert len(page.rows) == rows + 1
