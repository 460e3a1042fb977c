"""The catalogue's columns in files."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _
from import_export.fields import Field
from import_export.widgets import ForeignKeyWidget, ManyToManyWidget, Widget

from backoffice.exchange.children import ChildrenWidget, ChildTextsWidget
from backoffice.exchange.resources import (
    OwnPathWidget,
    PathWidget,
    Resource,
    RowRule,
    register,
)
from inventory.formats import FOREIGN_FILES, PRODUCT_FORMATS
from inventory.models import Category, Discount, Product, Tag


class WeightUnitWidget(Widget):
    """A unit of weight in the words that files use for it."""

    WORDS = {
        "g": ("g", "gr", "gram", "grams", "gramme", "grammes", "gramm"),
        "kg": ("kg", "kgs", "kilo", "kilos", "kilogram", "kilograms", "kilogramm"),
        "oz": ("oz", "ounce", "ounces"),
        "lb": ("lb", "lbs", "pound", "pounds"),
    }

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str | None:
        word = str(value or "").strip().rstrip(".").casefold()
        for unit, words in self.WORDS.items():
            if word in words:
                return unit
        if not word:
            return None
        raise ValueError(
            _("“%(value)s” is no unit of weight known here. Write g, kg, oz or lb.")
            % {"value": value}
        )


@register
class ProductResource(Resource):
    name = "products"
    aliases = {
        "sku": ("product code", "variant sku", "item code", "item number", "article number",
                "product number", "code", "article", "part number"),
        "name": ("product name", "title", "item name", "article name", "product title"),
        "slug": ("handle", "url handle"),
        "description": ("body (html)", "body", "long description", "product description"),
        "brand": ("vendor", "brand name", "make"),
        "barcode": ("ean", "upc", "gtin", "isbn", "ean13", "variant barcode",
                    "gtin, upc, ean, or isbn"),
        "price": ("unit price", "variant price", "list price", "retail price", "regular price",
                  "sales price"),
        "compare_at_price": ("compare-at price", "variant compare at price", "former price", "rrp"),
        "cost": ("unit cost", "cost per item", "standard cost", "cost price", "purchase price"),
        "weight": ("variant weight",),
        "weight_unit": ("weight unit measure", "variant weight unit", "weight unit for display"),
        "is_active": ("published", "enabled"),
        "category": ("categories", "category path", "category name"),
        "subcategory": ("sub-category", "subcategory name"),
        "tags": ("tag", "keywords"),
        "variant_of": ("parent", "parent sku"),
        "images": ("image", "image src", "image url", "image urls", "picture", "pictures"),
        "image_alt_texts": ("image alt text", "alt text"),
    }  # fmt: skip
    creates = frozenset({"category", "tags"})
    example = {
        "sku": "EXAMPLE-1", "name": "Enamel mug", "description": "Holds 300 ml.",
        "brand": "Contoso", "barcode": "0012345678905", "price": "12.50", "compare_at_price": "15",
        "cost": "6.25", "tax_class": "standard", "weight": "0.35", "weight_unit": "kg",
        "is_active": "yes", "is_featured": "no", "category": "Home > Kitchen", "tags": "blue, gift",
        "options": '{"Size": "M"}', "images": "https://www.example.com/mug.png",
        "image_alt_texts": "A blue mug",
    }  # fmt: skip
    deactivates, deactivates_within = "is_active", ("brand",)
    contents = {"barcode": "gtin", "images": "image"}
    formats = PRODUCT_FORMATS
    foreign_files = FOREIGN_FILES

    category = Field(
        attribute="category",
        column_name="category",
        widget=PathWidget(Category, field="path", levels=("subcategory",)),
    )
    tags = Field(
        attribute="tags",
        column_name="tags",
        widget=ManyToManyWidget(Tag, field="name", separator=","),
    )
    discount = Field(
        attribute="discount", column_name="discount", widget=ForeignKeyWidget(Discount, "name")
    )
    variant_of = Field(
        attribute="variant_of", column_name="variant_of", widget=ForeignKeyWidget(Product, "sku")
    )
    weight_unit = Field(
        attribute="weight_unit", column_name="weight_unit", widget=WeightUnitWidget()
    )
    images = Field(
        attribute="images",
        column_name="images",
        widget=ChildrenWidget(
            field="url",
            order="position",
            label=_("Images"),
            help_text=_("Addresses in their order, with a space or a line break between them."),
        ),
    )
    image_alt_texts = Field(
        attribute="images",
        column_name="image_alt_texts",
        widget=ChildTextsWidget(
            field="alt_text",
            order="position",
            label=_("Image descriptions"),
            help_text=_("In the order of the images, with a bar (|) between them."),
            children="images",
        ),
    )

    class Meta:
        model = Product
        import_id_fields = ("sku",)
        fields = (
            "sku", "name", "slug", "description", "brand", "barcode", "price", "compare_at_price",
            "cost", "tax_class", "weight", "weight_unit", "is_active", "is_featured", "discount",
            "category", "tags", "variant_of", "options", "images", "image_alt_texts",
        )  # fmt: skip
        import_order = export_order = fields

    def row_rules(self) -> Sequence[RowRule]:
        parent = 'lower(s."v_variant_of")'
        return [
            RowRule(
                "variant_of",
                "nested_variant",
                f'{parent} <> lower(s."v_sku") AND ({parent} IN (SELECT lower(f."v_sku") '
                f'FROM {{rows}} f WHERE f."v_variant_of" IS NOT NULL) OR {parent} IN '
                "(SELECT lower(p.sku) FROM inventory_product p WHERE p.variant_of_id IS NOT NULL))",
                _("“%(value)s” is a variant itself. Name the product that it belongs to."),
            ),
            RowRule(
                "variant_of",
                "parent_as_variant",
                's."v_variant_of" IS NOT NULL AND t.id IN (SELECT p.variant_of_id '
                "FROM inventory_product p WHERE p.variant_of_id IS NOT NULL)",
                _("This product has variants, so it cannot become a variant of “%(value)s”."),
            ),
        ]

    def create_related(self, field: str, names: Sequence[str]) -> None:
        if field == "category":
            Category.objects.create_paths(names)
        else:
            super().create_related(field, names)

    def values_of_new_rows(self, user: Any) -> Mapping[str, Any]:
        return {"created_by": user.pk} if user else {}


@register
class CategoryResource(Resource):
    """The tree of the catalogue, by path: name and parent follow from it."""

    name = "categories"
    aliases = {
        "path": ("category path", "category", "categories", "name", "category name", "full name"),
        "subcategory": ("sub-category", "subcategory name"),
        "slug": ("handle", "url handle", "permalink"),
        "description": ("body (html)", "category description"),
    }  # fmt: skip
    makes_rows = True
    example = {"path": "Home > Kitchen > Mugs", "description": "To drink from."}

    path = Field(
        attribute="path",
        column_name="path",
        widget=OwnPathWidget(Category, field="path", levels=("subcategory",)),
    )

    class Meta:
        model = Category
        import_id_fields = ("path",)
        fields = ("path", "slug", "description")
        import_order = export_order = fields

    def make_rows(self, keys: Sequence[str]) -> int:
        above = Category.objects.missing_above(keys)
        return Category.objects.create_paths([*keys, *above]) - len(above)

    def made_on_the_way(self, keys: Sequence[str]) -> list[str]:
        return Category.objects.missing_above(keys)

    def create_related(self, field: str, names: Sequence[str]) -> None:
        """Nothing: make_rows() makes the way together with what it leads to."""


@register
class TagResource(Resource):
    name = "tags"
    example = {"name": "gift"}
    aliases = {"name": ("tag", "tags", "tag name", "title"), "slug": ("handle", "url handle")}

    class Meta:
        model = Tag
        import_id_fields = ("name",)
        fields = ("name", "slug")
        import_order = export_order = fields


@register
class DiscountResource(Resource):
    name = "discounts"
    example = {
        "name": "Spring", "kind": "percent", "value": "10", "starts_at": "2027-03-01 00:00",
        "ends_at": "2027-03-31 23:59", "is_active": "yes",
    }  # fmt: skip
    aliases = {
        "name": ("discount", "discount name", "title"),
        "kind": ("type", "discount type", "value type"),
        "value": ("amount", "discount value", "percent", "percentage"),
        "starts_at": ("start", "start date", "starts", "valid from"),
        "ends_at": ("end", "end date", "ends", "expires", "valid until"),
        "is_active": ("enabled",),
    }  # fmt: skip

    class Meta:
        model = Discount
        import_id_fields = ("name",)
        fields = ("name", "kind", "value", "starts_at", "ends_at", "is_active")
        import_order = export_order = fields
