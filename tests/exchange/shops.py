"""Files as other shops' software writes them: small ones for tests, with all their columns."""

import csv
import io
from collections.abc import Mapping, Sequence

CLASSIC = [
    "Handle", "Title", "Body (HTML)", "Vendor", "Type", "Tags", "Published", "Option1 Name",
    "Option1 Value", "Option2 Name", "Option2 Value", "Option3 Name", "Option3 Value",
    "Variant SKU", "Variant Grams", "Variant Inventory Tracker", "Variant Inventory Qty",
    "Variant Inventory Policy", "Variant Fulfillment Service", "Variant Price",
    "Variant Compare At Price", "Variant Requires Shipping", "Variant Taxable", "Variant Barcode",
    "Image Src", "Image Position", "Image Alt Text", "Gift Card", "SEO Title", "SEO Description",
    "Google Shopping / Google Product Category", "Google Shopping / Gender",
    "Google Shopping / Age Group", "Google Shopping / MPN", "Google Shopping / AdWords Grouping",
    "Google Shopping / AdWords Labels", "Google Shopping / Condition",
    "Google Shopping / Custom Product", "Google Shopping / Custom Label 0",
    "Google Shopping / Custom Label 1", "Google Shopping / Custom Label 2",
    "Google Shopping / Custom Label 3", "Google Shopping / Custom Label 4", "Variant Image",
    "Variant Weight Unit", "Variant Tax Code", "Cost per item", "Status",
]  # fmt: skip
# Of the exports since 2024: markets, measures, metafields, linked options, no quantities.
LATER = [
    *(name for name in CLASSIC if name != "Variant Inventory Qty"),
    "Product Category", "Option1 Linked To", "Option2 Linked To", "Unit Price Total Measure",
    "Included / United States", "Price / United States",
    "Colour (product.metafields.shopify.color-pattern)",
]  # fmt: skip
NEWER_NAMES = {
    "Handle": "URL handle",
    "Body (HTML)": "Description",
    "Product Category": "Product category",
    "Published": "Published on online store",
    "Variant SKU": "SKU",
    "Variant Price": "Price",
    "Variant Compare At Price": "Compare-at price",
    "Variant Barcode": "Barcode",
    "Variant Grams": "Weight value (grams)",
    "Variant Weight Unit": "Weight unit for display",
    "Variant Inventory Qty": "Inventory quantity",
    "Variant Inventory Tracker": "Inventory tracker",
    "Variant Inventory Policy": "Continue selling when out of stock",
    "Variant Fulfillment Service": "Fulfillment service",
    "Variant Requires Shipping": "Requires shipping",
    "Variant Taxable": "Charge tax",
    "Variant Tax Code": "Tax code",
    "Image Src": "Product image URL",
    "Image Position": "Image position",
    "Image Alt Text": "Image alt text",
    "Variant Image": "Variant image URL",
    **{f"Option{n} Name": f"Option{n} name" for n in (1, 2, 3)},
    **{f"Option{n} Value": f"Option{n} value" for n in (1, 2, 3)},
}  # fmt: skip
INVENTORY = [
    "Handle", "Title", "Option1 Name", "Option1 Value", "Option2 Name", "Option2 Value",
    "Option3 Name", "Option3 Value", "SKU",
]  # fmt: skip
INVENTORY_LAYOUTS = [
    [*INVENTORY, "12 High Street"],
    [
        *INVENTORY, "HS Code", "COO", "Location", "Incoming", "Unavailable", "Committed",
        "Available", "On hand",
    ],
    [
        *INVENTORY, "HS Code", "COO", "Location", "Bin name", "Incoming (not editable)",
        "Unavailable (not editable)", "Committed (not editable)", "Available (not editable)",
        "On hand (current)", "On hand (new)",
    ],
]  # fmt: skip
WOOCOMMERCE = [
    "ID", "Type", "SKU", "GTIN, UPC, EAN, or ISBN", "Name", "Published", "Is featured?",
    "Visibility in catalog", "Short description", "Description", "Date sale price starts",
    "Date sale price ends", "Tax status", "Tax class", "In stock?", "Stock", "Low stock amount",
    "Backorders allowed?", "Sold individually?", "Weight (kg)", "Length (cm)", "Width (cm)",
    "Height (cm)", "Allow customer reviews?", "Purchase note", "Sale price", "Regular price",
    "Categories", "Tags", "Shipping class", "Images", "Download limit", "Download expiry days",
    "Parent", "Grouped products", "Upsells", "Cross-sells", "External URL", "Button text",
    "Position", "Brands", "Attribute 1 name", "Attribute 1 value(s)", "Attribute 1 visible",
    "Attribute 1 global", "Attribute 2 name", "Attribute 2 value(s)",
]  # fmt: skip
VENDURE = [
    "name", "slug", "description", "assets", "facets", "optionGroups", "optionValues", "sku",
    "price", "taxCategory", "stockOnHand", "trackInventory", "variantAssets", "variantFacets",
]  # fmt: skip


def file_of(header: Sequence[str], *rows: Mapping[str, str]) -> str:
    """A file with all these columns and what the rows say."""
    unknown = {name for row in rows for name in row} - {*header}
    assert not unknown, unknown
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, header, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def renamed(content: str, names: Mapping[str, str]) -> str:
    """The same file under other headers."""
    header, *rows = csv.reader(io.StringIO(content, newline=""))
    text = io.StringIO(newline="")
    csv.writer(text).writerows([[names.get(name, name) for name in header], *rows])
    return text.getvalue()
