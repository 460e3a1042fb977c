"""What an undo leaves alone, and the reason that it gives."""

from decimal import Decimal
from typing import Any

import pgtrigger
import pytest
from django.db import connection, models, transaction

from backoffice.accounts.models import Profile, User
from backoffice.audit.exceptions import NothingToUndo, UndoRefusedByDatabase
from backoffice.audit.undo.services import Act, Keep
from backoffice.audit.undo.tables import UndoTable
from inventory.models import Category, Discount, Product, ProductImage, ProductTag, Tag
from tests.audit.conftest import Record, a_product
from tests.personas import Persona, make_user

from .undoing import done, kept_because, planned, undo, work

pytestmark = pytest.mark.django_db


def skus() -> set[str]:
    return set(Product.objects.values_list("sku", flat=True))


def test_what_somebody_changed_since_is_kept(product: Product, catalogue_manager: User) -> None:
    a_product("S-2").save()
    with work("raise"):
        Product.objects.update(price=20)
    with work("since", catalogue_manager):
        Product.objects.filter(sku="S-2").update(brand="Acme")
    result = undo(done("raise"))
    assert dict(Product.objects.values_list("sku", "price")) == {
        "S-1": Decimal(10), "S-2": Decimal(20),
    }  # fmt: skip
    ((name, (code, words)),) = kept_because(result.plan).items()
    assert (name, code) == ("Product S-2 (S-2)", "changed")
    assert words.startswith("Changed since by Carla Catalogue <carla@stockbook.test>, ")
    (row,) = result.plan.rows(Product, kept=True)
    assert row.newer == done("since")


def test_what_the_same_transaction_changed_for_another_reason_is_kept(product: Product) -> None:
    with transaction.atomic():
        with work("first"):
            Product.objects.update(brand="Acme")
        with work("second"):
            Product.objects.update(name="Other")
    assert planned("first").kept(Keep.CHANGED) == 1
    assert planned("second").undone == 1


def test_what_was_deleted_since_is_gone_already(db: None) -> None:
    with work("make"):
        for sku in ("A", "B"):
            a_product(sku).save()
    with work("delete"):
        Product.objects.filter(sku="A").delete()
    result = undo(done("make"))
    assert (result.plan.undone, result.plan.kept(Keep.GONE)) == (1, 1)
    assert kept_because(result.plan)["Product A (A)"][1].startswith("Deleted since by ")


def test_what_is_used_since_is_kept_with_what_uses_it(db: None) -> None:
    with work("make"):
        made = Category.objects.get_or_create_path("Audio > MP3")
        Category.objects.get_or_create_path("Home")
        discount = Discount.objects.create(name="Spring", value=10)
        tag = Tag.objects.create(name="new")
    product = a_product(category=made, discount=discount)
    product.save()
    a_product("S-2", discount=discount).save()
    product.tags.add(tag)
    result = undo(done("make"))
    assert result.plan.undone == 1
    assert set(Category.objects.values_list("path", flat=True)) == {"Audio", "Audio > MP3"}
    assert kept_because(result.plan, Category) == {
        "Audio": ("in_use", "In use by category “Audio > MP3”"),
        "Audio > MP3": ("in_use", "In use by product “Product S-1 (S-1)”"),
    }
    assert kept_because(result.plan, Discount) == {
        "Spring": ("in_use", "In use by product “Product S-1 (S-1)” and 1 more")
    }
    assert list(kept_because(result.plan, Tag)) == ["new"]


def test_a_product_that_stays_keeps_its_tags_and_its_category(db: None) -> None:
    with work("import"):
        category = Category.objects.get_or_create_path("Audio")
        new, sale = Tag.objects.named(["new", "sale"])
        for sku, tags in (("A", [new]), ("B", [new, sale])):
            made = a_product(sku, category=category)
            made.save()
            made.tags.set(tags)
    with work("edit"):
        Product.objects.filter(sku="A").update(brand="Acme")
    result = undo(done("import"))
    assert skus() == {"A"}
    assert [link.tag.name for link in ProductTag.objects.all()] == ["new"]
    assert [str(tag) for tag in Tag.objects.all()] == ["new"]
    assert (result.plan.kept(Keep.CHANGED), result.plan.kept(Keep.PART)) == (1, 1)
    assert result.plan.kept(Keep.IN_USE) == 2
    assert kept_because(result.plan, ProductTag) == {
        "Product A (A) · new": ("part", "Part of product “Product A (A)”, which stays")
    }


