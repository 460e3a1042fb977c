"""Spree's products: a row of the product, below it a row of each variant, all with its slug.

Prices in further currencies stand in rows of their own; a product has one price here.
"""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.exchange.formats import GroupedTranslation, SourceFormat
from backoffice.exchange.reading import Row

from .shaping import FIELDS, Image, Variant, former_price, image_cells, priced, product_rows

_CLAIMED = (
    "slug", "sku", "name", "price", "compare_at_price", "currency", "status", "description",
    "tags", "weight", "weight_unit", "category1", "brand_name", "barcode",
    *(f"image{n}_src" for n in range(1, 10)),
    *(f"option{n}_{part}" for n in range(1, 10) for part in ("name", "value")),
)  # fmt: skip
_OPTIONS = range(1, 10)
_SOLD = {"active": "yes", "draft": "no", "archived": "no", "paused": "no"}


class SpreeTranslation(GroupedTranslation):
    header = FIELDS

    def __init__(self, source: Sequence[str]) -> None:
        super().__init__(source)
        self.claim(_CLAIMED)
        # That of the first price: the one in which the shop sells.
        self.currency = ""

    def handle(self, row: Row, before: str) -> str:
        return self.cell(row, "slug")

    def things(self, group: Sequence[Row]) -> Iterator[Row]:
        rows = [row for row in group if not self._is_another_price(row)]
        if not rows:
            return
        first, slug = rows[0], self.cell(rows[0], "slug")
        if not slug or not self.cell(first, "name"):
            problem = _(
                "The row has no slug, or goes on with a product whose first row is not right "
                "above. Put the rows of a product together, the one with its name first."
            )
            yield from (self.refused(row, problem) for row in rows)
            return
        variants = [self._variant(row) for row in rows if self._options(row)]
        product = {
            **self._values(first),
            "slug": slug,
            "name": self.cell(first, "name"),
            "description": self.cell(first, "description"),
            "brand": self.cell(first, "brand_name"),
            "category": self.cell(first, "category1").replace("->", ">"),
            "tags": self.cell(first, "tags"),
            "is_active": self._is_active(first),
        }
        for line, cells in product_rows(first.line, product, variants, slug):
            yield self.made(line, cells)
        for row in rows[1:]:
            if not self._options(row):
                problem = _("The row is of a variant and has no option. Name what sets it apart.")
                yield self.refused(row, problem)

    def _is_another_price(self, row: Row) -> bool:
        """A row with nothing but a price in a further currency, which is counted as such."""
        currency = self.cell(row, "currency").upper()
        self.currency = self.currency or currency
        if currency in {"", self.currency} or self.cell(row, "name"):
            return False
        self.left_out[f"price ({currency})"] += 1
        return True

    def _is_active(self, first: Row) -> str:
        status = self.cell(first, "status")
        return _SOLD.get(status.lower(), status)

    def _options(self, row: Row) -> dict[str, str]:
        named = ((self.cell(row, f"option{n}_name"), n) for n in _OPTIONS)
        return {name: self.cell(row, f"option{n}_value") for name, n in named if name}

    def _variant(self, row: Row) -> Variant:
        return Variant(row.line, self._values(row), self._options(row))

    def _values(self, row: Row) -> dict[str, str]:
        currency, weight = self.cell(row, "currency"), self.cell(row, "weight")
        price = priced(self.cell(row, "price"), currency)
        former = priced(self.cell(row, "compare_at_price"), currency)
        images = [Image(self.cell(row, f"image{n}_src")) for n in range(1, 10)]
        return {
            "sku": self.cell(row, "sku"),
            "barcode": self.cell(row, "barcode"),
            "price": price,
            "compare_at_price": former_price(price, former, "compare_at_price", self.leave_out),
            "weight": weight,
            "weight_unit": self.cell(row, "weight_unit") if weight else "",
            **image_cells(images, "image_src", self.leave_out),
        }


SPREE = SourceFormat(
    name="spree",
    label=gettext_lazy("Spree products"),
    translation=SpreeTranslation,
    needs=frozenset({"slug", "sku", "name", "price", "status"}),
    one_of=frozenset({"option1_name", "category1", "image1_src", "inventory_count"}),
)
