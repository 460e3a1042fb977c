"""Medusa's products: a row of each variant, which repeats the facts of its product."""

import re
from collections.abc import Iterator, Sequence

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.exchange.formats import GroupedTranslation, SourceFormat
from backoffice.exchange.reading import Row

from .shaping import FIELDS, Image, Variant, image_cells, priced, product_rows, weighed

_CLAIMED = (
    "Product Handle", "Product Title", "Product Status", "Product Description", "Variant Sku",
    "Variant Barcode", "Product Type", "Product Collection Title", "Product Weight",
    "Variant Weight",
)  # fmt: skip
_PRICE = re.compile(r"(?:Variant )?Price (?:\S+ )?\[?([A-Z]{3})\]?", re.IGNORECASE)
_SOLD = {"published": "yes", "draft": "no", "proposed": "no", "rejected": "no"}
# What a product without options has.
_NO_OPTION = ("default option", "default option value")


class MedusaTranslation(GroupedTranslation):
    header = FIELDS

    def __init__(self, source: Sequence[str]) -> None:
        super().__init__(source)
        # In the shop's own currency if there is one; a product has one price here.
        prices = {found[1].upper(): name for name in source if (found := _PRICE.fullmatch(name))}
        first = next(iter(prices), "")
        self.currency = settings.CURRENCY if settings.CURRENCY in prices else first
        self.price = prices.get(self.currency, "")
        self.images = self._numbered(r"Product Image \d+( Url)?")
        self.tags = self._numbered(r"Product Tag \d+")
        self.options = [
            (name, re.sub("Name$", "Value", name))
            for name in self._numbered(r"(Variant )?Option \d+ Name")
        ]
        both = [name for pair in self.options for name in pair]
        self.claim([*_CLAIMED, self.price, *self.images, *self.tags, *both])

    def _numbered(self, pattern: str) -> list[str]:
        return [name for name in self.source if re.fullmatch(pattern, name, re.IGNORECASE)]

    def handle(self, row: Row, before: str) -> str:
        return self.cell(row, "Product Handle")

    def things(self, group: Sequence[Row]) -> Iterator[Row]:
        first, handle = group[0], self.cell(group[0], "Product Handle")
        if not handle:
            problem = _("The row has no handle, so it belongs to no product. Give it its handle.")
            yield from (self.refused(row, problem) for row in group)
            return
        status = self.cell(first, "Product Status")
        kind = self.cell(first, "Product Type") or self.cell(first, "Product Collection Title")
        images = [Image(self.cell(first, name)) for name in self.images]
        product = {
            "slug": handle,
            "name": self.cell(first, "Product Title"),
            "description": self.cell(first, "Product Description"),
            "category": kind,
            "tags": ",".join(filter(None, (self.cell(first, name) for name in self.tags))),
            "is_active": _SOLD.get(status.lower(), status),
            **image_cells(images, "Product Image", self.leave_out),
        }
        variants = [self._variant(row) for row in group]
        for line, cells in product_rows(first.line, product, variants, handle):
            yield self.made(line, cells)

    def _variant(self, row: Row) -> Variant:
        options = {}
        for name, value in self.options:
            pair = (self.cell(row, name), self.cell(row, value))
            if all(pair) and (pair[0].lower(), pair[1].lower()) != _NO_OPTION:
                options[pair[0]] = pair[1]
        grams = self.cell(row, "Variant Weight") or self.cell(row, "Product Weight")
        weight, unit = weighed(grams, "g")
        values = {
            "sku": self.cell(row, "Variant Sku"),
            "barcode": self.cell(row, "Variant Barcode"),
            "price": priced(self.cell(row, self.price), self.currency) if self.price else "",
            "weight": weight,
            "weight_unit": unit,
        }
        return Variant(row.line, values, options)


MEDUSA = SourceFormat(
    name="medusa",
    label=gettext_lazy("Medusa products"),
    translation=MedusaTranslation,
    needs=frozenset({"Product Handle", "Product Title"}),
    one_of=frozenset({"Variant Title", "Variant Sku"}),
)
