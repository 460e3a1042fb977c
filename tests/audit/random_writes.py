"""Random writes, done to the database and to a plain model of it that also keeps the history.

The model knows three things of the record, and nothing of how it is made: a row that comes, changes
or goes has one history row with its values then; that row says who was at work and why; and within
a transaction all rows belong together for as long as the same context is at work. A roll-back takes
everything back to where its block began.
"""

from collections import defaultdict
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import IntegrityError, connection, models, transaction
from django.db.models import ProtectedError

from backoffice.accounts.models import User
from backoffice.audit.context import Source, announce_context, audit_context
from inventory.models import Category, Product, ProductImage, ProductTag, Tag

# What of each table the model keeps, and what the history is compared in.
COLUMNS: dict[type[models.Model], tuple[str, ...]] = {
    Category: ("name", "parent_id", "path"),
    Tag: ("name",),
    Product: ("sku", "name", "price", "category_id"),
    ProductTag: ("product_id", "tag_id"),
    ProductImage: ("product_id", "url", "position"),
}
NAMES = ("A", "B", "C")

type Values = tuple[Any, ...]


@dataclass(frozen=True)
class Who:
    """A context: somebody with a reason. None of it is where nothing was announced."""

    actor: int | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Told:
    """A history row as it is to be; `together` is equal for the rows of one change set."""

    kind: str
    values: Values
    who: Who
    together: int


@dataclass
class Model:
    """The live rows of each table by their key, and the history of each."""

    rows: dict[type[models.Model], dict[int, Values]] = field(
        default_factory=lambda: {model: {} for model in COLUMNS}
    )
    history: dict[tuple[type[models.Model], int], list[Told]] = field(
        default_factory=lambda: defaultdict(list)
    )
    # Whose change set the transaction is writing to, and its number.
    writing: tuple[Who, int] | None = None


