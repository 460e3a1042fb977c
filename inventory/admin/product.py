from typing import Any, cast

from django import forms
from django.contrib import admin
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import (
    BooleanRadioFilter,
    RangeNumericFilter,
)
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from backoffice.console.admin import ModelAdmin, TabularInline
from backoffice.console.displays import NOTHING, ago, money, number_column
from inventory.managers import ProductQuerySet, search_text
from inventory.models import Product, ProductImage

from .actions import ActivateProducts, AddTag, ChangePrices, DeactivateProducts, SetCategory
from .components import badges, thumbnail
from .filters import (
    QUICK_FILTERS,
    BrandFilter,
    CategoryFilter,
    MissingFilter,
    TagFilter,
    VariantFilter,
)
from .forms import ProductForm


class ImageInline(TabularInline):
    model = ProductImage
    fields = ["preview", "url", "alt_text", "position"]
    readonly_fields = ["preview"]
    ordering = ["position", "id"]
    duplicate = True
    tab = True
    show_title = False

    @display(description=gettext_lazy("preview"))
    def preview(self, image: ProductImage) -> SafeString | str:
        return thumbnail(image.url, size="large") if image.url else NOTHING


class VariantInline(TabularInline):
    """The variants of a product, to look at and to go to; each is edited on its own page."""

    model = Product
    fk_name = "variant_of"
    verbose_name = gettext_lazy("variant")
    verbose_name_plural = gettext_lazy("variants")
    fields = readonly_fields = ("shown_name", "sku", "shown_options", "shown_price", "is_active")
    ordering = ["name", "id"]
    per_page = 20
    can_delete = False
    tab = True
    show_title = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description=gettext_lazy("name"))
    def shown_name(self, product: Product) -> SafeString:
        return format_html(
            '<a class="console-link" href="{}">{}</a>',
            reverse("admin:inventory_product_change", args=[product.pk]),
            product.name,
        )

    @display(description=gettext_lazy("options"))
    def shown_options(self, product: Product) -> SafeString | str:
        return format_html_join(", ", "{}: {}", product.options.items()) or NOTHING

    @display(description=gettext_lazy("price"))
    def shown_price(self, product: Product) -> SafeString | str:
        return money(product.price)


