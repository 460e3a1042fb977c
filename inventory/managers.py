"""The questions that the catalogue answers, as QuerySets; the managers add what makes rows."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

from django.db import connection, models, transaction
from django.db.models import Exists, F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Lower, Now

from backoffice.search import with_words

if TYPE_CHECKING:
    from .models import Category, Discount, Product, ProductTag, Tag  # noqa: F401 - in a subscript


class CategoryQuerySet(models.QuerySet["Category"]):
    def roots(self) -> Self:
        return self.filter(parent=None)

    def named(self, name: str) -> Self:
        """Of this name, whatever its case; in the database's way of telling case."""
        return self.annotate(_name=Lower("name")).filter(_name=Lower(Value(name)))

    def within(self, category: "Category") -> Self:
        """The category itself and all below it."""
        return self.filter(Q(pk=category.pk) | Q(path__startswith=f"{category.path} > "))


class CategoryManager(models.Manager.from_queryset(CategoryQuerySet)):  # type: ignore[misc]
    def get_or_none(self, **lookup: Any) -> "Category | None":
        found: Category | None = self.filter(**lookup).first()
        return found

    def lock_moves(self) -> None:
        """Hold off other moves until the transaction ends; before any category is locked.

        The triggers take this lock themselves, when a move is written. Who has locked a category
        by then would wait for the mover, and the mover for them.
        """
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock('inventory_category'::regclass::oid::bigint)"
            )

    @transaction.atomic
    def get_or_create_path(self, path: str) -> "Category":
        """The category at "A > B", made with all that is missing above it.

        Names are compared without regard to case. Raises ValueError as clean_path() does.
        """
        place: Category | None = None
        for name in self.model.clean_path(path).split(" > "):
            # By LOWER(), like the unique path: UPPER() takes other letters for the same.
            known = self.filter(parent=place).alias(lower_name=Lower("name"))
            found = known.filter(lower_name=Lower(Value(name))).first()
            place = found or self.create(parent=place, name=name)
            if not found:
                place.refresh_from_db(fields=["path"])
        return place  # type: ignore[return-value]  # a path has at least one name

    @transaction.atomic
    def create_paths(self, paths: Iterable[str]) -> int:
        """Make the categories at these paths where they are missing, and say how many were.

        What lies above them must be there, or among them. Set-based, level by level; the paths are
        in the form of clean_path().
        """
        places: dict[int, dict[str, str]] = {}
        for path in paths:
            places.setdefault(path.count(" > "), {}).setdefault(path.lower(), path)
        made = 0
        for _depth, level in sorted(places.items()):
            steps = [path.rpartition(" > ") for path in level.values()]
            with connection.cursor() as cursor:
                cursor.execute(
                    f"INSERT INTO {self.model._meta.db_table} (name, parent_id, description) "
                    "SELECT w.name, p.id, '' FROM unnest(%s::text[], %s::text[]) w (above, name) "
                    f"LEFT JOIN {self.model._meta.db_table} p ON lower(p.path) = lower(w.above) "
                    f"WHERE (w.above = '' OR p.id IS NOT NULL) AND NOT EXISTS (SELECT 1 "
                    f"FROM {self.model._meta.db_table} c WHERE lower(c.path) = lower("
                    "concat_ws(' > ', NULLIF(w.above, ''), w.name))) ON CONFLICT DO NOTHING",
                    [[above for above, _, _ in steps], [name for _, _, name in steps]],
                )
                made += cursor.rowcount
        return made

    def missing_above(self, paths: Iterable[str]) -> list[str]:
        """What is missing above these paths and is none of them; each before what it holds."""
        steps = {
            " > ".join(names[:depth]).lower(): " > ".join(names[:depth])
            for names in (path.split(" > ") for path in paths)
            for depth in range(1, len(names))
        }
        for path in paths:
            steps.pop(path.lower(), None)
        known = self.alias(lower_path=Lower("path")).filter(lower_path__in=list(steps))
        there = {path.lower() for path in known.values_list("path", flat=True)}
        return sorted((path for key, path in steps.items() if key not in there), key=str.lower)


class TagManager(models.Manager["Tag"]):
    def get_or_none(self, **lookup: Any) -> "Tag | None":
        return self.filter(**lookup).first()

    def named(self, names: Iterable[str]) -> "list[Tag]":
        """The tags of these names, made where missing; case does not tell them apart."""
        tags: list[Tag] = []
        for name in dict.fromkeys(name.strip() for name in names):
            found = self.annotate(_name=Lower("name")).filter(_name=Lower(Value(name))).first()
            if name and (tag := found or self.create(name=name)) not in tags:
                tags.append(tag)
        return tags


