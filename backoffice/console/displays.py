"""How values look in lists and forms."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

NOTHING = "—"


def money(amount: Decimal | None, *, places: int = 2) -> SafeString | str:
    """An amount in the shop's currency; an em dash where there is none."""
    if amount is None:
        return NOTHING
    return format_html(
        '<span class="money">{} <span class="money-currency">{}</span></span>',
        number_format(amount, places, force_grouping=True),
        settings.CURRENCY,
    )


def number(value: int | None) -> SafeString | str:
    """A count with its thousands grouped; an em dash where there is none."""
    if value is None:
        return NOTHING
    return format_html('<span class="number">{}</span>', number_format(value, force_grouping=True))


def number_column(description: Any, *, ordering: Any = None) -> Callable[..., Any]:
    """Decorates a display method whose value belongs to the right, under its header."""
    decorator: Callable[..., Any] = display(
        description=description,
        ordering=ordering,
        formatting="price",
        wrapper_class="number-column",
    )
    return decorator
