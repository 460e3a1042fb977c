"""The sample shop: complete, made once, and never at the expense of somebody's work."""

import csv
import io
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.core.management import CommandError, call_command

from backoffice.accounts.models import User
from backoffice.accounts.roles import RoleName
from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import ChangeSet, SealEvent
from backoffice.audit.seals.state import verdict
from backoffice.audit.trail import trailed_models
from config import sample_shop
from inventory.models import Category, Discount, Product, ProductImage, Tag

pytestmark = pytest.mark.django_db


def demo() -> str:
    said = io.StringIO()
    # As manage.py does for every command.
    with audit_context(source=Source.COMMAND, action="manage.py demo"):
        call_command("demo", "--no-serve", stdout=said)
    return said.getvalue()


def rows_on_record() -> dict[str, int]:
    history = {model._meta.label: model.history.count() for model in trailed_models}  # type: ignore[attr-defined]
    return {**history, "change sets": ChangeSet.objects.count()}


def sample_rows(name: str) -> list[dict[str, str]]:
    with (sample_shop.FIXTURES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_demo_brings_the_whole_sample_in() -> None:
    said = demo()
    rows = sample_rows("products.csv")
    assert f"it has {len(rows)} products" in said
    assert Product.objects.count() == len(rows)
    assert Product.objects.variants_only().count() == sum(bool(r["variant_of"]) for r in rows)
    assert Product.objects.featured().count() == sum(r["is_featured"] == "yes" for r in rows)
    assert ProductImage.objects.count() == len(sample_rows("images.csv"))

    small = Product.objects.get(sku="BRD-010-S")
    assert small.name == "Chopping Board Oak, S (30 × 20 cm)"
    assert small.variant_of is not None
    assert (small.variant_of.sku, small.options) == ("BRD-010", {"Size": "S (30 × 20 cm)"})
    assert (small.price, small.weight, small.weight_unit) == (
        Decimal("39.90"),
        Decimal("1.3"),
        "kg",
    )
    assert small.category is not None
    assert small.category.path == "Kitchen > Boards"
    assert sorted(tag.name for tag in small.tags.all()) == ["bestseller", "handmade"]


def test_the_record_of_the_sample_is_sealed_and_verified() -> None:
    demo()
    assert not ChangeSet.objects.filter(sealed=None).exists()
    assert verdict().text.endswith("all is as it was sealed.")
    events = SealEvent.objects.count()
    demo()
    assert SealEvent.objects.count() == events  # nothing new, so nothing to verify


def test_every_category_tag_and_discount_of_the_sample_is_used_and_declared() -> None:
    demo()
    rows = sample_rows("products.csv")
    assert {r["category"] for r in rows} == set(
        Category.objects.filter(children=None).values_list("path", flat=True)
    )
    named = {tag for r in rows for tag in r["tags"].split(",") if tag}
    assert named == set(Tag.objects.values_list("name", flat=True))
    assert {r["discount"] for r in rows} - {""} == set(
        Discount.objects.values_list("name", flat=True)
    )


def test_there_is_one_person_for_each_role() -> None:
    demo()
    assert Counter(
        User.objects.filter(is_staff=True, is_superuser=False).values_list(
            "groups__name", flat=True
        )
    ) == Counter(role.value for role in RoleName)
    assert all(user.check_password(sample_shop.PASSWORD) for user in User.objects.all())


def test_a_second_demo_changes_nothing() -> None:
    demo()
    before = rows_on_record()
    assert "nothing was changed" in demo()
    assert rows_on_record() == before


def test_what_people_changed_or_deleted_stays_as_they_left_it() -> None:
    demo()
    Product.objects.filter(sku="KNI-010").update(price=Decimal("95.00"))
    ProductImage.objects.all().delete()
    User.objects.get(email="auditor@stockbook.example").groups.clear()
    before = rows_on_record()
    demo()
    assert rows_on_record() == before
    assert Product.objects.get(sku="KNI-010").price == Decimal("95.00")


def test_a_first_demo_that_was_interrupted_is_completed(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(**_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sample_shop, "import_file", interrupt)
    with pytest.raises(SystemExit) as stopped:
        demo()
    assert stopped.value.code == 0
    assert (Category.objects.exists(), Product.objects.exists()) == (True, False)

    monkeypatch.undo()
    demo()
    assert Product.objects.count() == len(sample_rows("products.csv"))
    assert ProductImage.objects.exists()


def test_all_that_the_demo_wrote_says_so_on_the_record() -> None:
    before = set(ChangeSet.objects.values_list("pk", flat=True))
    demo()
    written = ChangeSet.objects.exclude(pk__in=before).order_by("pk")
    ours = written.filter(action__startswith="Sample shop: ")
    helen = "Helen Ashworth <administrator@stockbook.example>"
    assert [(s.action.removeprefix("Sample shop: "), s.actor_name) for s in ours] == [
        ("people", ""),
        ("categories, tags and discounts", helen),
        ("pictures", helen),
    ]
    # The rest is the importer's: the upload and what it wrote.
    imported = written.get(source=Source.IMPORT)
    assert imported.reason == "The first catalogue of the sample shop"
    assert {s.actor_name for s in written.difference(ours)} == {helen}


def test_the_demo_is_refused_where_settings_do_not_allow_it(settings: Any) -> None:
    settings.DEMO_ALLOWED = False
    with pytest.raises(CommandError, match="password is published"):
        demo()
    assert not User.objects.exists()


def test_the_demo_is_refused_on_a_database_of_other_people(
    monkeypatch: pytest.MonkeyPatch, outsider: User
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://stockbook@db.internal/stockbook")
    with pytest.raises(CommandError, match="People work with the database"):
        demo()
    assert list(User.objects.all()) == [outsider]
    assert not Product.objects.exists()


def test_sample_barcodes_have_their_check_digit_and_are_for_internal_use() -> None:
    for row in sample_rows("products.csv"):
        if code := row["barcode"]:
            weighted = sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(code))
            assert len(code) == 13, row
            assert code.startswith("20"), row
            assert weighted % 10 == 0, row


def test_every_picture_of_the_sample_exists() -> None:
    for url in {row["url"] for row in sample_rows("images.csv")}:
        assert finders.find(url.removeprefix("/static/")), url