class World:
    """Does each operation twice: to the database, and to the model."""

    def __init__(self, actors: list[User]) -> None:
        self.actors = actors
        self.model = Model()
        self.who = Who()
        self.numbers = 0

    # Blocks

    def run(self, program: list[Any]) -> None:
        """Statements, each a tuple of its name and its arguments; blocks hold more of them."""
        for name, *arguments in program:
            getattr(self, f"do_{name}")(*arguments)

    def do_transaction(self, keeps: bool, body: list[Any]) -> None:
        """A transaction; within another one, a savepoint."""
        outermost = not connection.in_atomic_block
        before = deepcopy(self.model)
        if outermost:
            self.model.writing = None
        with transaction.atomic():
            self.run(body)
            if not keeps:
                transaction.set_rollback(True)
        if not keeps:
            self.model = before
        if outermost:
            self.model.writing = None

    def do_within(self, actor: int, body: list[Any]) -> None:
        outer, user = self.who, self.actors[actor % len(self.actors)]
        self.who = Who(user.pk, f"reason {actor}")
        with audit_context(
            source=Source.ADMIN, actor=user, action="At random", reason=self.who.reason
        ):
            self.run(body)
        self.who = outer

    def _one_piece(self, write: Callable[[], Any]) -> Any:
        """What Django does in one transaction, where none is open already."""
        if not connection.in_atomic_block:
            self.model.writing = None
        return write()

    def _told(self, kind: str, model: type[models.Model], key: int, values: Values) -> None:
        if self.model.writing is None or self.model.writing[0] != self.who:
            self.numbers += 1
            self.model.writing = (self.who, self.numbers)
        told = Told(kind, values, self.who, self.model.writing[1])
        self.model.history[model, key].append(told)

    def _came(self, model: type[models.Model], key: int, *values: Any) -> None:
        self.model.rows[model][key] = values
        self._told("+", model, key, values)

    def _became(self, model: type[models.Model], key: int, **changed: Any) -> None:
        values = self.model.rows[model][key]
        named = {**dict(zip(COLUMNS[model], values, strict=True)), **changed}
        if (now := tuple(named.values())) != values:
            self.model.rows[model][key] = now
            self._told("~", model, key, now)

    def _went(self, model: type[models.Model], key: int) -> None:
        self._told("-", model, key, self.model.rows[model].pop(key))

    def _pick(self, model: type[models.Model], number: int) -> int | None:
        keys = sorted(self.model.rows[model])
        return keys[number % len(keys)] if keys else None

    def _some(self, model: type[models.Model], mask: int) -> list[int]:
        return [key for n, key in enumerate(sorted(self.model.rows[model])) if mask >> n % 6 & 1]

    # Products

    def do_add_products(self, how: str, number: int, price: int) -> None:
        self.numbers += 1
        skus = [f"S-{self.numbers}-{n}" for n in range(number)]
        new = [Product(sku=sku, name=sku, slug=sku.lower(), price=price) for sku in skus]

        def write() -> None:
            if how == "save":
                with transaction.atomic():
                    for product in new:
                        product.save()
            elif how == "bulk":
                Product.objects.bulk_create(new)
            elif how == "many":
                with connection.cursor() as cursor, transaction.atomic():
                    cursor.executemany(
                        "INSERT INTO inventory_product (sku, name, slug, price) "
                        "VALUES (%s, %s, %s, %s)",
                        [(p.sku, p.name, p.slug, p.price) for p in new],
                    )
            else:
                with transaction.atomic(), connection.cursor() as cursor:
                    announce_context(connection)
                    with cursor.copy(
                        "COPY inventory_product (sku, name, slug, price) FROM STDIN"
                    ) as copy:
                        for p in new:
                            copy.write_row((p.sku, p.name, p.slug, p.price))

        self._one_piece(write)
        for key, sku in Product.objects.filter(sku__in=skus).values_list("pk", "sku"):
            self._came(Product, key, sku, sku, price, None)

    def do_price(self, how: str, mask: int, price: int) -> None:
        keys = self._some(Product, mask)
        found = Product.objects.filter(pk__in=keys)

        def write() -> None:
            if how == "save":
                with transaction.atomic():
                    for product in found:
                        product.price = price
                        product.save()
            elif how == "update":
                found.update(price=price)
            elif how == "bulk":
                products = list(found)
                for product in products:
                    product.price = price
                    product.name = "not among the fields"
                Product.objects.bulk_update(products, ["price"])
            elif how == "sql":
                with connection.cursor() as cursor:
                    cursor.execute(
                        "WITH them AS (SELECT unnest(%s::bigint[]) AS id) UPDATE inventory_product "
                        "SET price = %s FROM them WHERE inventory_product.id = them.id",
                        [keys, price],
                    )
            else:
                rows = [(self.model.rows[Product][key][0].lower(), price) for key in keys]
                with connection.cursor() as cursor:
                    cursor.execute(
                        "INSERT INTO inventory_product (sku, name, slug, price) "
                        "SELECT sku, sku, sku, price FROM unnest(%s::text[], %s::numeric[]) "
                        "AS new (sku, price) "
                        "ON CONFLICT (lower(sku)) DO UPDATE SET price = EXCLUDED.price",
                        [[sku for sku, _ in rows], [amount for _, amount in rows]],
                    )

        self._one_piece(write)
        for key in keys:
            self._became(Product, key, price=price)

    def do_delete_products(self, how: str, mask: int) -> None:
        keys = self._some(Product, mask)
        found = Product.objects.filter(pk__in=keys)

        def write() -> None:
            if how == "one":
                with transaction.atomic():
                    for product in found:
                        product.delete()
            else:
                found.delete()

        self._one_piece(write)
        for part in (ProductTag, ProductImage):
            for key in [k for k, v in self.model.rows[part].items() if v[0] in keys]:
                self._went(part, key)
        for key in keys:
            self._went(Product, key)

    # Tags, by every way that a many-to-many field has

    def do_add_tag(self) -> None:
        self.numbers += 1
        tag = self._one_piece(lambda: Tag.objects.create(name=f"t{self.numbers}"))
        self._came(Tag, tag.pk, tag.name)

    def do_delete_tag(self, number: int) -> None:
        key = self._pick(Tag, number)
        if key is None:
            return
        self._one_piece(Tag.objects.get(pk=key).delete)
        for link in [k for k, v in self.model.rows[ProductTag].items() if v[1] == key]:
            self._went(ProductTag, link)
        self._went(Tag, key)

    def do_tags(self, how: str, number: int, mask: int) -> None:
        key = self._pick(Product, number)
        if key is None:
            return
        wanted = set(self._some(Tag, mask))
        had = {v[1]: k for k, v in self.model.rows[ProductTag].items() if v[0] == key}
        tags = Product.objects.get(pk=key).tags
        if how == "sql":
            with connection.cursor() as cursor:
                self._one_piece(
                    lambda: cursor.execute(
                        "DELETE FROM inventory_producttag WHERE product_id = %s AND tag_id = "
                        "ANY(%s)",
                        [key, list(wanted)],
                    )
                )
        elif how == "clear":
            self._one_piece(tags.clear)
        elif how == "set":
            self._one_piece(lambda: tags.set(wanted))
        else:
            self._one_piece(lambda: getattr(tags, how)(*wanted))
        come = wanted - had.keys() if how in ("add", "set") else set()
        gone = {
            "add": set(),
            "remove": wanted & had.keys(),
            "sql": wanted & had.keys(),
            "set": had.keys() - wanted,
            "clear": set(had),
        }[how]
        for tag in gone:
            self._went(ProductTag, had[tag])
        links = ProductTag.objects.filter(product_id=key, tag_id__in=come)
        for link in links.values_list("pk", "product_id", "tag_id"):
            self._came(ProductTag, *link)

    # Images

    def do_add_image(self, number: int) -> None:
        key = self._pick(Product, number)
        if key is None:
            return
        made = self._one_piece(lambda: ProductImage.objects.create(product_id=key, url="/1.jpg"))
        self._came(ProductImage, made.pk, key, "/1.jpg", 0)

    def do_move_images(self, mask: int, position: int) -> None:
        keys = self._some(ProductImage, mask)
        found = ProductImage.objects.filter(pk__in=keys)
        self._one_piece(lambda: found.update(position=position))
        for key in keys:
            self._became(ProductImage, key, position=position)

    # Categories, whose path the database keeps

    def do_add_category(self, number: int, name: int) -> None:
        parent = self._pick(Category, number) if number else None
        made = Category(name=NAMES[name], parent_id=parent)
        repeats = self._repeats(None, NAMES[name], parent)
        if self._refused(made.save, self._sibling(parent, NAMES[name]) or repeats):
            return
        self._came(Category, made.pk, made.name, parent, self._path(parent, made.name))

    def do_rename_category(self, number: int, name: int) -> None:
        key = self._pick(Category, number)
        if key is None:
            return
        taken = self._sibling(self.model.rows[Category][key][1], NAMES[name])
        found = Category.objects.filter(pk=key)
        repeats = self._repeats(key, NAMES[name], self.model.rows[Category][key][1])
        forbidden = taken not in (None, key) or repeats
        if not self._refused(lambda: found.update(name=NAMES[name]), forbidden):
            self._placed(key, name=NAMES[name])

    def do_move_category(self, number: int, to: int) -> None:
        key = self._pick(Category, number)
        if key is None:
            return
        parent = self._pick(Category, to) if to else None
        rows = self.model.rows[Category]
        above, inside = parent, False
        while above is not None:
            inside = inside or above == key
            above = rows[above][1]
        taken = self._sibling(parent, rows[key][0])
        category = Category.objects.get(pk=key)
        category.parent_id = parent
        repeats = not inside and self._repeats(key, rows[key][0], parent)
        if not self._refused(category.save, inside or taken not in (None, key) or repeats):
            self._placed(key, parent_id=parent)

    def _repeats(self, key: int | None, name: str, parent: int | None) -> bool:
        """Whether a path would name a category twice, if this one had that name and place."""
        rows = {k: (v[0], v[1]) for k, v in self.model.rows[Category].items()}
        rows[key or 0] = (name, parent)
        for place in rows:
            names: list[str] = []
            step: int | None = place
            while step is not None:
                names.append(rows[step][0].lower())
                step = rows[step][1]
            if len({*names}) < len(names):
                return True
        return False

    def do_delete_category(self, number: int) -> None:
        key = self._pick(Category, number)
        if key is None:
            return
        in_use = any(v[1] == key for v in self.model.rows[Category].values()) or any(
            v[3] == key for v in self.model.rows[Product].values()
        )
        if not self._refused(Category.objects.get(pk=key).delete, in_use):
            self._went(Category, key)

    def do_put_into_category(self, mask: int, number: int) -> None:
        keys, category = self._some(Product, mask), self._pick(Category, number)
        found = Product.objects.filter(pk__in=keys)
        self._one_piece(lambda: found.update(category_id=category))
        for key in keys:
            self._became(Product, key, category_id=category)

    def _refused(self, write: Callable[[], Any], expected: Any) -> bool:
        """Whether the database refused it, which it must exactly where the model expects so."""
        self._one_piece(lambda: None)
        try:
            with transaction.atomic():
                write()
        except (IntegrityError, ProtectedError):
            assert expected
            return True
        assert not expected
        return False

    def _sibling(self, parent: int | None, name: str) -> int | None:
        places = self.model.rows[Category].items()
        return next((k for k, v in places if v[:2] == (name, parent)), None)

    def _path(self, parent: int | None, name: str) -> str:
        return f"{self.model.rows[Category][parent][2]} > {name}" if parent else name

    def _placed(self, key: int, **changed: Any) -> None:
        """The category's own change, and that of the paths below it."""
        name, parent, _ = self.model.rows[Category][key]
        place = {"name": name, "parent_id": parent, **changed}
        self._became(Category, key, **place, path=self._path(place["parent_id"], place["name"]))
        for child in [k for k, v in self.model.rows[Category].items() if v[1] == key]:
            self._placed(child)


def recorded(model: type[models.Model], history: Any) -> dict[int, list[Told]]:
    """What the database has on the record of a table, by key, in the order of the work."""
    found: dict[int, list[Told]] = defaultdict(list)
    for row in history.order_by("history_id"):
        values = tuple(getattr(row, column) for column in COLUMNS[model])
        who = Who(row.history_user_id, row.history_change_reason)
        key = getattr(row, model._meta.pk.attname)
        found[key].append(Told(row.history_type, values, who, row.change_set_id))
    return dict(found)


def renumbered(told: Told, numbers: dict[int, int]) -> Told:
    """The same with the model's number of its change set, where that is known."""
    return replace(told, together=numbers.get(told.together, -told.together))
