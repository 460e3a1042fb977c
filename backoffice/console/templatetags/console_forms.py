import json
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django import template
from django.db.models import JSONField
from django.http import HttpRequest
from django.urls import Resolver404, resolve
from django.utils.formats import number_format
from django.utils.html import format_html

from backoffice.console.displays import money

register = template.Library()

FILTERS = "_changelist_filters"  # as Django's admin calls them in an address


@register.filter
def shown_value(field: Any) -> Any:
    """The value of a field that cannot be edited: money as money, numbers without idle zeros."""
    resolved = field.resolved_field
    value = resolved[2] if isinstance(resolved, tuple) and resolved[0] is not None else None
    if isinstance(resolved, tuple) and isinstance(resolved[0], JSONField):
        # Unfold colours it by attributes that the policy of the page refuses.
        text = json.dumps(value, ensure_ascii=False, indent=2, cls=resolved[0].encoder)
        return format_html('<pre class="console-json">{}</pre>', text) if value else ""
    if not isinstance(value, Decimal):
        return field.contents()
    if field.field["field"] in getattr(field.model_admin, "money_fields", ()):
        return money(value)
    plain = value.normalize()
    places = max(0, -int(plain.as_tuple().exponent))
    return number_format(plain, places, force_grouping=True)


@register.filter
def way_back(link: str, request: HttpRequest) -> str:
    """A link of the breadcrumbs, back to the list with the filters that the user came from."""
    filters = request.GET.get(FILTERS, "")
    above = link.removesuffix("change/")
    if not (filters and link and request.path.startswith(above) and request.path != link):
        return link
    try:
        page = resolve(link).url_name or ""
    except Resolver404:
        return link
    if page.endswith("_changelist"):
        return f"{link}?{filters}"
    return f"{link}?{urlencode({FILTERS: filters})}" if page.endswith("_change") else link
