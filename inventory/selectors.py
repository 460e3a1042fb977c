"""Reads that span models: what a change of many products would do, and the catalogue in numbers.

A plan (see backoffice.bulk) annotates each product with `skip`, the SkipReason for which it is left
alone.
"""

from decimal import Decimal

from django.db import models
from django.db.models import Exists, F, OuterRef, QuerySet, Value, When
from django.utils.translation import gettext_lazy as _

from backoffice.bulk import raised_by_percent, skipping

from .models import Category, Product, ProductTag, Tag

HIGHEST_PRICE = Decimal("9999999999.9999")  # what numeric(14, 4) holds


class SkipReason(models.TextChoices):
    """Why a product is left alone by a change that would otherwise apply to it."""

    ALREADY_ACTIVE = "already_active", _("already active")
    ALREADY_INACTIVE = "already_inactive", _("already inactive")
    ALREADY_THERE = "already_there", _("in this category already")
    ALREADY_TAGGED = "already_tagged", _("carrying this tag already")
    SAME_PRICE = "same_price", _("the price stays the same")
    COMPARE_AT_NOT_ABOVE = (
        "compare_at_not_above",
        _("the compare-at price would not be above the new price"),
    )
    PRICE_TOO_HIGH = "price_too_high", _("the new price would be too high to store")


def activation_plan(products: QuerySet[Product], *, active: bool) -> QuerySet[Product]:
    already = SkipReason.ALREADY_ACTIVE if active else SkipReason.ALREADY_INACTIVE
    return products.annotate(skip=skipping(When(is_active=active, then=Value(already.value))))


def category_plan(products: QuerySet[Product], *, category: Category) -> QuerySet[Product]:
    already = Value(SkipReason.ALREADY_THERE.value)
    return products.annotate(skip=skipping(When(category=category, then=already)))


def tag_plan(products: QuerySet[Product], *, tag: Tag) -> QuerySet[Product]:
    carried = ProductTag.objects.filter(product=OuterRef("pk"), tag=tag)
    already = Value(SkipReason.ALREADY_TAGGED.value)
    return products.annotate(skip=skipping(When(Exists(carried), then=already)))


def price_plan(products: QuerySet[Product], *, percent: Decimal) -> QuerySet[Product]:
    """Annotates `new_price` too: rounded to the cent, and a half upwards.

    A price that goes below the cent, as that of a screw does, keeps its four decimals.
    """
    new_price = raised_by_percent(F("price"), percent, places=4)
    return products.annotate(new_price=new_price).annotate(
        skip=skipping(
            When(new_price=F("price"), then=Value(SkipReason.SAME_PRICE.value)),
            When(new_price__gt=HIGHEST_PRICE, then=Value(SkipReason.PRICE_TOO_HIGH.value)),
            When(
                compare_at_price__lte=F("new_price"),
                then=Value(SkipReason.COMPARE_AT_NOT_ABOVE.value),
            ),
        )
    )
