"""The list itself: names of columns in its address, pages that stay cheap, what was found."""

from typing import Any

import unfold.views
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, ORDER_VAR, PAGE_VAR
from django.core.paginator import Page, Paginator
from django.db.models import OrderBy, QuerySet
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from backoffice.search import in_this_order

from .paging import (
    CannotContinue,
    Found,
    Place,
    as_place,
    find_page,
    order_terms,
)

AFTER_VAR = "after"
BEFORE_VAR = "before"
VIEW_VAR = "view"
COLUMNS_VAR = "cols"
END = "end"
# Where one is in the list; another filter or order begins anew.
PLACE_VARS = (PAGE_VAR, AFTER_VAR, BEFORE_VAR)


class CountedPaginator(Paginator):
    """A paginator that is told how many rows there are, and which are on the page."""

    def __init__(self, rows: Any, per_page: int, *, number: int) -> None:
        super().__init__(rows, per_page)
        self.number = number

    @cached_property
    def count(self) -> int:
        return self.number

    def page(self, number: Any) -> Page:
        return Page(self.object_list, self.validate_number(number), self)


class ChangeList(unfold.views.ChangeList):
    """A list of any number of rows.

    `is_estimate` says that `result_count` is not exact; then there are no numbers of pages, and
    one goes on from the last row. `is_similar` says that nothing has the words of the search, and
    that what is listed has words like them.
    """

    is_estimate = False
    is_similar = False
    first_link = previous_link = next_link = last_link = ""

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        # Templates make links and hidden fields of it: what they lead to begins anew.
        left = request.GET.copy()
        for name in (*PLACE_VARS, ERROR_FLAG):
            left.pop(name, None)
        request.GET = left  # type: ignore[assignment]  # immutable to views, not to this

    # The address.

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        left: dict[str, Any] = super().get_filters_params(params)
        for name in (*PLACE_VARS, VIEW_VAR, COLUMNS_VAR):
            left.pop(name, None)
        return left

    def get_query_string(self, new_params: Any = None, remove: Any = None) -> str:
        """With the names of columns where Django has their places, which each user chooses."""
        new_params = dict(new_params or {})
        if new_params.get(ORDER_VAR):
            tokens = str(new_params[ORDER_VAR]).split(".")
            new_params[ORDER_VAR] = ".".join(map(self._named, tokens))
        query: str = super().get_query_string(new_params, remove)
        return query

    def _named(self, token: str) -> str:
        _none, sign, place = token.rpartition("-")
        return f"{sign}{self.list_display[int(place)]}" if place.isdecimal() else token

    # The order.

    def get_ordering(self, request: HttpRequest, queryset: QuerySet) -> list[Any]:
        asked = (self._order_of(token) for token in self.params.get(ORDER_VAR, "").split("."))
        ordering = [term for term in asked if term is not None]
        if not ordering:
            ordering = list(self.model_admin.get_ordering(request) or self._get_default_ordering())
        if ordering and not queryset.order_by(*ordering).totally_ordered:
            # Ties break in the direction of the last term, as the indexes do.
            ordering.append("-pk" if _is_downwards(ordering[-1]) else "pk")
        return ordering or ["-pk"]

    def get_ordering_field_columns(self) -> dict[int, str]:
        if ORDER_VAR not in self.params:
            columns: dict[int, str] = super().get_ordering_field_columns()
            return columns
        found = {}
        for token in self.params[ORDER_VAR].split("."):
            _none, sign, name = token.rpartition("-")
            if (column := self._column(name)) in self.list_display:
                found[self.list_display.index(column)] = "desc" if sign else "asc"
        return found

    def _column(self, name: str) -> str | None:
        """The column of this name or, as Django has it, at this place; if the user may see it."""
        if name.isdecimal():
            return self.list_display[int(name)] if int(name) < len(self.list_display) else None
        return name if name in self.model_admin.columns_offered(self._request) else None

    def _order_of(self, token: str) -> Any:
        _none, sign, name = token.rpartition("-")
        column = self._column(name)
        sortable = self.sortable_by is None or column in self.sortable_by
        field = self.get_ordering_field(column) if column and sortable else None
        if not field:
            return None
        if isinstance(field, str):
            downwards = field.startswith("-") != bool(sign)
            return f"{'-' if downwards else ''}{field.removeprefix('-')}"
        term = field if isinstance(field, OrderBy) else OrderBy(field)
        return OrderBy(term.expression, descending=term.descending != bool(sign))

    # The page.

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet:
        self._request = request
        self._places = {name: self.params.pop(name, "") for name in (AFTER_VAR, BEFORE_VAR)}
        for name in PLACE_VARS:
            self.filter_params.pop(name, None)
        rows: QuerySet = super().get_queryset(request, exclude_parameters)
        self.is_similar = getattr(request, "search_is_similar", False)
        return rows

    def get_results(self, request: HttpRequest) -> None:
        self.show_full_result_count = self.model_admin.show_full_result_count
        self.show_admin_actions = True
        place = self._place()
        offset = 0 if place else max(self.page_num - 1, 0) * self.list_per_page
        if self.page_num < 1:
            raise IncorrectLookupParameters(PAGE_VAR)
        try:
            terms = order_terms(self.queryset)
        except CannotContinue:
            place, terms = None, []
        page = self._page(terms, place, offset)
        if place and place.backwards and len(page.rows) <= self.list_per_page:
            place = None  # the beginning, so from there
            page = self._page(terms, place, 0)
        found, more = page.rows[: self.list_per_page], len(page.rows) > self.list_per_page
        self.result_count, self.is_estimate = page.number, not page.is_exact
        if not found and offset:
            raise IncorrectLookupParameters(PAGE_VAR)
        self.can_show_all = self.result_count <= self.list_max_show_all and not self.is_estimate
        self.multi_page = self.result_count > self.list_per_page or bool(place or offset)
        if place and place.backwards:
            found.reverse()
        if self.show_all and self.can_show_all:
            self.result_list = self.queryset._clone()
        else:
            self.result_list = in_this_order(self.root_queryset, [row[0] for row in found])
        unfiltered = not self.has_active_filters and not self.query
        self.full_result_count = self.result_count if unfiltered else None
        self.paginator = CountedPaginator(
            self.result_list, self.list_per_page, number=self.result_count
        )
        self._link_pages(found, place, offset, more=more, terms=bool(terms))

    def _page(self, terms: list[OrderBy], place: Place | None, offset: int) -> Found:
        """The rows of the page and one beyond, if there is one."""
        try:
            return find_page(
                self.queryset, terms, place, offset=offset, limit=self.list_per_page + 1
            )
        except ValueError as wrong:
            raise IncorrectLookupParameters(wrong) from wrong

    def _place(self) -> Place | None:
        for name, text in self._places.items():
            if text:
                try:
                    return Place.read(text, backwards=name == BEFORE_VAR)
                except ValueError as wrong:
                    raise IncorrectLookupParameters(name) from wrong
        return None

    def _link_pages(
        self, found: list[Any], place: Place | None, offset: int, *, more: bool, terms: bool
    ) -> None:
        """Where a page is reached from its neighbour: in lists that are not counted to the end."""
        self.goes_on = bool(terms) and (self.is_estimate or place is not None)
        number = place.number if place else offset
        if place and place.backwards and number is not None:
            number = max(number - len(found), 0)
        self.first_number = None if number is None else number + 1
        self.last_number = None if number is None else number + len(found)
        if not self.goes_on or not found:
            return
        is_end = place is not None and place.backwards and not place.values
        has_next = (more and not (place and place.backwards)) or (
            place is not None and place.backwards and not is_end
        )
        has_previous = bool(offset) if place is None else (more or not place.backwards)
        if has_next:
            after = as_place(found[-1], backwards=False, number=self.last_number)
            self.next_link = self.get_query_string({AFTER_VAR: after.written()})
            self.last_link = self.get_query_string({BEFORE_VAR: END})
        if has_previous:
            before = as_place(found[0], backwards=True, number=number)
            self.previous_link = self.get_query_string({BEFORE_VAR: before.written()})
            self.first_link = self.get_query_string()

    # In words.

    @property
    def names(self) -> str:
        one = self.result_count == 1 and not self.is_estimate
        return str(self.opts.verbose_name if one else self.opts.verbose_name_plural)

    @property
    def number_in_words(self) -> str:
        """ "1,204", or "about 1,000,000" """
        shown = number_format(self.result_count, force_grouping=True)
        return _("about %(number)s") % {"number": shown} if self.is_estimate else shown

    @property
    def found_in_words(self) -> str:
        return f"{self.number_in_words} {self.names}"

    @property
    def place_in_words(self) -> str:
        """ "51–100 of about 1,000,000 products" """
        if self.first_number is None or self.last_number is None:
            return _("%(number)s of %(found)s") % {
                "number": len(self.result_list),
                "found": self.found_in_words,
            }
        return _("%(first)s–%(last)s of %(found)s") % {
            "first": number_format(self.first_number, force_grouping=True),
            "last": number_format(self.last_number, force_grouping=True),
            "found": self.found_in_words,
        }


def _is_downwards(term: Any) -> bool:
    if isinstance(term, str):
        return term.startswith("-")
    return isinstance(term, OrderBy) and bool(term.descending)
