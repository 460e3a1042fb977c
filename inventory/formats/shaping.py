"""What the formats of other shops have in common: how their values become those of a product."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.conf import settings

from backoffice.exchange.children import ADDRESS_SEPARATOR, TEXT_SEPARATOR
from inventory.models import Product

# What a file of another shop can say of a product here.
FIELDS = (
    "sku", "name", "slug", "description", "brand", "barcode", "price", "compare_at_price", "cost",
    "tax_class", "weight", "weight_unit", "is_active", "is_featured", "category", "tags",
    "variant_of", "options", "images", "image_alt_texts",
)  # fmt: skip

_LONGEST_SKU = Product._meta.get_field("sku").max_length or 0
_NUMBER = re.compile(r"[+-]?\d*[.,]?\d+|[+-]?\d+[.,]")
_CURRENCY_CODE = re.compile(r" [A-Z]{3}$")
_GRAMS = {
    "g": Decimal(1),
    "kg": Decimal(1000),
    "oz": Decimal("28.349523125"),
    "lb": Decimal("453.59237"),
}
_YES = {"true", "yes", "1", "t", "y"}
_NO = {"false", "no", "0", "f", "n", "-1"}

type LeaveOut = Callable[[str], None]


@dataclass
class Image:
    address: str
    alt_text: str = ""


@dataclass
class Variant:
    """One thing that can be bought: the row that names it, its values, and its options."""

    line: int
    values: dict[str, str]
    options: dict[str, str] = field(default_factory=dict)


def key_of(*parts: str) -> str:
    """A SKU for what has none: its handle, and the values of its options behind it.

    The same parts always give the same SKU, so that the file can come again. One that is too
    long ends in a sum of the whole.
    """
    slugs = [re.sub(r"[^\w.]+", "-", part.lower()).strip("-_") for part in parts]
    key = "-".join(slug for slug in slugs if slug)
    if len(key) <= _LONGEST_SKU:
        return key
    return f"{key[: _LONGEST_SKU - 9]}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"


def number(text: str) -> Decimal | None:
    """What a text is as a number, to compare it with others; with a decimal comma too."""
    amount = _CURRENCY_CODE.sub("", text)
    return Decimal(amount.replace(",", ".")) if _NUMBER.fullmatch(amount) else None


def priced(amount: str, currency: str) -> str:
    """An amount that says its currency where it is not the shop's, so that nobody mistakes it."""
    if not amount or currency.upper() in {"", settings.CURRENCY}:
        return amount
    return f"{amount} {currency.upper()}"


def least_price(variants: Sequence[Variant]) -> Variant | None:
    """The variant that costs least, of those whose price is a number."""
    priced = [
        (price, place)
        for place, variant in enumerate(variants)
        if (price := number(variant.values.get("price", ""))) is not None
    ]
    return variants[min(priced)[1]] if priced else None


def former_price(price: str, compare_at: str, column: str, leave_out: LeaveOut) -> str:
    """A compare-at price where it is above the price; shops keep ones that say nothing."""
    now, former = number(price), number(compare_at)
    if not former or now is None or former > now:
        return "" if former == 0 else compare_at
    leave_out(f"{column} (not above the price)")
    return ""


def weighed(grams: str, unit: str) -> tuple[str, str]:
    """Weight and unit: in the unit that the shop shows, if grams are exact in it, else in grams."""
    if not grams or not re.fullmatch(r"\d*\.?\d+", grams):
        return grams, "g" if grams else ""
    shown = unit.strip().lower() if unit.strip().lower() in _GRAMS else "g"
    weight = (Decimal(grams) / _GRAMS[shown]).normalize()
    is_exact = weight * _GRAMS[shown] == Decimal(grams)
    if not is_exact or weight != round(weight, 3):
        shown, weight = "g", Decimal(grams).normalize()
    return f"{weight:f}", shown


def switch(text: str) -> bool | None:
    """What a yes or no means; None for a blank or another word."""
    word = text.strip().lower()
    return True if word in _YES else False if word in _NO else None


def image_cells(images: Sequence[Image], column: str, leave_out: LeaveOut) -> dict[str, str]:
    """The two cells of a product's images, in their order.

    The bare name of a file is no address, so it has no home; all else that is no address is said
    to be wrong with the row.
    """
    kept = []
    for image in images:
        if re.fullmatch(r"[^/:\\]+", image.address):
            leave_out(f"{column} (a file's name, no address)")
        elif image.address:
            kept.append(image)
    texts = [re.sub(r"(\\*\|)", r"\\\1", " ".join(image.alt_text.split())) for image in kept]
    return {
        "images": ADDRESS_SEPARATOR.join(image.address for image in kept),
        "image_alt_texts": TEXT_SEPARATOR.join(texts).lstrip() if any(texts) else "",
    }


def product_rows(
    line: int,
    product: Mapping[str, str],
    variants: Sequence[Variant],
    handle: str,
) -> list[tuple[int, dict[str, str]]]:
    """(line, cells) of a product and its variants; one thing without options is one product.

    A product's SKU is its own or its handle, a variant's its own or the handle with the values of
    its options. The price of a product with variants is the least of theirs. Variants have the
    brand and the category of their product, since they are what is sold.
    """
    if not variants or (len(variants) == 1 and not variants[0].options):
        own = variants[0].values if variants else {}
        merged = {**product, **{name: value for name, value in own.items() if value}}
        merged["sku"] = merged.get("sku") or key_of(handle)
        return [(line, merged)]
    sku = product.get("sku") or key_of(handle)
    taken = {variant.values.get("sku", "").lower() for variant in variants}
    if not product.get("sku") and sku.lower() in taken:
        sku = key_of(handle, "product")
    parent = {**product, "sku": sku}
    if cheapest := least_price(variants):
        for name in ("price", "compare_at_price"):
            parent[name] = cheapest.values.get(name, "")
    shared = {
        name: product.get(name, "") for name in ("brand", "category", "is_active", "tax_class")
    }
    rows = [(line, parent)]
    for variant in variants:
        named = [*variant.options.values()]
        own = {name: value for name, value in variant.values.items() if value}
        cells = {**shared, **own, "variant_of": sku}
        cells["sku"] = own.get("sku") or key_of(handle, *named)
        if product.get("name") and "name" not in own:
            cells["name"] = " - ".join(filter(None, [product["name"], ", ".join(named)]))
        if variant.options:
            cells["options"] = json.dumps(variant.options, ensure_ascii=False)
        rows.append((variant.line, cells))
    return rows
