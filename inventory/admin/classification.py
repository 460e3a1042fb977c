from typing import Any

from django.contrib import admin
from django.db.models import Count, F, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from backoffice.console.admin import ModelAdmin
from backoffice.console.displays import NOTHING, ago, number, number_column
from inventory.models import Category, Product, ProductTag, Tag
from inventory.models.classification import PATH_SEPARATOR


def _count(rows: QuerySet, of: str) -> Coalesce:
    """How many of the rows each has: counted for the rows of the page, not by a join over all."""
    counted = rows.filter(**{of: OuterRef("pk")}).order_by().values(of).annotate(number=Count("*"))
    return Coalesce(Subquery(counted.values("number"), output_field=IntegerField()), 0)


def _products_link(parameter: str, key: int, amount: int) -> SafeString | str:
    if not amount:
        return number(amount)
    return format_html(
        '<a class="console-link" href="{}?{}={}">{}</a>',
        reverse("admin:inventory_product_changelist"),
        parameter,
        key,
        number(amount),
    )


@admin.register(Category)
class CategoryAdmin(ModelAdmin):
    exchange_resource = "categories"
    list_display = ["place", "within", "number_of_products", "changed"]
    list_columns = ["slug", "added"]
    list_display_links = ["place"]
    list_cells = {"place": "name"}
    ordering = ["path"]
    search_fields = ["path"]
    search_text = F("path")
    search_help_text = _("Name of a category, or of one above it")
    empty_state = (
        _("No categories yet"),
        _("Add the first one, or import products: their categories are made with them."),
    )

    as_of_columns = ("path", "slug")

    autocomplete_fields = ["parent"]
    readonly_fields = ["path", "created_at", "updated_at", "version"]
    fieldsets = [
        (None, {"fields": ["name", "parent", "description", "slug"]}),
        (_("Record"), {"fields": ["path", ("created_at", "updated_at"), "version"]}),
    ]

    # A name and a place are one category's own.
    bulk_fields = ["description"]
    actions = ["export_selected"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Category]:
        rows: QuerySet[Category] = super().get_queryset(request)
        return rows.annotate(products_in_it=_count(Product.objects.all(), "category"))

    def lock_object(self, key: Any) -> None:
        Category.objects.lock_moves()
        super().lock_object(key)

    @display(description=_("category"), ordering="path")
    def place(self, category: Category) -> SafeString:
        step = SafeString('<span class="console-tree-step"></span>')
        steps = SafeString(step * category.path.count(PATH_SEPARATOR))
        return format_html('<span class="console-tree">{}{}</span>', steps, category.name)

    @display(description=_("within"))
    def within(self, category: Category) -> str:
        above, _separator, _name = category.path.rpartition(PATH_SEPARATOR)
        return above or NOTHING

    @display(description=_("changed"), ordering="updated_at")
    def changed(self, category: Category) -> SafeString | str:
        return ago(category.updated_at)

    @display(description=_("added"), ordering="created_at")
    def added(self, category: Category) -> SafeString | str:
        return ago(category.created_at)

    @number_column(_("products"), ordering=F("products_in_it"))
    def number_of_products(self, category: Any) -> SafeString | str:
        return _products_link("category__id__exact", category.pk, category.products_in_it)


@admin.register(Tag)
class TagAdmin(ModelAdmin):
    exchange_resource = "tags"
    list_display = ["name", "number_of_products", "changed"]
    list_columns = ["slug", "added"]
    ordering = ["name"]
    search_fields = ["name"]
    search_text = F("name")
    empty_state = (
        _("No tags yet"),
        _("A tag groups products across categories, such as “Summer” or “Gift”."),
    )

    readonly_fields = ["created_at", "updated_at", "version"]
    fieldsets = [
        (None, {"fields": ["name", "slug"]}),
        (_("Record"), {"fields": [("created_at", "updated_at"), "version"]}),
    ]

    actions = ["export_selected"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tag]:
        rows: QuerySet[Tag] = super().get_queryset(request)
        return rows.annotate(products_with_it=_count(ProductTag.objects.all(), "tag"))

    @display(description=_("changed"), ordering="updated_at")
    def changed(self, tag: Tag) -> SafeString | str:
        return ago(tag.updated_at)

    @display(description=_("added"), ordering="created_at")
    def added(self, tag: Tag) -> SafeString | str:
        return ago(tag.created_at)

    @number_column(_("products"), ordering=F("products_with_it"))
    def number_of_products(self, tag: Any) -> SafeString | str:
        return _products_link("tags__id__exact", tag.pk, tag.products_with_it)
