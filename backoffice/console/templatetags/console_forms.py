from decimal import Decimal
from typing import Any

from django import template
from django.utils.formats import number_format

from backoffice.console.displays import money

register = template.Library()


@register.filter
def shown_value(field: Any) -> Any:
    """The value of a field that cannot be edited: money as money, numbers without idle zeros."""
    resolved = field.resolved_field
    value = resolved[2] if isinstance(resolved, tuple) and resolved[0] is not None else None
    if not isinstance(value, Decimal):
        return field.contents()
    if field.field["field"] in getattr(field.model_admin, "money_fields", ()):
        return money(value)
    plain = value.normalize()
    places = max(0, -int(plain.as_tuple().exponent))
    return number_format(plain, places, force_grouping=True)
