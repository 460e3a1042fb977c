"""WooCommerce's products: a row of each product and of each variation, in any order.

A variation names its parent by SKU or as "id:123". A product without a SKU goes by the latter.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from json import dumps

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.exchange.formats import SourceFormat, Translation
from backoffice.exchange.reading import Row

from .shaping import FIELDS, Image, former_price, image_cells, switch

_CLAIMED = (
    "ID", "Type", "SKU", "GTIN, UPC, EAN, or ISBN", "Name", "Published", "Is featured?",
    "Short description", "Description", "Tax status", "Tax class", "Sale price", "Regular price",
    "Categories", "Brands", "Tags", "Images", "Parent", "Cost of goods",
)  # fmt: skip
_TAX_CLASSES = {
    "": "", "parent": "", "standard": "standard", "reduced-rate": "reduced", "zero-rate": "zero",
}  # fmt: skip
_WEIGHT = re.compile(r"Weight \((\w+)\)", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"Attribute (\d+) name", re.IGNORECASE)
# A comma that belongs to a name has a backslash before it.
_COMMA = re.compile(r"(?<!\\),\s*")


class WooCommerceTranslation(Translation):
    header = (*FIELDS, "ID")

    def __init__(self, source: Sequence[str]) -> None:
        super().__init__(source)
        weights = [found for name in source if (found := _WEIGHT.fullmatch(name))]
        self.weight, self.unit = (weights[0][0], weights[0][1]) if weights else ("", "")
        self.attributes = [
            (found[0], f"Attribute {found[1]} value(s)")
            for name in source
            if (found := _ATTRIBUTE.fullmatch(name))
        ]
        both = [name for pair in self.attributes for name in pair]
        self.claim([*_CLAIMED, self.weight, *both])

    def rows(self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            if row.problem:
                yield self.refused(row)
                continue
            self.count_homeless(row)
            kind, *traits = [part.strip() for part in self.cell(row, "Type").lower().split(",")]
            self.left_out.update(Counter(f"Type ({trait})" for trait in traits))
            if kind == "grouped":
                # It has no price of its own; what it groups has rows of its own.
                self.leave_out("Type (grouped: a list of other products)")
            elif kind == "variation" and not self.cell(row, "Parent"):
                problem = _("The variation names no parent. Put the parent's SKU into Parent.")
                yield self.refused(row, problem)
            else:
                yield self.made(row.line, self._product(row, kind))

    def settled(self, table: str, column: Mapping[str, str]) -> Sequence[str]:
        """Parents by their SKU; their price the least of their variations; what those inherit."""
        sku, parent, price = column["sku"], column["variant_of"], column["price"]
        former, own_id = column["compare_at_price"], column["ID"]
        by_sku = (
            f"UPDATE {table} v SET {parent} = p.{sku} FROM {table} p "
            f"WHERE lower(v.{parent}) = 'id:' || p.{own_id} AND p.{sku} IS NOT NULL"
        )
        # Texts: what is no plain number is said to be wrong when the cells are checked.
        priced = (
            f"SELECT DISTINCT ON (1) lower(v.{parent}) AS parent, v.{price} AS price, "
            f"v.{former} AS former FROM {table} v WHERE v.{parent} IS NOT NULL "
            f"AND length(v.{price}) < 30 AND v.{price} ~ '^[0-9]+([.,][0-9]+)?$' "
            f"ORDER BY 1, replace(v.{price}, ',', '.')::numeric"
        )
        least = (
            f"UPDATE {table} p SET {price} = l.price, {former} = l.former FROM ({priced}) l "
            f"WHERE l.parent = lower(p.{sku}) AND p.{parent} IS NULL AND p.{price} IS NULL"
        )
        inherited = ", ".join(
            f"{name} = COALESCE(v.{name}, p.{name})"
            for name in (column["category"], column["brand"], column["tax_class"])
        )
        inherit = (
            f"UPDATE {table} v SET {inherited} FROM {table} p "
            f"WHERE lower(v.{parent}) = lower(p.{sku}) AND p.{parent} IS NULL"
        )
        return [by_sku, least, inherit]

    def _product(self, row: Row, kind: str) -> dict[str, str]:
        is_variation = kind == "variation"
        own_id, weight = self.cell(row, "ID"), self.cell(row, self.weight) if self.weight else ""
        images = [Image(address) for address in self._list(row, "Images")]
        options = self._options(row) if is_variation else {}
        if kind != "variable" and not is_variation:
            for name, value in self.attributes:
                if self.cell(row, value):
                    self.leave_out(f"{name}, {value} (of a product without variations)")
        return {
            "sku": self.cell(row, "SKU") or (f"id:{own_id}" if own_id else ""),
            "ID": own_id,
            "name": self.cell(row, "Name"),
            "description": self._description(row),
            "brand": self._first(row, "Brands"),
            "barcode": self.cell(row, "GTIN, UPC, EAN, or ISBN"),
            "cost": self.cell(row, "Cost of goods"),
            **self._prices(row),
            "tax_class": self._tax_class(row),
            "weight": weight,
            "weight_unit": self.unit if weight else "",
            "is_active": self._is_active(row),
            "is_featured": self.cell(row, "Is featured?"),
            "category": self._category(row),
            "tags": self._tags(row),
            "variant_of": self.cell(row, "Parent") if is_variation else "",
            "options": dumps(options, ensure_ascii=False) if options else "",
            **image_cells(images, "Images", self.leave_out),
        }

    def _list(self, row: Row, name: str) -> list[str]:
        parts = (part.replace("\\,", ",").strip() for part in _COMMA.split(self.cell(row, name)))
        return [part for part in parts if part]

    def _first(self, row: Row, name: str) -> str:
        first, *further = [*self._list(row, name), ""]
        if any(further):
            self.leave_out(f"{name} (further ones)")
        return first

    def _options(self, row: Row) -> dict[str, str]:
        pairs = ((self.cell(row, name), self.cell(row, value)) for name, value in self.attributes)
        # A variation without a value of an attribute stands for all of them.
        return {name: value.replace("\\,", ",") for name, value in pairs if name and value}

    def _description(self, row: Row) -> str:
        whole, short = self.cell(row, "Description"), self.cell(row, "Short description")
        if whole and short:
            self.leave_out("Short description")
        return whole or short

    def _prices(self, row: Row) -> dict[str, str]:
        """What is asked now; a reduction for a time only is left out."""
        regular, sale = self.cell(row, "Regular price"), self.cell(row, "Sale price")
        if sale and any(self.cell(row, f"Date sale price {end}") for end in ("starts", "ends")):
            self.leave_out("Sale price (for a time only)")
            sale = ""
        if not sale:
            return {"price": regular}
        former = former_price(sale, regular, "Regular price", self.leave_out)
        return {"price": sale, "compare_at_price": former}

    def _tax_class(self, row: Row) -> str:
        if self.cell(row, "Tax status").lower() == "none":
            return "zero"
        said = self.cell(row, "Tax class").lower()
        if said not in _TAX_CLASSES:
            self.leave_out("Tax class (none of ours)")
        return _TAX_CLASSES.get(said, "")

    def _is_active(self, row: Row) -> str:
        """Published; private (0) and draft (-1) are not."""
        said = self.cell(row, "Published")
        return "no" if switch(said) is False else said

    def _category(self, row: Row) -> str:
        """The deepest of the categories, the first of several such: a product has one here."""
        paths = self._list(row, "Categories")
        deepest = max(paths, key=lambda path: path.count(">"), default="")
        # The ways to it lie on its path already.
        steps = [step.strip() for step in deepest.split(">")]
        above = {" > ".join(steps[:depth]) for depth in range(1, len(steps) + 1)}
        for path in paths:
            if " > ".join(step.strip() for step in path.split(">")) not in above:
                self.leave_out("Categories (further ones)")
        return deepest

    def _tags(self, row: Row) -> str:
        tags = self._list(row, "Tags")
        for tag in tags:
            if "," in tag:
                self.leave_out("Tags (the comma in a name)")
        return ",".join(tag.replace(",", " ") for tag in tags)


WOOCOMMERCE = SourceFormat(
    name="woocommerce",
    label=gettext_lazy("WooCommerce products"),
    translation=WooCommerceTranslation,
    needs=frozenset({"Type", "SKU", "Name", "Published"}),
    one_of=frozenset({"Regular price", "Sale price", "Parent"}),
)
