"""History rows as a person reads them."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation

from backoffice.accounts.models import Membership, Profile, User
from backoffice.audit.history import Entry, FieldChange, Kind, read, with_predecessors
from backoffice.audit.selectors import Position, Strand, Timeline, object_timeline
from backoffice.audit.wording import Passage, told_apart, value_in_words
from inventory.models import Category, Discount, Product, ProductImage, ProductTag, Tag

from .conftest import a_product

PRODUCT = Strand(model=Product, attname="id")
TAGS = Strand(model=ProductTag, attname="product_id")
IMAGES = Strand(model=ProductImage, attname="product_id")


def entries(model: Any, **lookup: Any) -> list[Entry]:
    rows = model.history.filter(**lookup).order_by("history_id")
    return read(with_predecessors(model, list(rows)))


def text(passages: tuple[Passage, ...]) -> str:
    return "".join(passage.text for passage in passages)


def table(entry: Entry) -> list[tuple[str, str, str]]:
    return [(c.label, text(c.before), text(c.after)) for c in entry.changes]


def field(name: str, model: Any = Product) -> Any:
    return model._meta.get_field(name)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("price", Decimal("12.50"), "12.50"),
        ("price", Decimal("12.00"), "12.00"),
        ("cost", Decimal("7.0000"), "7.00"),
        ("cost", Decimal("7.1250"), "7.125"),
        ("cost", Decimal("7.1200"), "7.12"),
        ("cost", None, "—"),
        ("is_active", True, "yes"),
        ("is_active", False, "no"),
        ("tax_class", "reduced", "reduced"),
        ("weight_unit", "kg", "kilograms"),
        ("weight_unit", "stone", "stone"),
        ("brand", "", "empty"),
        ("brand", "<b>", "<b>"),
        ("options", {}, "empty"),
        ("options", {"Size": "M", "Colour": "red"}, "Colour: red, Size: M"),
        ("options", {"a": [1, None]}, '{"a": [1, null]}'),
        ("created_at", datetime(2026, 3, 1, 14, 5, 9, tzinfo=UTC), "1 Mar 2026, 14:05:09"),
        ("created_at", date(2026, 3, 1), "1 Mar 2026"),
        ("description", b"\x00\x01", "2 bytes"),
    ],
)
def test_a_value_in_words(name: str, value: Any, words: str) -> None:
    with translation.override("en-gb"):
        assert value_in_words(field(name), value, lambda *_: "unused") == words


def test_decimals_follow_the_language() -> None:
    with translation.override("de"):
        assert value_in_words(field("price"), Decimal("1234.50"), lambda *_: "") == "1234,50"
        assert value_in_words(field("is_active"), True, lambda *_: "") == "ja"


@pytest.mark.parametrize(
    ("was", "became", "before", "after"),
    [
        ("a", "b", "a", "b"),
        ("a b", "a  b", "a␣b", "a␣␣b"),
        ("a", "a\n", "a", "a⏎\n"),
        ("a", "a\u00a0", "a", "a·"),
    ],
)
def test_differences_that_hardly_show(was: str, became: str, before: str, after: str) -> None:
    assert tuple(map(text, told_apart(was, became, was, became))) == (before, after)


def test_values_of_one_wording_stand_bare() -> None:
    assert tuple(map(text, told_apart("A", "A", 5, 7))) == ("5", "7")


def test_a_long_text_shows_what_changed_in_it() -> None:
    words = [f"word{number}" for number in range(100)]
    was = " ".join(words)
    became = was.replace("word50", "WORD").replace("word99", "word99 end")
    before, after = told_apart(was, became, was, became)

    assert [p.text for p in before if p.changed] == [" word50"]
    assert [p.text for p in after if p.changed] == [" WORD", " end"]
    assert text(before) == (
        " … word44 word45 word46 word47 word48 word49 word50 word51 word52 word53 word54 word55 "
        "word56 … word94 word95 word96 word97 word98 word99"
    )


def test_a_short_text_that_grew_long_shows_what_came() -> None:
    was = "Crossed at the back, with one big pocket."
    came = " It comes with a lid that does not leak, even when it is turned upside down."
    assert told_apart(was, was + came, was, was + came) == (
        (Passage(was),),
        (Passage(was), Passage(came, changed=True)),
    )
    one, other = "none", "x " * 60
    assert told_apart(one, other, one, other) == ((Passage(one),), (Passage(other),))


def test_a_very_long_text_is_not_compared_word_by_word() -> None:
    was = "word " * 10_000
    before, after = told_apart(was, was + "end", was, was + "end")
    assert (len(before), len(after)) == (1, 1)


def test_an_added_object_lists_its_values(product: Product) -> None:
    (entry,) = entries(Product)
    assert (entry.kind, entry.name, entry.title) == (Kind.ADDED, "Product S-1 (S-1)", "")
    assert table(entry) == [
        ("SKU", "", "S-1"),
        ("Name", "", "Product S-1"),
        ("Slug", "", "product-s-1"),
        ("Price", "", "10.00"),
        ("Tax class", "", "standard"),
        ("Weight unit", "", "kilograms"),
        ("Active", "", "yes"),
        ("Featured", "", "no"),
    ]


def test_a_change_names_fields_and_related_objects(product: Product) -> None:
    old = Category.objects.get_or_create_path("Audio > Old")
    new = Category.objects.get_or_create_path("Audio > New")
    Product.objects.update(category=old)
    Product.objects.update(category=new, price="9.50", is_active=False, weight="1.5", version=9)
    assert table(entries(Product)[-1]) == [
        ("Price", "10.00", "9.50"),
        ("Weight", "—", "1.50"),
        ("Active", "yes", "no"),
        ("Category", "Audio > Old", "Audio > New"),
    ]


def test_a_related_object_that_is_gone_keeps_its_name(product: Product) -> None:
    sale = Discount.objects.create(name="Summer sale", value=10)
    Product.objects.update(discount=sale)
    Discount.objects.update(name="Winter sale")
    sale.delete()
    _added, on, off = entries(Product)
    assert table(on) == [("Discount", "—", "Winter sale")]
    assert table(off) == [("Discount", "Winter sale", "—")]


def test_one_of_which_nothing_is_known_shows_its_key(product: Product) -> None:
    entry = read(
        with_predecessors(
            Product,
            [
                Product.history.model(
                    id=1,
                    sku="x",
                    name="x",
                    price=1,
                    category_id=999,
                    history_id=999,
                    history_type="+",
                    history_date=datetime(2026, 1, 1, tzinfo=UTC),
                    change_set_id=1,
                )
            ],
        )
    )[0]
    assert ("Category", "", "category 999") in table(entry)


def test_two_objects_of_one_name_can_be_told_apart(
    product: Product, warehouse: User, auditor: User
) -> None:
    User.objects.update(first_name="Kim", last_name="Lee")
    Product.objects.update(created_by=warehouse)
    Product.objects.update(created_by=auditor)
    assert table(entries(Product)[-1]) == [("Created by", str(warehouse.pk), str(auditor.pk))]


def test_a_deleted_object_lists_its_last_values(product: Product) -> None:
    Product.objects.update(price=3)
    product.delete()
    last = entries(Product)[-1]
    assert (last.kind, last.name) == (Kind.DELETED, "Product S-1 (S-1)")
    assert ("Price", "3.00", "") in table(last)
    assert all(not change.after for change in last.changes)


def test_a_change_without_a_predecessor_lists_what_it_left(product: Product) -> None:
    """A row that is older than the record of its table."""
    row = Product.history.get()
    row.history_type = "~"
    (entry,) = read(with_predecessors(Product, [row]))
    assert FieldChange(label="Price", after=(Passage("10.00"),)) in entry.changes


def test_links_are_named_by_what_they_link(product: Product, warehouse: User) -> None:
    tag = Tag.objects.create(name="new")
    product.tags.add(tag)
    (entry,) = entries(ProductTag)
    assert (entry.name, entry.changes) == ("Product S-1 (S-1) · new", ())
    (member,) = entries(Membership, user_id=warehouse.pk)
    assert member.name == "Walt Warehouse · Warehouse"


def test_a_name_made_from_another_object_fetches_nothing(
    warehouse: User, auditor: User, django_assert_num_queries: Any
) -> None:
    rows = list(Profile.history.order_by("history_id"))
    with django_assert_num_queries(1):  # the users
        found = read(with_predecessors(Profile, rows))
    assert [entry.name for entry in found] == ["Walt Warehouse", "Aude Auditor"]


def test_secrets_are_in_no_entry(warehouse: User) -> None:
    (entry,) = entries(User)
    labels = {change.label for change in entry.changes}
    assert "E-mail address" in labels
    assert not labels & {"Password", "Last login"}


def pages(strands: list[Strand], key: Any, size: int) -> list[Timeline]:
    found = [object_timeline(strands, key, size=size)]
    while found[-1].older:
        before = Position.parse(str(found[-1].older))
        found.append(object_timeline(strands, key, before=before, size=size))
    return found


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_pages_have_no_gap_and_every_change_its_difference(product: Product, size: int) -> None:
    for price in range(1, 11):
        Product.objects.update(price=price)
        if price % 3 == 0:
            product.tags.set(Tag.objects.named([f"tag {price}"]))
            ProductImage.objects.create(product=product, url=f"/{price}.jpg")
    told = [
        (entry.kind.value, said)
        for page in pages([PRODUCT, TAGS, IMAGES], product.pk, size)
        for step in page.steps
        for entry in reversed(step.entries)
        for said in (
            [
                *(f"+ “{name}”" for name in entry.links.added),
                *(f"− “{name}”" for name in entry.links.removed),
            ]
            if entry.links
            else [entry.title or text(entry.changes[0].before)]
        )
    ]
    prices = [value for kind, value in told if kind == "~"]
    assert prices == [f"{price}.00" for price in [*range(9, 0, -1), 10]]
    assert sorted(value for _, value in told if "“" in value) == [
        "+ “tag 3”",
        "+ “tag 6”",
        "+ “tag 9”",
        "Image “/3.jpg” added",
        "Image “/6.jpg” added",
        "Image “/9.jpg” added",
        "− “tag 3”",
        "− “tag 6”",
    ]
    assert len(told) == 10 + 1 + 8


def test_a_part_of_an_object_says_what_it_is(product: Product) -> None:
    image = ProductImage.objects.create(product=product, url="/1.jpg", alt_text="Front")
    ProductImage.objects.update(position=3)
    image.delete()
    steps = object_timeline([PRODUCT, IMAGES], product.pk).steps
    told = [(entry.title, table(entry)) for step in steps for entry in step.entries]
    assert told[1:] == [
        (
            "Image “Front” added",
            [("Address", "", "/1.jpg"), ("Description", "", "Front"), ("Position", "", "0")],
        ),
        ("Image “Front” changed", [("Position", "0", "3")]),
        (
            "Image “Front” removed",
            [("Address", "/1.jpg", ""), ("Description", "Front", ""), ("Position", "3", "")],
        ),
    ]


@pytest.mark.parametrize(
    "nonsense",
    ["", "x", "_", "2026-01-01_0_1", "2026-99-01T00:00:00Z_0_1", "2026-01-01T00:00Z_a_b"],
)
def test_a_position_that_is_none_is_the_beginning(nonsense: str) -> None:
    assert Position.parse(nonsense) is None


@pytest.mark.parametrize("rows", [5, 50])
def test_the_number_of_queries_does_not_grow(
    product: Product, rows: int, django_assert_num_queries: Any
) -> None:
    for number in range(rows):
        category = Category.objects.create(name=f"c{number}")
        Product.objects.update(category=category, price=number + 20)
        product.tags.add(*Tag.objects.named([f"t{number}"]))
    # Three of products, one of tags, change sets; and the names of categories, tags and products.
    with django_assert_num_queries(8):
        timeline = object_timeline([PRODUCT, TAGS], product.pk, size=200)
    entries_read = [entry for step in timeline.steps for entry in step.entries]
    assert len(entries_read) == rows + 2  # all tags in one
    assert [len(entry.links.added) for entry in entries_read if entry.links] == [rows]


def test_every_entry_of_a_page_of_products_takes_the_same_queries(
    product: Product, django_assert_num_queries: Any
) -> None:
    Product.objects.bulk_create([a_product(f"N-{n}") for n in range(40)])
    Product.objects.update(price=2)
    rows = list(Product.history.order_by("history_id"))
    with django_assert_num_queries(2):
        assert len(read(with_predecessors(Product, rows))) == 82
