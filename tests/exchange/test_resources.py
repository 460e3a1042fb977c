"""Categories, tags and discounts as files: the same way in and out as products."""

import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from backoffice.exchange.exceptions import PlanStale
from backoffice.exchange.exporting import export_rows
from backoffice.exchange.models import ImportJob
from backoffice.exchange.preview import preview_rows
from backoffice.exchange.resources import get_resource, resource_names
from backoffice.exchange.services import start_import
from inventory.models import Category, Discount, Tag
from tests.inventory.factories import make_category, make_product

from .files import apply, counts

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_work")]


def brought(resource: str, content: str | bytes) -> ImportJob:
    data = content.encode() if isinstance(content, str) else content
    return start_import(
        resource=resource, file=io.BytesIO(data), file_name=f"{resource}.csv", user=None
    )


def said(job: ImportJob) -> list[tuple[int, str]]:
    rows = preview_rows(job, get_resource(job.resource))
    return [(row.line, problem.message) for row in rows for problem in row.problems]


def paths() -> list[str]:
    return [*Category.objects.order_by("path").values_list("path", flat=True)]


def test_a_path_makes_the_tree_on_the_way_to_it() -> None:
    make_category("Audio")
    job = brought(
        "categories",
        "path,description,slug\nAudio > MP3  players,Small ones,mp3\n"
        "Home>Kitchen>Mugs,,\nhome,All,\n",
    )
    assert counts(job) == (3, 0, 0, 0)
    assert job.summary["creates"]["path"]["first"] == ["Home > Kitchen"]
    apply(job)
    assert paths() == [
        "Audio", "Audio > MP3 players", "home", "home > Kitchen", "home > Kitchen > Mugs",
    ]  # fmt: skip
    players = Category.objects.get(path="Audio > MP3 players")
    assert (players.name, players.slug, players.description, str(players.parent)) == (
        "MP3 players", "mp3", "Small ones", "Audio",
    )  # fmt: skip
    assert Category.objects.get(path="home").description == "All"


def test_a_category_is_changed_by_its_path_whatever_its_case() -> None:
    make_category("Audio")
    job = brought("categories", "path,description\nAUDIO,Sound\n")
    assert counts(job) == (0, 1, 0, 0)
    apply(job)
    assert [*Category.objects.values_list("path", "description")] == [("Audio", "Sound")]


def test_a_path_that_cannot_be_is_said_and_makes_nothing() -> None:
    job = brought("categories", "path\nA > > B\nA > a\n=1+1\nX > Y\nx > y\n")
    assert [line for line, _message in said(job)] == [2, 3, 5, 6]
    assert counts(job) == (1, 0, 0, 4)
    apply(job, valid_rows_only=True)
    assert paths() == ["=1+1"]
    assert counts(brought("categories", exported("categories"))) == (0, 0, 1, 0)


def test_a_category_that_somebody_adds_meanwhile_makes_the_plan_stale() -> None:
    job = brought("categories", "path\nAudio > MP3\n")
    make_category("Audio")
    with pytest.raises(PlanStale):
        apply(job)
    assert paths() == ["Audio"]


def test_levels_in_columns_of_their_own_are_one_path() -> None:
    apply(brought("categories", "Category,Subcategory\nAudio,MP3\nAudio,Radio\n"))
    assert paths() == ["Audio", "Audio > MP3", "Audio > Radio"]


def test_tags_come_by_name() -> None:
    Tag.objects.create(name="Summer")
    job = brought("tags", 'Tag,slug\nsummer,hot\nWinter,\n"a, b",\n')
    assert counts(job) == (1, 1, 0, 1)
    assert said(job) == [(4, "A tag has no comma: files separate tags by it.")]
    apply(job, valid_rows_only=True)
    assert sorted(Tag.objects.values_list("name", "slug")) == [
        ("Summer", "hot"),
        ("Winter", "winter"),
    ]


def test_discounts_come_with_their_times() -> None:
    job = brought(
        "discounts",
        "name,kind,value,starts_at,ends_at,is_active\n"
        "Spring,percent,15,2026-03-01 00:00,2026-04-01 00:00,yes\n"
        "Clearance,amount,5.50,,,no\nToo much,percent,120,,,yes\n",
    )
    assert counts(job) == (2, 0, 0, 1)
    assert said(job) == [(4, "A discount is above 0, and at most 100 percent.")]
    apply(job, valid_rows_only=True)
    spring = Discount.objects.get(name="Spring")
    assert (spring.kind, spring.value, spring.is_active) == ("percent", Decimal(15), True)
    assert spring.starts_at == datetime(2026, 3, 1, tzinfo=UTC)
    assert Discount.objects.get(name="Clearance").value == Decimal("5.50")


def exported(resource: str) -> bytes:
    declared = get_resource(resource)
    return b"".join(export_rows(declared, declared.model()._default_manager.all(), user=None))


def some_of_everything() -> None:
    category = make_category("Audio > MP3 players")
    Category.objects.filter(pk=category.pk).update(description="=1+1")
    product = make_product(category=category)
    product.tags.set(Tag.objects.named(["Summer", "-5"]))
    product.images.create(url="https://a.example/1.jpg", alt_text="@me | you", position=4)
    Discount.objects.create(
        name="Spring", value=15, starts_at=datetime(2026, 3, 1, 12, 30, 5, 123456, tzinfo=UTC)
    )
    Discount.objects.create(name="Old", kind="amount", value="2.50", is_active=False)


@pytest.mark.parametrize("name", resource_names())
def test_what_is_exported_comes_back_as_no_change(name: str) -> None:
    some_of_everything()
    job = brought(name, exported(name))
    rows = get_resource(name).model()._default_manager.count()
    assert rows > 0
    assert (counts(job), said(job)) == ((0, 0, rows, 0), [])