def test_a_part_that_somebody_edited_keeps_the_whole(db: None) -> None:
    with work("make"):
        product = a_product()
        product.save()
        image = ProductImage.objects.create(product=product, url="/a.jpg")
    with work("edit"):
        ProductImage.objects.update(alt_text="front")
    with pytest.raises(NothingToUndo):
        undo(done("make"))
    assert kept_because(planned("make"))["Product S-1 (S-1)"] == (
        "in_use", "In use by image “front”",
    )  # fmt: skip
    assert ProductImage.objects.get() == image


def test_an_object_that_was_tagged_since_is_in_use(product: Product) -> None:
    with work("make"):
        a_product("S-2").save()
    Product.objects.get(sku="S-2").tags.set(Tag.objects.named(["new"]))
    with pytest.raises(NothingToUndo):
        undo(done("make"))
    assert skus() == {"S-1", "S-2"}


def test_what_moves_away_in_the_undo_does_not_hold_anything_up(product: Product) -> None:
    with work("sort"):
        Product.objects.update(category=Category.objects.get_or_create_path("Audio"))
    result = undo(done("sort"))
    assert (result.plan.acts(Act.PUT_BACK), result.plan.acts(Act.REMOVE)) == (1, 1)
    assert not Category.objects.exists()


def test_what_points_at_something_gone_is_kept(db: None) -> None:
    category = Category.objects.get_or_create_path("Audio")
    a_product(category=category).save()
    with work("delete"):
        Product.objects.all().delete()
    category.delete()
    with pytest.raises(NothingToUndo):
        undo(done("delete"))
    assert kept_because(planned("delete")) == {
        "Product S-1 (S-1)": ("missing", "It points at category “Audio”, which is gone")
    }


def test_links_of_what_cannot_return_cannot_either(product: Product) -> None:
    product.tags.set(Tag.objects.named(["new"]))
    with work("delete"):
        Product.objects.all().delete()
    a_product(name="Another").save()
    with pytest.raises(NothingToUndo) as refused:
        undo(done("delete"))
    plan = refused.value.plan
    assert (plan.kept(Keep.TAKEN), plan.kept(Keep.MISSING)) == (1, 1)


def test_a_unique_value_that_another_has_now_is_named(product: Product) -> None:
    other = a_product("S-2")
    other.save()
    with work("delete"):
        Product.objects.all().delete()
    a_product("s-1", name="Another").save()
    result = undo(done("delete"))
    assert skus() == {"s-1", "S-2"}
    assert kept_because(result.plan) == {
        "Product S-1 (S-1)": (
            "taken",
            "product “Another (s-1)” has its place now. Another product has this SKU already.",
        )
    }


def test_a_changed_unique_value_that_another_took_over_is_kept(product: Product) -> None:
    with work("rename"):
        Product.objects.update(sku="S-9", brand="Acme")
    a_product("S-1", name="Another").save()
    with pytest.raises(NothingToUndo) as refused:
        undo(done("rename"))
    assert refused.value.plan.kept(Keep.TAKEN) == 1
    assert Product.objects.get(pk=product.pk).sku == "S-9"


def test_a_state_that_a_check_forbids_now_is_kept(product: Product) -> None:
    a_product("S-2", barcode="1").save()
    with work("clear"):
        Product.objects.update(barcode="2")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(
            "ALTER TABLE inventory_product ADD CONSTRAINT new_rule CHECK (barcode <> '') NOT VALID"
        )
    result = undo(done("clear"))
    assert dict(Product.objects.values_list("sku", "barcode")) == {"S-1": "2", "S-2": "1"}
    assert kept_because(result.plan) == {
        "Product S-1 (S-1)": ("forbidden", "Not allowed any more: new_rule")
    }


