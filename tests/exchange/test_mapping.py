"""Which column of a file goes where: by itself, and by hand."""

from typing import Any

import pytest

from backoffice.exchange.exceptions import MappingRefused, WrongState
from backoffice.exchange.mapping import check_mapping, propose_mapping
from backoffice.exchange.models import ImportJob
from backoffice.exchange.resources import get_resource
from backoffice.exchange.services import discard_import, map_columns
from inventory.models import Product

from .files import apply, bring, counts, imported

CONTOSO = [
    "ProductKey", "Product Code", "Product Name", "Manufacturer", "Brand", "Color",
    "Weight Unit Measure", "Weight", "Unit Cost", "Unit Price", "Subcategory Code", "Subcategory",
    "Category Code", "Category",
]  # fmt: skip


def proposed(*header: str) -> dict[str, str]:
    """{target: header} of what is proposed."""
    found = propose_mapping(get_resource("products"), header)
    return {target: header[index] for target, index in found.items()}


def refused(mapping: dict[str, int], *header: str) -> list[str]:
    with pytest.raises(MappingRefused) as refusal:
        check_mapping(get_resource("products"), mapping, header)
    return refusal.value.problems


def test_a_suppliers_catalogue_is_mapped_and_what_has_no_home_is_left_out() -> None:
    assert propose_mapping(get_resource("products"), CONTOSO) == {
        "sku": 1,
        "name": 2,
        "brand": 4,
        "weight_unit": 6,
        "weight": 7,
        "cost": 8,
        "price": 9,
        "subcategory": 11,
        "category": 13,
    }


def test_every_field_is_recognised_by_its_name_and_by_its_label() -> None:
    resource = get_resource("products")
    names = list(resource.fields)
    assert propose_mapping(resource, names) == {name: i for i, name in enumerate(names)}
    labels = ["SKU", "Compare-at price", "Tax class", "Variant of", "Active", "Featured", "Barcode"]
    assert proposed(*labels) == {
        "sku": "SKU",
        "compare_at_price": "Compare-at price",
        "tax_class": "Tax class",
        "variant_of": "Variant of",
        "is_active": "Active",
        "is_featured": "Featured",
        "barcode": "Barcode",
    }


@pytest.mark.parametrize(
    "header", ["SKU", "sku", " Sku ", "S.K.U.", "\ufeffsku", "s k u", "Variant SKU", "ITEM-CODE"]
)
def test_case_spaces_punctuation_and_marks_do_not_matter(header: str) -> None:
    assert proposed("x", header) == {"sku": header}


def test_a_quoted_header_with_commas_in_it_is_one_name() -> None:
    assert proposed("GTIN, UPC, EAN, or ISBN") == {"barcode": "GTIN, UPC, EAN, or ISBN"}


def test_a_fields_own_name_beats_another_ones_alias_wherever_it_stands() -> None:
    assert proposed("Code", "Title", "SKU", "Name") == {"sku": "SKU", "name": "Name"}


def test_no_column_is_used_twice() -> None:
    header = ["Product Code", "Article", "Title", "Product Name", "EAN", "UPC"]
    found = propose_mapping(get_resource("products"), header)
    assert len(set(found.values())) == len(found) == 3


def test_headers_that_mean_nothing_are_mapped_to_nothing() -> None:
    assert proposed("%", "", "'; DROP TABLE inventory_product; --", "§", "{}") == {}


def test_a_missing_key_is_refused_with_the_remedy() -> None:
    [problem] = refused({"name": 0}, "Title", "Amount")
    assert problem == (
        "No column is mapped to “SKU”, by which rows are recognised. Choose the column that holds "
        "it. The file has: Title, Amount."
    )


def test_everything_wrong_with_a_mapping_is_said_at_once() -> None:
    problems = refused({"name": 0, "price": 0, "password": 1}, "a", "b")
    assert problems[:2] == [
        "There is no field “password”.",
        "The column “a” is mapped to more than one field. Choose one.",
    ]
    assert len(problems) == 3


@pytest.mark.parametrize("indexes", [(2, 2), (-1, -1), (-1, 0), (0, 99), (10**30, 0)])
def test_columns_that_the_file_does_not_have_are_refused(indexes: tuple[int, int]) -> None:
    problems = refused({"sku": indexes[0], "name": indexes[1]}, "a", "b")
    assert "A column is mapped that the file does not have." in problems


@pytest.mark.django_db
def test_a_file_without_a_recognised_key_waits_for_its_columns(at_work: None) -> None:
    job = bring("Ref,What,Amount\nA-1,Cup,2.50\n")
    assert (job.state, job.mapping, counts(job)) == (ImportJob.State.UPLOADED, {}, (0, 0, 0, 0))
    with pytest.raises(WrongState, match="Choose the columns first"):
        apply(job)
    job = map_columns(job=job, mapping={"sku": 0, "name": 1, "price": 2})
    assert (job.state, counts(job)) == (ImportJob.State.CHECKED, (1, 0, 0, 0))
    apply(job)
    assert Product.objects.get().name == "Cup"


@pytest.mark.django_db
def test_a_column_taken_off_by_hand_is_not_imported(at_work: None) -> None:
    imported("sku,name,price\nA,Cup,1\n")
    job = bring("sku,name,price\nA,Mug,2\n")
    assert job.summary["fields"] == {"name": 1, "price": 1}
    job = map_columns(job=job, mapping={"sku": 0, "price": 2})
    assert job.summary["fields"] == {"price": 1}
    apply(job)
    product = Product.objects.get()
    assert (product.name, product.price) == ("Cup", 2)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "mapping",
    [
        {"name": 1},
        {"sku": 0, "name": 0},
        {"sku": 0, "created_by": 1},
        {"sku": 0, "id": 1},
        {"sku": 0, "name": 9},
        {"sku": 0, 'name" FROM inventory_product; --': 1},
    ],
)
def test_a_refused_mapping_changes_nothing(mapping: dict[str, int], at_work: None) -> None:
    job = bring("sku,name,price\nA,Cup,1\n")
    before = ImportJob.objects.values().get(pk=job.pk)
    with pytest.raises(MappingRefused):
        map_columns(job=job, mapping=mapping)
    assert ImportJob.objects.values().get(pk=job.pk) == before


@pytest.mark.django_db
def test_an_import_that_is_over_cannot_be_mapped(at_work: None) -> None:
    def over(job: Any) -> None:
        with pytest.raises(WrongState, match="This import is over"):
            map_columns(job=job, mapping={"sku": 0})

    over(imported("sku,name,price\nA,Cup,1\n"))
    over(discard_import(job=bring("sku,name,price\nB,Cup,1\n")))
