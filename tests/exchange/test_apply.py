"""What applying writes, and what it puts on the record."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from backoffice.accounts.models import User
from backoffice.audit.models import ChangeSet
from backoffice.exchange.exceptions import FileRefused, ReasonMissing, WrongState
from backoffice.exchange.models import ImportJob
from backoffice.exchange.services import discard_import, plan_again
from inventory.models import Category, Discount, Product, ProductTag, Tag
from tests.inventory.factories import make_product

from .files import apply, bring, counts, imported, staging_tables, statuses

pytestmark = pytest.mark.django_db

THREE = "sku,name,price\nA,Cup,1\nB,Mug,2\nC,Jug,3\n"


def rows_of_history(*models: Any) -> list[int]:
    return [model.history.count() for model in models]


def test_new_changed_and_unchanged_rows_are_told_apart_and_counted() -> None:
    imported(THREE)
    job = bring("sku,name,price\nA,Cup,1.00\nB,Big mug,2\nD,Pot,4\n")
    assert (job.rows, counts(job), job.summary["fields"]) == (3, (1, 1, 1, 0), {"name": 1})
    assert statuses(job) == ["unchanged", "changed", "new"]
    apply(job)
    assert list(Product.objects.order_by("sku").values_list("sku", "name", "price")) == [
        ("A", "Cup", Decimal(1)),
        ("B", "Big mug", Decimal(2)),
        ("C", "Jug", Decimal(3)),
        ("D", "Pot", Decimal(4)),
    ]


def test_every_kind_of_field_is_stored_as_the_file_has_it(catalogue_manager: User) -> None:
    summer = Discount.objects.create(name="Summer", value=10)
    imported(
        "sku,name,slug,description,brand,barcode,price,compare_at_price,cost,tax_class,weight,"
        "weight_unit,is_active,is_featured,discount,category,tags,variant_of,options\n"
        'A,"Cup, ""L""",cup_L,"two\nlines",Äcme,0012,22.788,23,6.6250,Reduced,4.8,ounces,no,YES,'
        'summer,Home > Cups,"red, Blue",B,"{""Size"": ""L""}"\n'
        "B,Parent,,,,,0,,,,,,,,,,,,\n",
        user=catalogue_manager,
    )
    product = Product.objects.get(sku="A")
    assert (product.name, product.slug, product.description) == (
        'Cup, "L"', "cup_L", "two\nlines",
    )  # fmt: skip
    assert (product.brand, product.barcode) == ("Äcme", "0012")
    assert (product.price, product.compare_at_price, product.cost) == (
        Decimal("22.788"), Decimal(23), Decimal("6.625"),
    )  # fmt: skip
    assert (product.tax_class, product.weight, product.weight_unit) == (
        "reduced", Decimal("4.8"), "oz",
    )  # fmt: skip
    assert (product.is_active, product.is_featured, product.discount) == (False, True, summer)
    assert str(product.category) == "Home > Cups"
    assert {tag.name for tag in product.tags.all()} == {"red", "Blue"}
    assert (product.variant_of, product.options) == (
        Product.objects.get(sku="B"), {"Size": "L"},
    )  # fmt: skip
    assert (product.created_by, product.version) == (catalogue_manager, 1)


def test_columns_that_the_file_has_not_get_their_defaults() -> None:
    imported("sku,name,price\nA,Grüne Tasse,1\n")
    product = Product.objects.get()
    assert (product.slug, product.tax_class, product.weight_unit) == (
        "grune-tasse", "standard", "kg",
    )  # fmt: skip
    assert (product.is_active, product.is_featured, product.options) == (True, False, {})
    assert (product.description, product.cost, product.category, product.created_by) == (
        "", None, None, None,
    )  # fmt: skip


def test_blank_cells_of_new_rows_get_their_defaults_too() -> None:
    imported("sku,name,price,tax_class,is_active,options,brand,cost\nA,a,1,,,,,\n")
    product = Product.objects.get()
    assert (product.tax_class, product.is_active, product.options) == ("standard", True, {})
    assert (product.brand, product.cost) == ("", None)


