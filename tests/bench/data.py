"""Products for the benchmarks: as many as wanted, the same for the same number."""

import csv
import random
from pathlib import Path

HEADER = [
    "sku", "name", "brand", "barcode", "price", "cost", "tax_class", "weight", "weight_unit",
    "is_active", "category", "description",
]  # fmt: skip
_WORDS = ["Kettle", "Grinder", "Press", "Cup", "Scale", "Filter", "Pot", "Mug", "Tray", "Spoon"]
_BRANDS = [f"Brand {letter}" for letter in "ABCDEFGHIJKLMNOPQRST"]
_TAGS = [f"tag {number}" for number in range(40)]


def write_products(
    path: Path, count: int, *, tags: bool = False, change_every: int = 0, first: int = 0
) -> Path:
    """A CSV of `count` products of 12 columns; `change_every` alters the price of each n-th.

    `first` is the number of the first, which its SKU, name and barcode have.
    """
    chance = random.Random(count)  # noqa: S311 - not for secrets
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*HEADER, *(["tags"] if tags else [])])
        for number in range(first, first + count):
            price = chance.randrange(100, 99_999)
            changed = change_every and number % change_every == 0
            words = " ".join(chance.sample(_WORDS, 3))
            row = [
                f"SKU-{number:07}",
                f"{words} {number}",
                _BRANDS[number % len(_BRANDS)],
                f"20{number:010}0",
                f"{(price + (1 if changed else 0)) / 100:.2f}",
                f"{price / 200:.2f}",
                "standard",
                f"{chance.randrange(10, 5000) / 1000}",
                "kg",
                "yes",
                f"Group {number % 20} > Shelf {number % 200}",
                f"A {words.lower()} for every day, made to last and easy to clean.",
            ]
            if tags:
                row.append(", ".join(chance.sample(_TAGS, 2)))
            writer.writerow(row)
    return path
