"""Rows for the tests of the catalogue, with no more said of them than a test cares for."""

from decimal import Decimal
from itertools import count
from typing import Any

from inventory.models import Category, Product, Tag

_numbers = count(1)


def make_product(**fields: Any) -> Product:
    number = next(_numbers)
    fields.setdefault("sku", f"SKU-{number}")
    fields.setdefault("name", f"Product {number}")
    fields.setdefault("price", Decimal("10.00"))
    product: Product = Product.objects.create(**fields)
    return product


def make_category(path: str) -> Category:
    category: Category = Category.objects.get_or_create_path(path)
    return category


def make_tag(name: str) -> Tag:
    tag: Tag = Tag.objects.create(name=name)
    return tag
