"""The objects before and after one in the list that the user came from."""

import copy
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import quote
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import FieldError
from django.db.models import OrderBy, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict

from backoffice.audit.admin.recorded import RecordedAdmin

from .lists.paging import MOST_COUNTED, CannotContinue, as_place, order_terms, page_keys

FILTERS = "_changelist_filters"


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """Links to the form before and the form after; blank at the ends of the list."""

    previous: str
    next: str


class NeighboursMixin(RecordedAdmin):
    """Leads from one form to the next, by the filters, the search and the order of the list.

    Two rows are read, from the index of the order, whatever the size of the list.
    """

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        kind: Any = super().get_changelist(request, **kwargs)
        return _rows_only(kind) if getattr(request, "_console_rows_only", False) else kind

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        obj = context.get("original")
        if obj is not None and not context.get("is_popup") and request.method == "GET":
            context["neighbours"] = self.neighbours(request, obj)
        return super().render_change_form(request, context, *args, **kwargs)

    def neighbours(self, request: HttpRequest, obj: Any) -> Neighbours | None:
        """None where the list cannot be made again, or its order cannot be followed that far."""
        listing = copy.copy(request)
        listing.GET = QueryDict(request.GET.get(FILTERS, ""), mutable=True)  # type: ignore[assignment]
        listing._console_rows_only = True  # type: ignore[attr-defined]
        try:
            rows = self.get_changelist_instance(listing)
            before, after = _keys_around(rows.queryset, rows.root_queryset, obj.pk)
        except (IncorrectLookupParameters, FieldError, ValueError):
            return None
        if before is None and after is None:
            return None
        return Neighbours(
            previous=self._form_of(request, before), next=self._form_of(request, after)
        )

    def _form_of(self, request: HttpRequest, key: Any) -> str:
        if key is None:
            return ""
        return add_preserved_filters(
            {"preserved_filters": self.get_preserved_filters(request), "opts": self.opts},
            self.record_url("change", quote(str(key))),
        )


@cache
def _rows_only(kind: Any) -> type[ChangeList]:
    """A list that is asked for its rows in their order, and fetches no page of them."""
    return type(kind.__name__, (kind,), {"get_results": lambda self, request: None})


def _keys_around(rows: QuerySet, all_rows: QuerySet, key: Any) -> tuple[Any, Any]:
    """The keys before and after; also of an object that no longer fits the filter."""
    try:
        terms = order_terms(rows)
    except CannotContinue:
        return _keys_around_by_counting(rows, key)
    here = page_keys(rows.filter(pk=key), terms, None, offset=0, limit=1) or page_keys(
        all_rows.filter(pk=key), terms, None, offset=0, limit=1
    )
    if not here or not terms:
        return None, None
    before, after = (_beyond(rows, terms, here[0], backwards=side) for side in (True, False))
    return before, after


def _beyond(rows: QuerySet, terms: list[OrderBy], here: tuple[Any, ...], *, backwards: bool) -> Any:
    place = as_place(here, backwards=backwards, number=None)
    found = page_keys(rows, terms, place, offset=0, limit=1)
    return found[0][0] if found else None


def _keys_around_by_counting(rows: QuerySet, key: Any) -> tuple[Any, Any]:
    """In an order of no index: the keys are read in their order, up to a bound."""
    keys = list(rows.values_list("pk", flat=True)[: MOST_COUNTED + 1])
    if key not in keys:
        return None, None
    at = keys.index(key)
    return keys[at - 1] if at else None, keys[at + 1] if at + 1 < len(keys) else None