@admin.register(Product)
class ProductAdmin(ModelAdmin):
    exchange_resource = "products"
    list_display = ["product", "price_now", "cost_now", "status", "category_path", "changed"]
    list_columns = ["brand", "barcode", "tax_class", "weight_now", "added"]
    list_display_links = ["product"]
    list_cells = {
        "product": "name",
        "price_now": "price",
        "cost_now": "cost",
        "status": "is_active",
        "category_path": "category",
        "brand": "brand",
        "barcode": "barcode",
        "tax_class": "tax_class",
    }
    secret_displays = {"cost_now": "cost"}
    ordering = ["name", "id"]
    # What an index has in order; any other would sort a million rows.
    sortable_by = ["product", "price_now", "changed"]
    search_fields = ["sku", "name", "brand", "barcode"]
    search_text = search_text()
    search_codes = ["sku", "barcode"]
    quick_filters = QUICK_FILTERS
    search_help_text = gettext_lazy("SKU, name, brand or barcode")
    empty_state = (
        gettext_lazy("No products yet"),
        gettext_lazy("Import your supplier's file, or add the first product by hand."),
    )

    list_filter = [
        ("category", CategoryFilter),
        ("tags", TagFilter),
        BrandFilter,
        ("price", RangeNumericFilter),
        ("is_active", BooleanRadioFilter),
        ("is_featured", BooleanRadioFilter),
        MissingFilter,
        VariantFilter,
    ]

    form = ProductForm
    money_fields = ("price", "compare_at_price", "cost")
    duplicate_without = ("barcode",)
    autocomplete_fields = ["category", "tags", "discount", "variant_of"]
    readonly_fields = ["created_at", "created_by", "updated_at", "version"]
    formfield_overrides = {
        **ModelAdmin.formfield_overrides,
        models.TextField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 6})},
    }
    fieldsets = [
        (None, {"fields": ["name", ("sku", "barcode"), "brand", ("is_active", "is_featured")]}),
        (
            gettext_lazy("Pricing"),
            {"fields": [("price", "compare_at_price"), ("cost", "tax_class"), "discount"]},
        ),
        (gettext_lazy("Organisation"), {"fields": ["category", "tags"]}),
        (
            gettext_lazy("Description"),
            {"classes": ["tab"], "fields": ["description", "slug"]},
        ),
        (
            gettext_lazy("Shipping"),
            {"classes": ["tab"], "fields": [("weight", "weight_unit")]},
        ),
        (
            gettext_lazy("Variant"),
            {
                "classes": ["tab"],
                "description": gettext_lazy(
                    "Only for a variant, such as a size or a colour: the product that it belongs "
                    "to, and what sets it apart. A product with variants is not sold itself."
                ),
                "fields": ["variant_of", "options"],
            },
        ),
        (
            gettext_lazy("Record"),
            {
                "classes": ["tab"],
                "fields": [("created_at", "created_by"), ("updated_at", "version")],
            },
        ),
    ]

    history_related = ("product_tags", "images", "variants")
    as_of_columns = ("name", "sku", "price", "cost", "is_active", "category")

    inlines = [ImageInline, VariantInline]

    bulk_fields = [
        "price", "compare_at_price", "cost", "tax_class", "discount", "brand", "category", "tags",
        "is_active", "is_featured", "weight", "weight_unit", "description",
    ]  # fmt: skip
    actions = [
        ActivateProducts(),
        DeactivateProducts(),
        SetCategory(),
        AddTag(),
        ChangePrices(),
        "export_selected",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        rows = cast(ProductQuerySet, super().get_queryset(request))
        return rows.with_category().with_thumbnail()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Product], search_term: str
    ) -> tuple[QuerySet[Product], bool]:
        if request.GET.get("field_name") == "variant_of":
            # The autocomplete of a variant: one cannot belong to another.
            queryset = queryset.filter(variant_of=None)
        return super().get_search_results(request, queryset, search_term)

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        """A new product and a variant have no variants to show."""
        inlines = super().get_inlines(request, obj)
        if obj is None or obj.variant_of_id:
            return [inline for inline in inlines if inline is not VariantInline]
        return [*inlines]

    def save_model(
        self, request: HttpRequest, obj: Product, form: forms.ModelForm, change: bool
    ) -> None:
        if not change:
            obj.created_by = request.user  # type: ignore[assignment]
        super().save_model(request, obj, form, change)

    @display(description=gettext_lazy("product"), ordering="name")
    def product(self, product: Any) -> SafeString:
        return format_html(
            '<span class="console-item">{}<span class="console-item-text">'
            '<span class="console-item-title">{}</span>'
            '<span class="console-item-note">{}</span></span></span>',
            thumbnail(product.thumbnail),
            product.name,
            product.sku,
        )

    @display(description=gettext_lazy("category"))
    def category_path(self, product: Product) -> str:
        return product.category.path if product.category else NOTHING

    @number_column(gettext_lazy("price"), ordering="price")
    def price_now(self, product: Product) -> SafeString | str:
        if product.compare_at_price is None:
            return money(product.price)
        return format_html(
            '{}<s class="money-former" aria-label="{}">{}</s>',
            money(product.price),
            _("Formerly"),
            money(product.compare_at_price),
        )

    @number_column(gettext_lazy("cost"))
    def cost_now(self, product: Product) -> SafeString | str:
        return money(product.cost)

    @number_column(gettext_lazy("weight"))
    def weight_now(self, product: Product) -> SafeString | str:
        if product.weight is None:
            return NOTHING
        weight = number_format(product.weight.normalize())
        return format_html('<span class="number">{} {}</span>', weight, product.weight_unit)

    @display(description=gettext_lazy("added"))
    def added(self, product: Product) -> SafeString | str:
        return ago(product.created_at)

    @display(description=gettext_lazy("status"))
    def status(self, product: Product) -> SafeString:
        shown = [(_("active"), "success") if product.is_active else (_("inactive"), "neutral")]
        if product.is_featured:
            shown.append((_("featured"), "info"))
        if product.variant_of_id:
            shown.append((_("variant"), "neutral"))
        return badges(shown)

    @display(description=gettext_lazy("changed"), ordering="-updated_at")
    def changed(self, product: Product) -> SafeString | str:
        return ago(product.updated_at)
