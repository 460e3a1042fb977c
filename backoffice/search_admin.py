"""The search of a list in the admin, for ModelAdmins of every room."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from .search import expected_rows, in_this_order, similar_keys, with_codes_first, with_words

MOST_BY_KEY = 1_000


class SearchAdmin(admin.ModelAdmin):
    """Finds every word of the search in any order, and words like them where nothing has these.

    `search_text` is the expression that is searched; in upper case it has an index of trigrams,
    unless there are few rows. `search_codes` are the fields of which an exact value stands first.
    `request.search_is_similar` says that what was found is only similar.
    """

    search_text: Any = None
    search_codes: Sequence[str] = ()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        request.search_is_similar = False  # type: ignore[attr-defined]
        if self.search_text is None:
            return super().get_search_results(request, queryset, search_term)
        if not search_term.strip("\0 \t\r\n"):
            return queryset, False
        exact = with_words(queryset, self.search_text, search_term)
        if expected_rows(exact.order_by().values("pk")) > MOST_BY_KEY:
            keys: list[Any] | None = None if exact.order_by().exists() else []
        else:
            # Found once: what is done with few rows afterwards need not search again.
            keys = list(exact.order_by().values_list("pk", flat=True)[: MOST_BY_KEY + 1])
            if 0 < len(keys) <= MOST_BY_KEY:
                exact = queryset.filter(pk__in=keys)
        if keys is None or keys:
            return with_codes_first(exact, self.search_codes, search_term), False
        keys = similar_keys(queryset, self.search_text, search_term)
        if not keys:
            return exact, False
        request.search_is_similar = True  # type: ignore[attr-defined]
        return in_this_order(queryset, keys), False
