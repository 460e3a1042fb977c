"""The filters of the product list. Each is served by an index of Product."""

from collections.abc import Callable
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters, ModelAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, DropdownFilter, TextFilter

from backoffice.audit.secrecy import hidden_fields
from backoffice.console.lists.quick import QuickFilter
from inventory.managers import ProductQuerySet
from inventory.models import Category, Product, ProductTag


class CategoryFilter(AutocompleteSelectFilter):
    """The category and all that lies within it."""

    def queryset(self, request: HttpRequest, queryset: ProductQuerySet) -> QuerySet[Product] | None:
        chosen = self.value()
        if not chosen:
            return queryset
        try:
            category = Category.objects.get_or_none(pk=chosen)
        except ValueError as nonsense:
            raise IncorrectLookupParameters(nonsense) from nonsense
        return queryset.in_category(category) if category else queryset.none()


class BrandFilter(TextFilter):
    title = _("brand")
    parameter_name = "brand"

    def queryset(self, request: HttpRequest, queryset: ProductQuerySet) -> QuerySet[Product] | None:
        brand = (self.value() or "").replace("\0", "").strip()
        return queryset.of_brands_like(brand) if brand else queryset


class TagFilter(AutocompleteSelectFilter):
    """The products that carry a tag, each once without being compared with the others."""

    def queryset(self, request: HttpRequest, queryset: ProductQuerySet) -> QuerySet[Product] | None:
        chosen = self.value()
        if not chosen:
            return queryset
        try:
            carried = ProductTag.objects.filter(tag=chosen)
        except ValueError as nonsense:
            raise IncorrectLookupParameters(nonsense) from nonsense
        return queryset.filter(pk__in=carried.values("product"))


class MissingFilter(DropdownFilter):
    """What is still to be done before a product can be sold well."""

    title = _("what is missing")
    parameter_name = "without"

    _missing: dict[str, tuple[Any, Callable[[ProductQuerySet], QuerySet[Product]]]] = {
        "category": (_("Category"), lambda rows: rows.uncategorised()),
        "image": (_("Image"), lambda rows: rows.without_image()),
        "price": (_("Price"), lambda rows: rows.filter(price=0)),
        "cost": (_("Cost"), lambda rows: rows.filter(cost=None)),
        "barcode": (_("Barcode"), lambda rows: rows.filter(barcode="")),
        "description": (_("Description"), lambda rows: rows.filter(description="")),
    }

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, Any]]:
        hidden = hidden_fields(Product, request.user)
        return [
            (name, title) for name, (title, _rows) in self._missing.items() if name not in hidden
        ]

    def queryset(self, request: HttpRequest, queryset: ProductQuerySet) -> QuerySet[Product] | None:
        chosen = self.value() or ""
        if chosen in hidden_fields(Product, request.user):
            return queryset
        _title, without = self._missing.get(chosen, (None, None))
        return without(queryset) if without else queryset


class VariantFilter(DropdownFilter):
    title = _("variants")
    parameter_name = "variants"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, Any]]:
        return [
            ("no", _("Without variants")),
            ("only", _("Variants only")),
            ("with", _("Products that have variants")),
        ]

    def queryset(self, request: HttpRequest, queryset: ProductQuerySet) -> QuerySet[Product] | None:
        match self.value():
            case "no":
                return queryset.filter(variant_of=None)
            case "only":
                return queryset.variants_only()
            case "with":
                heads = Product.objects.variants_only().values("variant_of")
                return queryset.filter(pk__in=heads)
        return queryset


# Without an image has no number: to count them all products are compared with all images.
QUICK_FILTERS = [
    QuickFilter(label=_("Inactive"), query="is_active__exact=0", rows=lambda rows: rows.inactive()),
    QuickFilter(
        label=_("Without price"), query="without=price", rows=lambda rows: rows.filter(price=0)
    ),
    QuickFilter(
        label=_("Without category"),
        query="without=category",
        rows=lambda rows: rows.uncategorised(),
    ),
    QuickFilter(label=_("Without image"), query="without=image"),
]
