"""What our imports are measured against: bare SQL below, the library's row loop above.

The limit is COPY and set-based SQL that bring about the same rows in the same tables, with the same
indexes and triggers, history and foreign keys included, without looking whether anything is wrong.
A first load of ours can be below it: that makes most indexes after the rows, the limit never does.
"""

from pathlib import Path

import tablib
from django.db import connection, transaction
from import_export import fields, resources, widgets

from inventory.models import Category, Product, Tag
from tests.bench.data import HEADER


def _copy(path: Path) -> list[str]:
    """Put the file into the table `bare` as it is, and return its columns."""
    with connection.cursor() as cursor, path.open("rb") as file:
        columns = file.readline().decode().strip().split(",")
        cursor.execute(
            f"CREATE UNLOGGED TABLE bare (row_no int GENERATED ALWAYS AS IDENTITY, "
            f"{', '.join(f'{name} text' for name in columns)})"
        )
        with cursor.copy(f"COPY bare ({', '.join(columns)}) FROM STDIN (FORMAT csv)") as copy:
            while block := file.read(1 << 20):
                copy.write(block)
        cursor.execute("ANALYZE bare")
    return columns


def bare_insert(path: Path) -> None:
    """All rows new: categories, products, tags and links, and nothing looked at twice."""
    with transaction.atomic(), connection.cursor() as cursor:
        columns = _copy(path)
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
            "INSERT INTO inventory_product (sku, name, brand, barcode, price, cost, tax_class, "
            "weight, weight_unit, is_active, category_id, description) "
            "SELECT sku, b.name, brand, barcode, price::numeric, cost::numeric, tax_class, "
            "weight::numeric, weight_unit, is_active::boolean, c.id, b.description "
            "FROM bare b JOIN inventory_category c ON c.path = b.category"
        )
        if "tags" in columns:
            cursor.execute(
                "INSERT INTO inventory_tag (name) "
                "SELECT DISTINCT t FROM bare, string_to_table(tags, ', ') t"
            )
            cursor.execute(
                "INSERT INTO inventory_producttag (product_id, tag_id) "
                "SELECT p.id, t.id FROM bare b JOIN inventory_product p USING (sku), "
                "string_to_table(b.tags, ', ') n JOIN inventory_tag t ON t.name = n"
            )
        cursor.execute("DROP TABLE bare")


_COMPARED = {
    "name": "b.name",
    "brand": "b.brand",
    "barcode": "b.barcode",
    "price": "b.price::numeric",
    "cost": "b.cost::numeric",
    "tax_class": "b.tax_class",
    "weight": "b.weight::numeric",
    "weight_unit": "b.weight_unit",
    "is_active": "b.is_active::boolean",
    "category_id": "c.id",
    "description": "b.description",
}


def bare_change(path: Path) -> None:
    """The rows are there, and become what the file says; those that are so already stay."""
    with transaction.atomic(), connection.cursor() as cursor:
        columns = _copy(path)
        cursor.execute(
            f"UPDATE inventory_product p "
            f"SET {', '.join(f'{name} = {value}' for name, value in _COMPARED.items())} "
            "FROM bare b JOIN inventory_category c ON c.path = b.category WHERE b.sku = p.sku "
            f"AND ({', '.join(f'p.{name}' for name in _COMPARED)}) "
            f"IS DISTINCT FROM ({', '.join(_COMPARED.values())})"
        )
        if "tags" in columns:
            cursor.execute(
                "CREATE UNLOGGED TABLE bare_links AS SELECT p.id AS product_id, t.id AS tag_id "
                "FROM bare b JOIN inventory_product p USING (sku), "
                "string_to_table(b.tags, ', ') n JOIN inventory_tag t ON t.name = n"
            )
            cursor.execute(
                "DELETE FROM inventory_producttag l WHERE NOT EXISTS (SELECT 1 FROM bare_links b "
                "WHERE b.product_id = l.product_id AND b.tag_id = l.tag_id)"
            )
            cursor.execute(
                "INSERT INTO inventory_producttag (product_id, tag_id) SELECT product_id, tag_id "
                "FROM bare_links b WHERE NOT EXISTS (SELECT 1 FROM inventory_producttag l "
                "WHERE b.product_id = l.product_id AND b.tag_id = l.tag_id)"
            )
            cursor.execute("DROP TABLE bare_links")
        cursor.execute("DROP TABLE bare")


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
        fields = (*HEADER, "tags")


def library_loop(path: Path) -> None:
    """django-import-export as it comes: dry run for the preview, then the import."""
    dataset = tablib.Dataset().load(path.read_text(), format="csv")
    for dry_run in (True, False):
        result = _LibraryResource().import_data(dataset, dry_run=dry_run, raise_errors=True)
        assert result.totals["update"] + result.totals["new"] == len(dataset)
