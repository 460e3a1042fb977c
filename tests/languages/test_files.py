"""Files are read and written alike in every language of whoever brings or takes them."""

from typing import Any

import pytest
from django.utils import translation

from backoffice.exchange.exporting import export_rows
from backoffice.exchange.models import FileFormat
from backoffice.exchange.resources import get_resource, resource_names
from inventory.models import Product
from tests.exchange.files import apply, bring, counts
from tests.exchange.test_round_trip import shop
from tests.languages.catalogues import languages

pytestmark = pytest.mark.django_db

# Headers by name, by label and by alias; a choice by its label; yes and no in words.
FILE = """SKU;Product name;Price;Compare-at price;Weight;Weight unit;Tax class;Is active;Description
A-1;Cup;1.234,50;1.300,00;0,125;kilograms;Reduced;no;one
A-2;Mug;17,90;;2;g;standard;yes;two
A-3;Bowl;12,x;;2;stone;Ermäßigt;ja;three
"""
WHAT = ("sku", "name", "price", "compare_at_price", "weight", "weight_unit", "tax_class")


def _outcome(language: str) -> Any:
    with translation.override(language):
        job = bring(FILE)
        apply(job, valid_rows_only=True)
    rows = list(Product.objects.order_by("sku").values_list(*WHAT, "is_active", "description"))
    Product.objects.all().delete()
    return counts(job), sorted(job.mapping), rows


def test_a_file_is_read_alike() -> None:
    expected = _outcome("en-gb")
    assert expected[0] == (2, 0, 0, 1)
    assert expected[2][0][2:4] == (1234.5, 1300)
    for language in languages():
        assert _outcome(language) == expected


@pytest.fixture
def _a_shop() -> None:
    shop()


@pytest.mark.usefixtures("_a_shop")
@pytest.mark.parametrize("file_format", [FileFormat.CSV, FileFormat.JSON_LINES])
@pytest.mark.parametrize("language", languages())
def test_a_file_is_written_alike(language: str, file_format: str) -> None:
    for name in resource_names():
        assert _written(name, file_format, language) == _written(name, file_format, "en-gb")


def _written(name: str, file_format: str, language: str) -> bytes:
    resource = get_resource(name)
    rows = resource.model()._default_manager.order_by("pk")
    with translation.override(language):
        return b"".join(export_rows(resource, rows, user=None, file_format=file_format))
