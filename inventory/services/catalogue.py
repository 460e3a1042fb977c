"""Changes of many products at once: set-based, in one transaction, as one change set.

Each takes the products as a QuerySet, locks them in the order of their keys, and leaves alone
those that the plan (inventory.selectors) skips. Two that overlap wait for each other; neither
can deadlock.
"""

from decimal import Decimal

from django.db import connection
from django.db.models import F, QuerySet
from django.utils.translation import ngettext_lazy

from backoffice.accounts.models import User
from backoffice.audit.language import on_record
from backoffice.bulk import Outcome, carry_out
from inventory.exceptions import PercentOutOfRange
from inventory.models import Category, Product, ProductTag, Tag
from inventory.selectors import activation_plan, category_plan, price_plan, tag_plan

LOWEST_PERCENT = Decimal(-100)
HIGHEST_PERCENT = Decimal(1000)


def activate_products(*, products: QuerySet[Product], actor: User, reason: str) -> Outcome:
    """Put products on sale."""
    return carry_out(
        rows=products,
        plan=lambda rows: activation_plan(rows, active=True),
        write=lambda rows: rows.update(is_active=True),
        actor=actor,
        reason=reason,
        action=lambda n: on_record(
            ngettext_lazy("%d product activated", "%d products activated", n), n
        ),
    )


def deactivate_products(*, products: QuerySet[Product], actor: User, reason: str) -> Outcome:
    """Take products off sale; they stay in the catalogue."""
    return carry_out(
        rows=products,
        plan=lambda rows: activation_plan(rows, active=False),
        write=lambda rows: rows.update(is_active=False),
        actor=actor,
        reason=reason,
        action=lambda n: on_record(
            ngettext_lazy("%d product deactivated", "%d products deactivated", n), n
        ),
    )


def set_category(
    *, products: QuerySet[Product], category: Category, actor: User, reason: str
) -> Outcome:
    """Move products into a category, out of the one that they were in."""
    return carry_out(
        rows=products,
        plan=lambda rows: category_plan(rows, category=category),
        write=lambda rows: rows.update(category=category),
        actor=actor,
        reason=reason,
        action=lambda n: on_record(
            ngettext_lazy(
                "%(count)d product moved to %(category)s",
                "%(count)d products moved to %(category)s",
                n,
            ),
            {"count": n, "category": category},
        ),
    )


def add_tag(*, products: QuerySet[Product], tag: Tag, actor: User, reason: str) -> Outcome:
    """Give products a tag besides those that they carry."""
    return carry_out(
        rows=products,
        plan=lambda rows: tag_plan(rows, tag=tag),
        write=lambda rows: _insert_tag(rows, tag),
        actor=actor,
        reason=reason,
        action=lambda n: on_record(
            ngettext_lazy(
                "Tag “%(tag)s” added to %(count)d product",
                "Tag “%(tag)s” added to %(count)d products",
                n,
            ),
            {"count": n, "tag": tag},
        ),
    )


def change_prices_by_percent(
    *, products: QuerySet[Product], percent: Decimal, actor: User, reason: str
) -> Outcome:
    """Raise or (below 0) lower prices, rounded to the cent and a half upwards.

    Raises PercentOutOfRange outside of LOWEST_PERCENT to HIGHEST_PERCENT.
    """
    if not LOWEST_PERCENT <= percent <= HIGHEST_PERCENT:
        raise PercentOutOfRange(percent=percent, lowest=LOWEST_PERCENT, highest=HIGHEST_PERCENT)
    return carry_out(
        rows=products,
        plan=lambda rows: price_plan(rows, percent=percent),
        write=lambda rows: rows.update(price=F("new_price")),
        actor=actor,
        reason=reason,
        action=lambda n: on_record(
            ngettext_lazy(
                "Price of %(count)d product changed by %(percent)s %%",
                "Price of %(count)d products changed by %(percent)s %%",
                n,
            ),
            {"count": n, "percent": f"{percent.normalize():f}"},
        ),
    )


def _insert_tag(products: QuerySet[Product], tag: Tag) -> int:
    # The locks hold off who would tag one of them meanwhile: their foreign key waits for it.
    keys = list(products.values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{ProductTag._meta.db_table}" (product_id, tag_id) '
            "SELECT key, %s FROM unnest(%s::bigint[]) AS key",
            [tag.pk, keys],
        )
        return int(cursor.rowcount)
