"""Shopify's products: the classic and later headers, and the newer ones.

The first row of a handle has the product, each row with an option, a SKU or a price a variant,
each row with an image's address an image.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.exchange.formats import GroupedTranslation, SourceFormat
from backoffice.exchange.reading import Row

from .shaping import (
    FIELDS,
    Image,
    Variant,
    former_price,
    image_cells,
    product_rows,
    switch,
    weighed,
)

# What we call it: what the classic header calls it.
CLASSIC = {
    "handle": "Handle",
    "name": "Title",
    "description": "Body (HTML)",
    "brand": "Vendor",
    "type": "Type",
    "category": "Product Category",
    "tags": "Tags",
    "published": "Published",
    "status": "Status",
    "sku": "Variant SKU",
    "barcode": "Variant Barcode",
    "price": "Variant Price",
    "compare_at_price": "Variant Compare At Price",
    "cost": "Cost per item",
    "taxable": "Variant Taxable",
    "grams": "Variant Grams",
    "weight_unit": "Variant Weight Unit",
    "image": "Image Src",
    "image_position": "Image Position",
    "image_alt_text": "Image Alt Text",
    "variant_image": "Variant Image",
    **{f"option{n}_name": f"Option{n} Name" for n in (1, 2, 3)},
    **{f"option{n}": f"Option{n} Value" for n in (1, 2, 3)},
}
NEWER = {
    **CLASSIC,
    "handle": "URL handle",
    "description": "Description",
    "published": "Published on online store",
    "sku": "SKU",
    "barcode": "Barcode",
    "price": "Price",
    "compare_at_price": "Compare-at price",
    "taxable": "Charge tax",
    "grams": "Weight value (grams)",
    "weight_unit": "Weight unit for display",
    "image": "Product image URL",
    "variant_image": "Variant image URL",
}
# A product without options has one, of this name and value.
_NO_OPTION = ("title", "default title")
# What may stand in a further row of a product although it is said of the product.
_OF_THE_PRODUCT = ("name", "description", "brand", "type", "category", "tags", "status")
_SOLD = {"active": "yes", "unlisted": "yes", "draft": "no", "archived": "no"}


class ClassicTranslation(GroupedTranslation):
    header = FIELDS
    names: ClassVar[Mapping[str, str]] = CLASSIC

    def __init__(self, source: Sequence[str]) -> None:
        super().__init__(source)
        self.claim(self.names.values())

    def said(self, row: Row, what: str) -> str:
        return self.cell(row, self.names[what])

    def handle(self, row: Row, before: str) -> str:
        return self.said(row, "handle")

    def things(self, group: Sequence[Row]) -> Iterator[Row]:
        first, handle = group[0], self.said(group[0], "handle")
        if not handle:
            problem = _("The row has no handle, so it belongs to no product. Give it its handle.")
            yield from (self.refused(row, problem) for row in group)
            return
        if not self.said(first, "name"):
            problem = _(
                "The row has the handle “%(handle)s” and no title, so it goes on with a product "
                "whose first row is not right above. Put the rows of a product together."
            ) % {"handle": handle}
            yield from (self.refused(row, problem) for row in group)
            return
        self._count_contradictions(group)
        variants = [self._variant(row, first) for row in group if self._is_variant(row)]
        for line, cells in product_rows(first.line, self._product(group), variants, handle):
            yield self.made(line, cells)

    def _count_contradictions(self, group: Sequence[Row]) -> None:
        """What a further row says of the product, and otherwise than its first."""
        for row in group[1:]:
            for what in _OF_THE_PRODUCT:
                said = self.said(row, what)
                if said and said != self.said(group[0], what):
                    self.left_out[f"{self.names[what]} (in a further row of the product)"] += 1

    def _product(self, group: Sequence[Row]) -> dict[str, str]:
        first = group[0]
        category, kind = self.said(first, "category"), self.said(first, "type")
        if category and kind:
            self.left_out[self.names["category"]] += 1
        return {
            "slug": self.said(first, "handle"),
            "name": self.said(first, "name"),
            "description": self.said(first, "description"),
            "brand": self.said(first, "brand"),
            "category": kind or category,
            "tags": self.said(first, "tags"),
            "is_active": self._is_active(first),
            **image_cells(self._images(group), self.names["image"], self.leave_out),
        }

    def _is_active(self, first: Row) -> str:
        """Sold, unless the status or the online shop says that it is not."""
        status, published = self.said(first, "status"), self.said(first, "published")
        active = _SOLD.get(status.lower(), status)
        return "no" if switch(published) is False and active in {"yes", ""} else active or published

    def _images(self, group: Iterable[Row]) -> list[Image]:
        found: list[tuple[int, Image]] = []
        for row in group:
            place = self.said(row, "image_position")
            if address := self.said(row, "image"):
                image = Image(address, self.said(row, "image_alt_text"))
                found.append((int(place) if place.isdecimal() else len(found), image))
        return [image for _place, image in sorted(found, key=lambda pair: pair[0])]

    def _is_variant(self, row: Row) -> bool:
        return any(self.said(row, what) for what in ("option1", "sku", "price"))

    def _variant(self, row: Row, first: Row) -> Variant:
        options = {}
        for number in (1, 2, 3):
            name, value = (
                self.said(first, f"option{number}_name"),
                self.said(row, f"option{number}"),
            )
            if value and (name.lower(), value.lower()) != _NO_OPTION:
                options[name or f"Option {number}"] = value
        price = self.said(row, "price")
        weight, unit = weighed(self.said(row, "grams"), self.said(row, "weight_unit"))
        images = image_cells(
            [Image(self.said(row, "variant_image"))], self.names["variant_image"], self.leave_out
        )
        values = {
            "sku": self.said(row, "sku").lstrip("'"),
            "barcode": self.said(row, "barcode").lstrip("'"),
            "price": price,
            "compare_at_price": former_price(
                price, self.said(row, "compare_at_price"), self.names["compare_at_price"],
                self.leave_out,
            ),
            "cost": self.said(row, "cost"),
            "tax_class": "zero" if switch(self.said(row, "taxable")) is False else "",
            "weight": weight,
            "weight_unit": unit,
            **(images if options else {}),
        }  # fmt: skip
        return Variant(row.line, values, options)


class NewerTranslation(ClassicTranslation):
    names = NEWER


SHOPIFY = SourceFormat(
    name="shopify",
    label=gettext_lazy("Shopify products"),
    translation=ClassicTranslation,
    needs=frozenset({"Handle", "Title"}),
    one_of=frozenset({"Variant Price", "Variant SKU"}),
)
SHOPIFY_NEWER = SourceFormat(
    name="shopify-newer",
    label=gettext_lazy("Shopify products"),
    translation=NewerTranslation,
    needs=frozenset({"URL handle", "Title"}),
    one_of=frozenset({"Option1 value", "Product image URL", "Weight value (grams)"}),
)
