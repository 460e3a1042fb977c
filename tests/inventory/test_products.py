"""Slugs, managers and querysets of the catalogue, with exact results."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from inventory.models import Discount, Product, ProductImage, Tag
from tests.inventory.factories import make_category, make_product, make_tag

pytestmark = pytest.mark.django_db


def skus(rows: QuerySet[Any]) -> list[str]:
    return sorted(rows.values_list("sku", flat=True))


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Blue Mug", "blue-mug"),
        ("Crème brûlée — 2 × 100 g", "creme-brulee-2-100-g"),
        ("  --Odd--  ", "odd"),
    ],
)
def test_a_slug_is_made_from_the_name(name: str, slug: str) -> None:
    assert make_product(name=name).slug == slug


def test_a_name_without_letters_of_ours_takes_its_slug_from_the_sku() -> None:
    assert make_product(name="茶", sku="TEA-1").slug == "tea-1"
    assert make_product(name="茶", sku="茶").slug == "x"
    assert make_product(name="水", sku="水").slug == "x-2"


def test_the_second_of_a_name_is_told_apart_by_its_sku_then_by_a_number() -> None:
    assert make_product(name="Mug", sku="M-1").slug == "mug"
    assert make_product(name="Mug", sku="M-2").slug == "mug-m-2"
    assert make_product(name="Mug", sku="M.2").slug == "mug-m-2-2"


def test_many_new_rows_are_told_apart_by_indexes_though_the_table_was_empty() -> None:
    """What a trigger asks is planned with its first row, and holds for all that come with it."""

    def whole_reads() -> int:
        cursor.execute(
            "SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'inventory_product'"
        )
        return int(cursor.fetchone()[0])

    parent = make_product()
    with connection.cursor() as cursor:
        # As VACUUM leaves an empty table.
        cursor.execute(
            "UPDATE pg_class SET relpages = 0, reltuples = 0 WHERE relname = 'inventory_product'"
        )
        cursor.execute("DISCARD PLANS")
        before = whole_reads()
        cursor.execute(
            "INSERT INTO inventory_product (sku, name, price, variant_of_id) "
            "SELECT 'N-' || n, 'Kettle', 1, %s FROM generate_series(1, 50) n",
            [parent.pk],
        )
        assert whole_reads() == before
    assert Product.objects.filter(slug__startswith="kettle-n-").count() == 49


def test_a_slug_stays_when_the_name_changes() -> None:
    product = make_product(name="Mug")
    product.name = "Cup"
    product.save()
    product.refresh_from_db()
    assert product.slug == "mug"


def test_tags_and_categories_get_slugs_too() -> None:
    assert make_tag("Für Kinder").slug == "fur-kinder"
    assert make_category("Haus & Garten").slug == "haus-garten"


def test_every_change_raises_the_version_and_no_change_does_not() -> None:
    product = make_product()
    Product.objects.filter(pk=product.pk).update(name="Other")
    product.refresh_from_db()
    assert product.version == 2
    Product.objects.filter(pk=product.pk).update(name="Other")
    product.refresh_from_db()
    assert product.version == 2


def test_active_inactive_featured() -> None:
    make_product(sku="A")
    make_product(sku="B", is_active=False)
    make_product(sku="C", is_featured=True)
    assert skus(Product.objects.active()) == ["A", "C"]
    assert skus(Product.objects.inactive()) == ["B"]
    assert skus(Product.objects.featured()) == ["C"]


def test_sellable_is_what_is_active_and_no_heading_over_variants() -> None:
    shirt = make_product(sku="S")
    make_product(sku="S-M", variant_of=shirt)
    make_product(sku="S-L", variant_of=shirt, is_active=False)
    make_product(sku="X")
    assert skus(Product.objects.sellable()) == ["S-M", "X"]
    assert skus(Product.objects.variants_only()) == ["S-L", "S-M"]


def test_on_sale_is_a_former_price_or_a_discount_in_force() -> None:
    running = Discount.objects.create(name="Now", value=Decimal(10))
    over = Discount.objects.create(
        name="Over", value=Decimal(10), ends_at=timezone.now() - timedelta(hours=1)
    )
    off = Discount.objects.create(name="Off", value=Decimal(10), is_active=False)
    make_product(sku="A", discount=running)
    make_product(sku="B", discount=over)
    make_product(sku="C", discount=off)
    make_product(sku="D", compare_at_price=Decimal(20))
    make_product(sku="E")
    assert skus(Product.objects.on_sale()) == ["A", "D"]
    assert [each.name for each in Discount.objects.running()] == ["Now"]


def test_in_category_takes_in_what_lies_below() -> None:
    make_product(sku="A", category=make_category("Audio"))
    make_product(sku="B", category=make_category("Audio > Radios"))
    make_product(sku="C", category=make_category("Audiobooks"))
    make_product(sku="D")
    audio = make_category("Audio")
    assert skus(Product.objects.in_category(audio)) == ["A", "B"]
    assert skus(Product.objects.uncategorised()) == ["D"]


def test_tagged_asks_for_every_tag() -> None:
    Product.objects.create_with_tags(sku="A", name="A", price=Decimal(1), tags=["Red", "Soft"])
    Product.objects.create_with_tags(sku="B", name="B", price=Decimal(1), tags=["red"])
    assert skus(Product.objects.tagged("red")) == ["A", "B"]
    assert skus(Product.objects.tagged("RED", "soft")) == ["A"]
    assert sorted(Tag.objects.values_list("name", flat=True)) == ["Red", "Soft"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("mug", ["M-1", "M-2"]),
        ("MUG blue", ["M-1"]),
        ("acme mug", ["M-2"]),
        ("40063", ["M-2"]),
        ("m-1", ["M-1"]),
        ("100%", ["P"]),
        ("_", []),
        ("mug tea", []),
    ],
)
def test_search_finds_every_word_somewhere(words: str, found: list[str]) -> None:
    make_product(sku="M-1", name="Blue mug")
    make_product(sku="M-2", name="Red mug", brand="Acme", barcode="4006381333931")
    make_product(sku="P", name="Juice 100% fruit")
    assert skus(Product.objects.search(words)) == found


def test_a_search_for_nothing_finds_all() -> None:
    make_product(sku="A")
    assert skus(Product.objects.search("  ")) == ["A"]


def test_the_thumbnail_is_the_first_image_by_position() -> None:
    product = make_product()
    ProductImage.objects.create(product=product, url="/b.png", position=2)
    ProductImage.objects.create(product=product, url="/a.png", position=1)
    make_product(sku="bare")
    thumbnails = Product.objects.with_thumbnail().values_list("thumbnail", flat=True)
    assert list(thumbnails.order_by("id")) == ["/a.png", None]


def test_the_selling_price_has_the_running_discount_off() -> None:
    tenth = Discount.objects.create(name="Tenth", value=Decimal(10))
    assert make_product(price=Decimal("9.99"), discount=tenth).selling_price == Decimal("8.99")
    assert make_product(price=Decimal("9.99")).selling_price == Decimal("9.99")


def test_get_or_none() -> None:
    product = make_product(sku="A")
    assert Product.objects.get_or_none(sku="A") == product
    assert Product.objects.get_or_none(sku="B") is None