@pytest.fixture
def stubborn(db: None) -> None:
    """A trigger that refuses what nobody can foresee: products of the brand Stubborn."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            CREATE FUNCTION refuse_stubborn() RETURNS trigger AS $$ BEGIN
                IF OLD.brand = 'Stubborn' THEN RAISE EXCEPTION 'too stubborn'; END IF;
                IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
                RETURN NEW;
            END $$ LANGUAGE plpgsql;
            CREATE TRIGGER stubborn BEFORE UPDATE OR DELETE ON inventory_product
            FOR EACH ROW EXECUTE FUNCTION refuse_stubborn();
            """
        )


def test_what_nobody_could_foresee_is_found_row_by_row_and_kept(stubborn: None) -> None:
    with work("make"):
        category = Category.objects.get_or_create_path("Audio")
        other = Category.objects.get_or_create_path("Home")
        for number in range(50):
            held = number in (7, 33)
            a_product(
                f"S-{number}",
                brand="Stubborn" if held else "",
                category=category if held else other,
            ).save()
        for product in Product.objects.filter(brand="Stubborn"):
            product.tags.set(Tag.objects.named(["new"]))
    record = Record.from_now()
    result = undo(done("make"))
    assert skus() == {"S-7", "S-33"}
    # All that hangs on them is whole: the category that they are in, their tags.
    assert [str(category) for category in Category.objects.all()] == ["Audio"]
    assert ProductTag.objects.count() == 2
    assert kept_because(result.plan)["Product S-7 (S-7)"] == (
        "forbidden", "Not allowed any more: too stubborn",
    )  # fmt: skip
    # 48 products, 1 category; and nothing that came and went on the way.
    assert [kind for kind, *_ in record.told(Product)] == ["-"] * 48
    assert record.told(ProductTag) == []
    assert record.change_sets() == [result.change_set]


def test_where_too_much_is_refused_nothing_is_written(stubborn: None) -> None:
    with work("make"):
        for number in range(120):
            a_product(f"S-{number}", brand="Stubborn" if number < 110 else "").save()
    record = Record.from_now()
    with pytest.raises(UndoRefusedByDatabase) as refused:
        undo(done("make"))
    assert refused.value.rule == "too stubborn"
    assert Product.objects.count() == 120
    assert record.is_empty()


def test_what_is_older_than_the_record_is_kept(product: Product) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "INSERT INTO inventory_tag (name, slug) VALUES ('old', 'old'), ('older', 'older')"
        )
        cursor.execute("SET LOCAL session_replication_role = origin")
    with work("change"):
        Tag.objects.filter(name="old").update(name="new")
        Tag.objects.filter(name="older").delete()
    result = undo(done("change"))
    # What was deleted is on the record as it was then; what was changed only as it is since.
    assert set(Tag.objects.values_list("name", flat=True)) == {"new", "older"}
    assert kept_because(result.plan, Tag) == {
        "new": ("unknown", "What it was before is older than the record")
    }


def test_people_do_not_return_without_a_password(db: None) -> None:
    make_user(Persona.WAREHOUSE)
    with work("delete"):
        User.objects.all().delete()
    with pytest.raises(NothingToUndo) as refused:
        undo(done("delete"))
    assert refused.value.plan.total_kept == 3
    plan = planned("delete")
    assert [code for code, _ in kept_because(plan, User).values()] == ["incomplete"]
    assert [code for code, _ in kept_because(plan, Profile).values()] == ["missing"]


def test_rows_that_never_go_are_known_beforehand(monkeypatch: pytest.MonkeyPatch) -> None:
    registered: Any = [*pgtrigger.registered()]

    class Trigger:
        name = "append_only"

    monkeypatch.setattr(pgtrigger, "registered", lambda: [*registered, (Product, Trigger())])
    with work("make"):
        a_product().save()
    assert planned("make").kept(Keep.PERMANENT) == 1


def test_every_constraint_of_every_model_can_be_foreseen(db: None) -> None:
    """None of ours is over a column that the history has not, other than of secrets."""
    for model in (Product, Category, Tag, Discount, ProductTag, ProductImage):
        table = UndoTable(model, "stage")
        unique = [c for c in model._meta.constraints if isinstance(c, models.UniqueConstraint)]
        checks = [c for c in model._meta.constraints if isinstance(c, models.CheckConstraint)]
        assert {c.name for c in unique} <= {rule.name for rule in table.unique_rules}
        assert {c.name for c in checks} <= {rule.name for rule in table.check_rules}
