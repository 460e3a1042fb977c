"""A catalogue of any size for the benchmarks of its pages, by SQL, with its history."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from backoffice.audit.context import Source, audit_context

_WORDS = {
    "adjectives": (
        "Classic Compact Electric Folding Wireless Stainless Ceramic Organic Vintage Nordic "
        "Portable Insulated Adjustable Heavy-duty Silent Slim Double-walled Enamelled Reusable "
        "Foldable Modular Waterproof Bluetooth Rechargeable Hand-made Recycled Ergonomic Magnetic "
        "Stackable Mini"
    ),
    "materials": "Steel Oak Glass Linen Bamboo Copper Walnut Cotton Silicone Granite Leather",
    "nouns": (
        "Kettle Grinder Teapot Whisk Toaster Saucepan Chopping-board Colander Headphones Lamp "
        "Backpack Notebook Blanket Cushion Thermometer Screwdriver Hammer Drill Bicycle-pump "
        "Helmet Tent Torch Mirror Vase Candle Tray Ladle Spatula Corkscrew Decanter Jug Mug Bowl "
        "Plate Knife Scissors Clock Speaker Keyboard Charger Kühler Rührgerät"
    ),
}
_BRANDS = [f"{first}{last}" for first in ("Nord", "Alt", "Berg", "Ama", "Contos", "Tail", "Fab")
           for last in ("haus", "kam", "line", "ora", "wind", "works", "ley", "ster")]  # fmt: skip
CATEGORIES, TAGS = 200, 40

# Each product follows from its number, by way of a hash: no column tells of another but through
# the noun, which the category goes by.
_PRODUCTS = """
    INSERT INTO inventory_product (sku, slug, created_at, updated_at, name, brand, barcode, price,
        compare_at_price, cost, tax_class, weight, weight_unit, is_active, is_featured, category_id,
        description)
    SELECT 'SKU-' || lpad(i::text, 7, '0'), 'sku-' || lpad(i::text, 7, '0'),
        now() - (1000000 - i) * interval '95 seconds',
        now() - m %% 1095 * interval '1 day' - n %% 86400 * interval '1 second',
        concat_ws(' ', (%(adjectives)s::text[])[1 + a %% %(n_adjectives)s],
            (%(materials)s::text[])[1 + m %% %(n_materials)s],
            (%(nouns)s::text[])[1 + n %% %(n_nouns)s], chr(65 + b %% 26) || (100 + i %% 9900)),
        CASE WHEN b %% 50 = 0 THEN '' ELSE (%(brands)s::text[])[1 + b %% %(n_brands)s] END,
        CASE WHEN a %% 40 = 0 THEN '' ELSE '40' || lpad((i * 7)::text, 11, '0') END,
        CASE WHEN i %% 2500 = 0 THEN 0 ELSE (100 + m %% 99900) / 100.0 END,
        CASE WHEN i %% 25 = 0 THEN 2000 END,
        CASE WHEN m %% 60 = 0 THEN NULL ELSE (50 + m %% 49900) / 100.0 END,
        'standard', (10 + i %% 5000) / 1000.0, 'kg', b %% 100 <> 1, a %% 200 = 1,
        CASE WHEN i %% 300 = 0 THEN NULL ELSE (SELECT id FROM bench_category
             WHERE number = (n %% %(n_nouns)s * 5 + i %% 5) %% %(categories)s) END,
        'Made to last and easy to clean. Number ' || i || ' of the catalogue.'
    FROM generate_series(%(first)s::int, %(last)s::int) i,
        LATERAL (SELECT hashint4(i) & 8388607 AS a, hashint4(-i) & 8388607 AS m,
            hashint4(i # 5555555) & 8388607 AS n, hashint4(i # 7777777) & 8388607 AS b)
"""
_IMAGES = """
    INSERT INTO inventory_productimage (product_id, url, position)
    SELECT id, '/static/inventory/sample/mug.svg', 0 FROM inventory_product
    WHERE id > %s AND hashint8(id) %% 100 <> 7
"""
_LINKS = """
    INSERT INTO inventory_producttag (product_id, tag_id)
    SELECT p.id, t.id FROM inventory_product p JOIN bench_tag t ON t.number = p.id %% %s
    WHERE p.id > %s AND p.id %% 3 = 0
"""
_STEP = 100_000
_RECORDED = 1_000


def fill(count: int) -> None:
    """As many products as that, those there already included; images on 99 of 100, tags on some.

    The first thousand as staff would add them, with their history; the rest without triggers, and
    with the indexes made afterwards, for these take most of the time.
    """
    _places()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), coalesce(max(id), 0) FROM inventory_product")
        have, newest = cursor.fetchone()
    recorded = min(count, _RECORDED)
    if have < recorded:
        with audit_context(source=Source.COMMAND, action="bench"):
            newest = _add(have + 1, recorded, newest)
    if count > _RECORDED:
        with connection.cursor() as cursor, _indexes_afterwards():
            cursor.execute("SET session_replication_role = replica")
            try:
                for first in range(max(have, _RECORDED) + 1, count + 1, _STEP):
                    newest = _add(first, min(first + _STEP - 1, count), newest)
            finally:
                cursor.execute("SET session_replication_role = DEFAULT")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


@contextmanager
def _indexes_afterwards() -> Iterator[None]:
    """Without the indexes of products meanwhile, but for those that keep what is unique."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index "
            "WHERE indrelid = 'inventory_product'::regclass AND NOT indisunique"
        )
        definitions = dict(cursor.fetchall())
        cursor.execute(f"DROP INDEX {', '.join(definitions)}")
        yield
        cursor.execute("SET maintenance_work_mem = '512MB'")
        for definition in definitions.values():
            cursor.execute(definition)
        cursor.execute("SET maintenance_work_mem = DEFAULT")


def _add(first: int, last: int, newest: int) -> int:
    """The products of these numbers; the key of the newest."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_PRODUCTS, _words() | {"first": first, "last": last})
        cursor.execute(_IMAGES, [newest])
        cursor.execute(_LINKS, [TAGS, newest])
        cursor.execute("SELECT max(id) FROM inventory_product")
        found: int = cursor.fetchone()[0]
        return found


def _words() -> dict[str, object]:
    lists = {name: words.split() for name, words in _WORDS.items()} | {"brands": _BRANDS}
    sizes = {f"n_{name}": len(words) for name, words in lists.items()}
    return {**lists, **sizes, "categories": CATEGORIES}


def _places() -> None:
    """Categories two deep and tags, and which is the n-th."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM inventory_category)")
        if not cursor.fetchone()[0]:
            cursor.execute(
                "INSERT INTO inventory_category (name, description) "
                "SELECT 'Department ' || i, '' FROM generate_series(1, 20) i"
            )
            cursor.execute(
                "INSERT INTO inventory_category (name, description, parent_id) "
                "SELECT 'Shelf ' || p.name || ' ' || i, '', p.id FROM inventory_category p, "
                "generate_series(1, %s) i WHERE p.parent_id IS NULL",
                [CATEGORIES // 20],
            )
            cursor.execute(
                "INSERT INTO inventory_tag (name) SELECT 'tag ' || i FROM generate_series(1, %s) i",
                [TAGS],
            )
        for table, where in (("category", "WHERE parent_id IS NOT NULL"), ("tag", "")):
            cursor.execute(f"DROP TABLE IF EXISTS bench_{table}")
            cursor.execute(
                f"CREATE TEMP TABLE bench_{table} AS SELECT id, "
                f"row_number() OVER (ORDER BY id) - 1 AS number FROM inventory_{table} {where}"
            )
            cursor.execute(f"CREATE UNIQUE INDEX ON bench_{table} (number)")