class ProductTagManager(models.Manager["ProductTag"]):
    """A link is called by both its ends, so these are fetched for all rows at once."""

    def get_queryset(self) -> models.QuerySet["ProductTag"]:
        return super().get_queryset().fetch_mode(models.FETCH_PEERS)


class DiscountQuerySet(models.QuerySet["Discount"]):
    def running(self) -> Self:
        """In force now, by the database's clock."""
        return self.filter(
            Q(starts_at=None) | Q(starts_at__lte=Now()),
            Q(ends_at=None) | Q(ends_at__gt=Now()),
            is_active=True,
        )


class JoinedText(models.Func):
    """Columns joined by spaces, in a form that an index can hold (CONCAT cannot be indexed)."""

    template = "(%(expressions)s)"
    arg_joiner = " || ' ' || "
    output_field = models.TextField()


def search_text() -> JoinedText:
    """What a search looks through; index and query must spell it alike."""
    return JoinedText(F("sku"), F("name"), F("brand"), F("barcode"))


class ProductQuerySet(models.QuerySet["Product"]):
    def active(self) -> Self:
        return self.filter(is_active=True)

    def inactive(self) -> Self:
        return self.filter(is_active=False)

    def featured(self) -> Self:
        return self.filter(is_featured=True)

    def on_sale(self) -> Self:
        """With a discount in force, or a former price to show."""
        running = Q(discount__in=self._discounts().running())
        return self.filter(running | Q(compare_at_price__isnull=False))

    def sellable(self) -> Self:
        """Active, and no mere heading over variants."""
        return self.active().filter(variants=None)

    def variants_only(self) -> Self:
        return self.filter(variant_of__isnull=False)

    def in_category(self, category: "Category") -> Self:
        """In the category or anywhere below it."""
        within = type(category).objects.within(category).values_list("pk", flat=True)
        # As a list, which the planner knows the size of.
        return self.filter(category__in=list(within))

    def uncategorised(self) -> Self:
        return self.filter(category=None)

    def without_image(self) -> Self:
        images: Any = self.model._meta.get_field("images").related_model
        return self.filter(~Exists(images.objects.filter(product=OuterRef("pk"))))

    def of_brands_like(self, text: str) -> Self:
        """Of the brands that have this text in them, whatever its case."""
        table = connection.ops.quote_name(self.model._meta.db_table)
        with connection.cursor() as cursor:
            # From brand to brand along their index: there are few, and none finds a part of one.
            cursor.execute(
                f"WITH RECURSIVE each AS ((SELECT brand FROM {table} ORDER BY brand LIMIT 1) "
                f"UNION ALL SELECT (SELECT p.brand FROM {table} p WHERE p.brand > each.brand "
                "ORDER BY p.brand LIMIT 1) FROM each WHERE each.brand IS NOT NULL) "
                "SELECT brand FROM each WHERE strpos(upper(brand), upper(%s)) > 0",
                [text],
            )
            return self.filter(brand__in=[brand for (brand,) in cursor.fetchall()])

    def tagged(self, *names: str) -> Self:
        """Carrying every one of these tags."""
        found = self
        for name in names:
            found = found.filter(tags__name__iexact=name)
        return found

    def search(self, text: str) -> Self:
        """Every word somewhere in SKU, name, brand or barcode, in any order and case."""
        return with_words(self, search_text(), text)

    def with_category(self) -> Self:
        return self.select_related("category")

    def with_tags(self) -> Self:
        return self.prefetch_related("tags")

    def with_thumbnail(self) -> Self:
        """Annotates `thumbnail`: the address of the first image, or None."""
        images: Any = self.model._meta.get_field("images").related_model
        first = images.objects.filter(product=OuterRef("pk")).order_by("position", "id")
        return self.annotate(thumbnail=Subquery(first.values("url")[:1]))

    def _discounts(self) -> DiscountQuerySet:
        discounts: Any = self.model._meta.get_field("discount").related_model
        return discounts.objects.all()  # type: ignore[no-any-return]


class ProductManager(models.Manager.from_queryset(ProductQuerySet)):  # type: ignore[misc]
    def get_or_none(self, **lookup: Any) -> "Product | None":
        found: Product | None = self.filter(**lookup).first()
        return found

    @transaction.atomic
    def create_with_tags(self, *, tags: Iterable[str] = (), **fields: Any) -> "Product":
        """Make a product and give it the tags of these names, which are made where missing."""
        product: Product = self.create(**fields)
        product.tags.set(self.model._meta.get_field("tags").related_model.objects.named(tags))
        return product