def test_blank_cells_keep_what_is_there() -> None:
    product = make_product(
        sku="A", name="Cup", price=5, brand="Acme", cost=1, is_active=False, options={"a": 1}
    )
    ProductTag.objects.create(product=product, tag=Tag.objects.create(name="red"))
    job = bring("sku,name,price,brand,cost,is_active,options,tags\na,,,,,,,\n")
    assert counts(job) == (0, 0, 1, 0)
    job = imported("sku,name,price,brand,cost,is_active,options,tags\na,,6,,,,,\n")
    assert job.summary["fields"] == {"price": 1}
    product.refresh_from_db()
    assert (product.sku, product.name, product.price, product.brand) == (
        "A",
        "Cup",
        Decimal(6),
        "Acme",
    )
    assert (product.cost, product.is_active, product.options) == (Decimal(1), False, {"a": 1})
    assert [tag.name for tag in product.tags.all()] == ["red"]


def test_tags_are_replaced_by_those_of_the_file() -> None:
    product = Product.objects.create_with_tags(
        sku="A", name="Cup", price=1, tags=["Red", "Blue", "Old"]
    )
    assert counts(bring('sku,tags\nA,"old, BLUE,red"\n')) == (0, 0, 1, 0)
    before = rows_of_history(ProductTag, Tag)
    job = imported('sku,tags\nA,"blue, New"\n')
    assert (counts(job), job.summary["creates"]["tags"]["first"]) == ((0, 1, 0, 0), ["New"])
    assert {tag.name for tag in product.tags.all()} == {"Blue", "New"}
    # Two links gone, one made; one tag made.
    assert rows_of_history(ProductTag, Tag) == [before[0] + 3, before[1] + 1]


def test_categories_are_made_with_all_that_is_above_them_once() -> None:
    Category.objects.get_or_create_path("Audio")
    job = imported(
        "sku,name,price,category\nA,a,1,Audio > MP3 > Small\nB,b,1,AUDIO > mp3\n"
        "C,c,1,Home>Kitchen\nD,d,1,home > KITCHEN\n"
    )
    paths = sorted(path.lower() for path in Category.objects.values_list("path", flat=True))
    assert paths == ["audio", "audio > mp3", "audio > mp3 > small", "home", "home > kitchen"]
    assert job.summary["creates"]["category"]["count"] == 4  # Audio was there
    assert Product.objects.filter(category=None).count() == 0


def test_slugs_that_the_file_names_go_before_those_made_from_names() -> None:
    imported("sku,name,price,slug\nA,Red shirt,1,\nB,Other,2,red-shirt\nC,Red shirt,1,\n")
    assert dict(Product.objects.values_list("sku", "slug")) == {
        "A": "red-shirt-a", "B": "red-shirt", "C": "red-shirt-c",
    }  # fmt: skip


def test_an_import_is_one_change_set_that_says_who_why_and_from_which_file(
    catalogue_manager: User,
) -> None:
    make_product(sku="A", name="Cup", price=9)
    job = bring(
        'sku,name,price,category,tags\nA,Cup,1,X > Y,red\nB,Mug,2,X > Y,"red,blue"\nC,Jug,3,,\n',
        user=catalogue_manager,
        name="march.csv",
    )
    models = (Product, Category, Tag, ProductTag)
    before, sets = rows_of_history(*models), ChangeSet.objects.count()
    job = apply(job, reason="  Prices of March ")
    assert ChangeSet.objects.count() == sets + 1
    change_set = job.change_set
    assert change_set is not None
    assert (change_set.source, change_set.reason, change_set.action) == (
        "import", "Prices of March", "Products: import of march.csv",
    )  # fmt: skip
    assert change_set.actor_id == catalogue_manager.pk
    assert change_set.actor_name == "Carla Catalogue <carla@stockbook.test>"
    assert change_set.reference == f"exchange.importjob/{job.pk}"
    assert (job.state, job.reason, job.applied_at is not None) == (
        ImportJob.State.APPLIED, "Prices of March", True,
    )  # fmt: skip
    # Exactly as many rows as changes: 3 products, 2 categories, 2 tags, 3 links.
    after = rows_of_history(*models)
    assert [a - b for a, b in zip(after, before, strict=True)] == [3, 2, 2, 3]
    for model in models:
        written = model.history.filter(change_set=change_set)
        assert written.count() == {Product: 3, Category: 2, Tag: 2, ProductTag: 3}[model]
        assert {row.history_change_reason for row in written} <= {"Prices of March"}
    assert list(Product.history.filter(change_set=change_set).order_by("history_id").values_list(
        "sku", "history_type"
    )) == [("A", "~"), ("B", "+"), ("C", "+")]  # fmt: skip


