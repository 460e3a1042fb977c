"""What our imports are measured against: bare SQL below, the library's row loop above."""

from pathlib import Path

import tablib
from django.db import connection
from import_export import fields, resources, widgets

from inventory.models import Category, Product, Tag
from tests.bench.data import HEADER

_COLUMNS = [*HEADER, "tags"]


def _copy(path: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bare")
        cursor.execute(
            f"CREATE UNLOGGED TABLE bare (row_no int GENERATED ALWAYS AS IDENTITY, "
            f"{', '.join(f'{name} text' for name in _COLUMNS)})"
        )
        with (
            path.open("rb") as file,
            cursor.copy(
                f"COPY bare ({', '.join(_COLUMNS)}) FROM STDIN (FORMAT csv, HEADER true)"
            ) as copy,
        ):
            while block := file.read(1 << 20):
                copy.write(block)
        cursor.execute("ANALYZE bare")


def bare_insert(path: Path) -> None:
    """All rows new: categories, products, tags and links, and nothing looked at twice."""
    _copy(path)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO inventory_category (name, description) "
            "SELECT DISTINCT split_part(category, ' > ', 1), '' FROM bare"
        )
        cursor.execute(
            "INSERT INTO inventory_category (name, description, parent_id) "
            "SELECT DISTINCT split_part(b.category, ' > ', 2), '', c.id FROM bare b "
            "JOIN inventory_category c ON c.path = split_part(b.category, ' > ', 1)"
        )
        cursor.execute(
            "INSERT INTO inventory_tag (name) "
            "SELECT DISTINCT t FROM bare, string_to_table(tags, ', ') t"
        )
        cursor.execute(
            "INSERT INTO inventory_product (sku, name, brand, barcode, price, cost, tax_class, "
            "weight, weight_unit, is_active, category_id, description) "
            "SELECT sku, b.name, brand, barcode, price::numeric, cost::numeric, tax_class, "
            "weight::numeric, weight_unit, is_active::boolean, c.id, b.description "
            "FROM bare b JOIN inventory_category c ON c.path = b.category"
        )
        cursor.execute(
            "INSERT INTO inventory_producttag (product_id, tag_id) "
            "SELECT p.id, t.id FROM bare b JOIN inventory_product p USING (sku), "
            "string_to_table(b.tags, ', ') n JOIN inventory_tag t ON t.name = n"
        )


def bare_change(path: Path) -> None:
    """The rows are there; those whose price differs are updated."""
    _copy(path)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE inventory_product p SET name = b.name, brand = b.brand, "
            "barcode = b.barcode, price = b.price::numeric, cost = b.cost::numeric, "
            "description = b.description FROM bare b WHERE b.sku = p.sku AND (p.name, p.brand, "
            "p.barcode, p.price, p.cost, p.description) IS DISTINCT FROM (b.name, b.brand, "
            "b.barcode, b.price::numeric, b.cost::numeric, b.description)"
        )


class _LibraryResource(resources.ModelResource):
    category = fields.Field(
        attribute="category",
        column_name="category",
        widget=widgets.ForeignKeyWidget(Category, "path"),
    )
    tags = fields.Field(
        attribute="tags", column_name="tags", widget=widgets.ManyToManyWidget(Tag, ", ", "name")
    )

    class Meta:
        model = Product
        import_id_fields = ("sku",)
        fields = tuple(_COLUMNS)


def library_loop(path: Path) -> None:
    """django-import-export as it comes: dry run for the preview, then the import."""
    dataset = tablib.Dataset().load(path.read_text(), format="csv")
    for dry_run in (True, False):
        result = _LibraryResource().import_data(dataset, dry_run=dry_run, raise_errors=True)
        assert result.totals["update"] + result.totals["new"] == len(dataset)
