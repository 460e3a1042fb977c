"""Changes of many products at once: set-based, in one transaction, as one change set.

Each takes the products as a QuerySet, locks them in the order of their keys, and leaves alone
those that the plan (inventory.selectors) skips. Two that overlap wait for each other; neither
can deadlock.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, F, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import ngettext_lazy

from backoffice.accounts.models import User
from backoffice.audit.context import AuditContext, Source, audit_context, current_context
from backoffice.audit.language import on_record
from backoffice.audit.reasons import ReasonMissing, bulk_needs_reason, said
from inventory.exceptions import PercentOutOfRange
from inventory.models import Category, Product, ProductTag, Tag
from inventory.selectors import (
    SkipReason,
    activation_plan,
    category_plan,
    price_plan,
    tag_plan,
)

LOWEST_PERCENT = Decimal(-100)
HIGHEST_PERCENT = Decimal(1000)


@dataclass(frozen=True, kw_only=True)
class BulkOutcome:
    """How many products were changed, and how many were left alone for which reason."""

    done: int
    skipped: dict[SkipReason, int] = field(default_factory=dict)


def activate_products(*, products: QuerySet[Product], actor: User, reason: str) -> BulkOutcome:
    """Put products on sale."""
    return _carry_out(
        products=products,
        plan=lambda rows: activation_plan(rows, active=True),
        write=lambda rows: rows.update(is_active=True),
        actor=actor,
        reason=reason,
        action=lambda n: on_record(
            ngettext_lazy("%d product activated", "%d products activated", n), n
        ),
    )


def deactivate_products(*, products: QuerySet[Product], actor: User, reason: str) -> BulkOutcome:
    """Take products off sale; they stay in the catalogue."""
    return _carry_out(
        products=products,
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
) -> BulkOutcome:
    """Move products into a category, out of the one that they were in."""
    return _carry_out(
        products=products,
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


def add_tag(*, products: QuerySet[Product], tag: Tag, actor: User, reason: str) -> BulkOutcome:
    """Give products a tag besides those that they carry."""
    return _carry_out(
        products=products,
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
) -> BulkOutcome:
    """Raise or (below 0) lower prices, rounded to the cent and a half upwards.

    Raises PercentOutOfRange outside of LOWEST_PERCENT to HIGHEST_PERCENT.
    """
    if not LOWEST_PERCENT <= percent <= HIGHEST_PERCENT:
        raise PercentOutOfRange(percent=percent, lowest=LOWEST_PERCENT, highest=HIGHEST_PERCENT)
    return _carry_out(
        products=products,
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


@transaction.atomic
def _carry_out(
    *,
    products: QuerySet[Product],
    plan: Callable[[QuerySet[Product]], QuerySet[Any]],
    write: Callable[[QuerySet[Product]], int],
    actor: User,
    reason: str,
    action: Callable[[int], str],
) -> BulkOutcome:
    """Lock, plan, write. Raises ReasonMissing where the reason is blank."""
    reason = said(reason)
    if bulk_needs_reason() and not reason:
        raise ReasonMissing
    planned = plan(_locked(products))
    counted: Counter[str] = Counter(
        dict(planned.values_list("skip").annotate(number=Count("pk")).order_by())
    )
    to_change = counted.pop("", 0)
    if to_change:
        with _on_the_record(actor=actor, reason=reason, action=action(to_change)):
            write(planned.filter(skip=""))
    return BulkOutcome(
        done=to_change, skipped={SkipReason(skip): n for skip, n in sorted(counted.items())}
    )


def _locked(products: QuerySet[Product]) -> QuerySet[Product]:
    """The products as they are now, locked in the order of their keys until the transaction ends.

    They are named by their keys from here on: a change may take them out of the filter by which
    they were found.
    """
    found: QuerySet[Product] = Product.objects.filter(pk__in=products.order_by().values("pk"))
    keys = list(found.order_by("pk").select_for_update().values_list("pk", flat=True))
    # One array, not a parameter each: there may be a million.
    locked: QuerySet[Product] = Product.objects.filter(
        pk__in=RawSQL("SELECT unnest(%s::bigint[])", [keys])
    )
    return locked.order_by()


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


def _on_the_record(
    *, actor: User, reason: str, action: str
) -> AbstractContextManager[AuditContext]:
    facts = {"actor": actor, "reason": reason, "action": action}
    if current_context() is None:  # nobody opened one: someone at a Python prompt
        facts["source"] = Source.SHELL
    return audit_context(**facts)