def test_an_upload_and_its_end_are_on_the_record_of_the_job(catalogue_manager: User) -> None:
    job = imported(THREE, user=catalogue_manager)
    history = ImportJob.history.filter(id=job.pk).order_by("history_id")
    states = list(history.values_list("history_type", "state", "history_user"))
    assert states[0][:2] == ("+", "uploaded")
    assert states[-1] == ("~", "applied", catalogue_manager.pk)


def test_importing_the_same_file_again_changes_nothing() -> None:
    imported(THREE)
    products, history = list(Product.objects.values()), Product.history.count()
    job = imported(THREE)
    assert counts(job) == (0, 0, 3, 0)
    assert (list(Product.objects.values()), Product.history.count()) == (products, history)


@pytest.mark.parametrize("reason", ["", "  ", "\n\t"])
def test_a_reason_is_needed(reason: str) -> None:
    job = bring(THREE)
    with pytest.raises(ReasonMissing) as refused:
        apply(job, reason=reason)
    assert str(refused.value) == (
        "An import needs a reason. Say why, such as “Supplier's prices of March”."
    )
    job.refresh_from_db()
    assert (job.state, Product.objects.count()) == (ImportJob.State.CHECKED, 0)


def test_an_import_is_applied_once() -> None:
    job = imported(THREE)
    with pytest.raises(WrongState) as refused:
        apply(job)
    assert str(refused.value) == (
        "This import is over (imported). Upload the file again to repeat it."
    )
    assert (Product.objects.count(), Product.history.count()) == (3, 3)


def test_what_was_given_up_is_not_applied_nor_checked(at_work: None) -> None:
    job = discard_import(job=bring(THREE))
    assert job.state == ImportJob.State.DISCARDED
    for service in (apply, lambda job: plan_again(job=job), lambda job: discard_import(job=job)):
        with pytest.raises(WrongState, match=r"over \(discarded\)"):
            service(job)
    assert Product.objects.count() == 0


def test_staging_tables_go_when_the_import_ends(at_work: None) -> None:
    other = bring(THREE)
    theirs = staging_tables()
    assert theirs
    assert all(name.endswith(f"_{other.pk}") for name in theirs)
    apply(bring(THREE + "D,d,x\n"), valid_rows_only=True)
    discard_import(job=bring(THREE))
    assert staging_tables() == theirs
    discard_import(job=other)
    assert staging_tables() == []


def test_a_file_of_a_header_alone_is_refused() -> None:
    with pytest.raises(FileRefused, match="has a header and no rows below it"):
        imported("sku,name,price\n")
    assert (Product.objects.count(), ImportJob.objects.count()) == (0, 0)


def test_rows_that_a_crash_of_the_database_took_are_read_again_from_the_file(
    at_work: None,
) -> None:
    job = bring(THREE)
    with connection.cursor() as cursor:
        for name in staging_tables():
            cursor.execute(f'TRUNCATE exchange."{name}"')
    job = plan_again(job=job)
    assert counts(job) == (3, 0, 0, 0)
    apply(job)
    assert Product.objects.count() == 3
