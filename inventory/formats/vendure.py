"""Vendure's products: a row with a name is a product, those without one are its variants."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.exchange.formats import GroupedTranslation, SourceFormat
from backoffice.exchange.reading import Row
from inventory.models import Product

from .shaping import FIELDS, Image, Variant, image_cells, product_rows

_CLAIMED = (
    "name", "slug", "description", "assets", "facets", "optionGroups", "optionValues", "sku",
    "price", "taxCategory", "variantAssets", "enabled",
)  # fmt: skip
_BRANDS = ("brand", "manufacturer")


class VendureTranslation(GroupedTranslation):
    header = FIELDS

    def __init__(self, source: Sequence[str]) -> None:
        super().__init__(source)
        self.claim(_CLAIMED)

    def handle(self, row: Row, before: str) -> str:
        return str(row.number) if self.cell(row, "name") else before

    def things(self, group: Sequence[Row]) -> Iterator[Row]:
        first = group[0]
        if not self.cell(first, "name"):
            problem = _("The row has no name and no product stands above it. Give it its name.")
            yield from (self.refused(row, problem) for row in group)
            return
        slug = self.cell(first, "slug")
        groups = self._list(first, "optionGroups")
        product = {
            "slug": slug,
            "name": self.cell(first, "name"),
            "description": self.cell(first, "description"),
            "is_active": self.cell(first, "enabled"),
            **self._facets(first),
            **image_cells(self._images(first, "assets"), "assets", self.leave_out),
        }
        variants = [self._variant(row, groups) for row in group]
        handle = slug or self.cell(first, "name")
        for line, cells in product_rows(first.line, product, variants, handle):
            yield self.made(line, cells)

    def _list(self, row: Row, name: str) -> list[str]:
        parts = (part.strip() for part in self.cell(row, name).split("|"))
        return [part for part in parts if part]

    def _images(self, row: Row, name: str) -> list[Image]:
        return [Image(address) for address in self._list(row, name)]

    def _facets(self, first: Row) -> dict[str, str]:
        """Facets such as "brand:Apple": category and brand have a field, others are tags."""
        found: dict[str, str] = {}
        tags = []
        for facet in self._list(first, "facets"):
            kind, _colon, value = (part.strip() for part in facet.rpartition(":"))
            field = "brand" if kind.lower() in _BRANDS else kind.lower()
            if field not in {"brand", "category"}:
                tags.append(value)
            elif field in found:
                self.leave_out(f"facets (a further {field})")
            else:
                found[field] = value
        return {**found, "tags": ",".join(tags)}

    def _variant(self, row: Row, groups: Sequence[str]) -> Variant:
        values = self._list(row, "optionValues")
        names = [*groups, *(f"Option {n}" for n in range(len(groups) + 1, len(values) + 1))]
        options = dict(zip(names, values, strict=False))
        tax = self.cell(row, "taxCategory").lower()
        if tax and tax not in Product.TaxClass.values:
            self.leave_out("taxCategory (no such tax class)")
            tax = ""
        images = image_cells(self._images(row, "variantAssets"), "variantAssets", self.leave_out)
        facts = {
            "sku": self.cell(row, "sku"),
            "price": self.cell(row, "price"),
            "tax_class": tax,
            **images,
        }
        return Variant(row.line, facts, options)


VENDURE = SourceFormat(
    name="vendure",
    label=gettext_lazy("Vendure products"),
    translation=VendureTranslation,
    needs=frozenset({"name", "slug", "optionGroups", "optionValues", "sku"}),
)
