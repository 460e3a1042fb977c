"""How values look in lists and forms."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from unfold.decorators import display

NOTHING = "—"


def money(amount: Decimal | None) -> SafeString | str:
    """An amount in the shop's currency; an em dash where there is none.

    To the cent, unless it goes below the cent.
    """
    if amount is None:
        return NOTHING
    places = 2 if amount == round(amount, 2) else 4
    return format_html(
        '<span class="money">{} <span class="money-currency">{}</span></span>',
        number_format(amount, places, force_grouping=True),
        settings.CURRENCY,
    )


def grouped(value: int) -> str:
    """A count as text with its thousands grouped, for the middle of a sentence."""
    return number_format(value, force_grouping=True)


def number(value: int | None) -> SafeString | str:
    """A count with its thousands grouped; an em dash where there is none."""
    if value is None:
        return NOTHING
    return format_html('<span class="number">{}</span>', number_format(value, force_grouping=True))


def ago(moment: datetime | None) -> SafeString | str:
    """How long ago something was, with the exact time on hovering; an em dash for never."""
    if moment is None:
        return NOTHING
    return format_html(
        '<time class="nowrap" datetime="{}" title="{}">{}</time>',
        moment.isoformat(),
        date_format(localtime(moment), "DATETIME_FORMAT"),
        naturaltime(moment),
    )


def number_column(description: Any, *, ordering: Any = None) -> Callable[..., Any]:
    """Decorates a display method whose value belongs to the right, under its header."""
    decorator: Callable[..., Any] = display(
        description=description,
        ordering=ordering,
        formatting="price",
        wrapper_class="number-column",
    )
    return decorator
