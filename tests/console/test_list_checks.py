"""A wrong name in what a ModelAdmin says of its list is told when Stockbook starts."""

from typing import Any

import pytest
from django.contrib import admin
from django.core.checks import CheckMessage
from django.db.models import F

from backoffice.console.admin import ModelAdmin
from backoffice.console.lists.quick import QuickFilter
from inventory.admin.filters import MissingFilter
from inventory.models import Product


def errors_of(**attributes: Any) -> list[CheckMessage]:
    kind = type("SomeAdmin", (ModelAdmin,), attributes)
    messages: list[CheckMessage] = kind(Product, admin.site).check()
    return messages


def test_what_is_right_is_not_complained_of() -> None:
    right = {
        "list_display": ["name", "shown"],
        "shown": lambda self, product: product.name,
        "list_columns": ["brand", "selling_price"],
        "list_cells": {"shown": "name", "brand": "brand"},
        "list_filter": [MissingFilter, "is_active"],
        "quick_filters": [
            QuickFilter(label="a", query="without=price"),
            QuickFilter(label="b", query="is_active__exact=0&price_from=5", field="cost"),
        ],
        "search_fields": ["name"],
        "search_text": F("name"),
        "search_codes": ["sku"],
        "bulk_fields": ["price", "category", "tags"],
    }
    assert errors_of(**right) == []


@pytest.mark.parametrize(
    ("wrong", "number", "said"),
    [
        ({"list_columns": ["brandd"]}, 1, "'list_columns' names 'brandd'"),
        ({"list_cells": {"nothing": "name"}}, 2, "names the column 'nothing'"),
        ({"list_cells": {"__str__": "created_at"}}, 3, "edits 'created_at'"),
        ({"list_cells": {"__str__": "nothing"}}, 3, "edits 'nothing'"),
        ({"list_cells": {"__str__": "tags"}}, 3, "edits 'tags'"),
        ({"quick_filters": ["is_active=0"]}, 4, "which is no QuickFilter"),
        ({"quick_filters": [QuickFilter(label="x", query="wthout=price")]}, 4, "names 'wthout'"),
        ({"quick_filters": [QuickFilter(label="x", query="")]}, 4, "names ''"),
        (
            {"quick_filters": [QuickFilter(label="x", query="price_from=1", field="prise")]},
            4,
            "names 'prise'",
        ),
        ({"search_codes": ["skuu"]}, 5, "'search_codes' names 'skuu'"),
        ({"search_fields": ["name"], "search_text": F("nam")}, 6, "Cannot resolve keyword 'nam'"),
        ({"search_text": F("name")}, 6, "is searched by nobody"),
        ({"bulk_fields": ["prise"]}, 7, "'bulk_fields' names 'prise'"),
        ({"bulk_fields": ["sku"]}, 8, "names 'sku', which cannot be edited in many rows"),
        ({"bulk_fields": ["version"]}, 8, "names 'version'"),
        ({"bulk_fields": ["brand"], "readonly_fields": ["brand"]}, 8, "names 'brand'"),
    ],
)
def test_a_wrong_name_is_told(wrong: dict[str, Any], number: int, said: str) -> None:
    (error,) = errors_of(**wrong)
    assert (error.id, said in error.msg, bool(error.hint)) == (f"console.E{number:03}", True, True)
