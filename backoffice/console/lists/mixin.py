"""All that a list can do, as one class for the base ModelAdmin."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.contrib import messages
from django.contrib.admin.views.main import ERROR_FLAG
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from backoffice.console.models import SavedView
from backoffice.search_admin import SearchAdmin

from .cells import CellsMixin
from .changelist import ChangeList
from .columns import ColumnsMixin
from .quick import Chip, QuickFilter, chips
from .row_menu import RowMenuMixin
from .saved import (
    SavedViewsMixin,
    Tab,
    active_view,
    is_changed,
    lasting,
    may_delete,
    may_manage,
    tabs,
)


@dataclass(frozen=True, kw_only=True)
class Head:
    """What stands above a list."""

    tabs: list[Tab]
    chips: list[Chip]
    view: SavedView | None
    may_manage: bool
    may_delete: bool
    is_changed: bool
    can_be_saved: bool
    has_columns: bool
    query: str


class ListMixin(CellsMixin, ColumnsMixin, SavedViewsMixin, RowMenuMixin, SearchAdmin):
    """Search past typing errors, pages that stay cheap, columns, saved views, chips and cells."""

    quick_filters: Sequence[QuickFilter] = ()
    list_before_template = "console/lists/head.html"

    def get_urls(self) -> list[URLPattern]:
        prefix = f"{self.opts.app_label}_{self.opts.model_name}"

        def page(route: str, view: Any, name: str) -> URLPattern:
            wrapped = self.admin_site.admin_view(view)
            return cast(URLPattern, path(route, wrapped, name=f"{prefix}_{name}"))

        pages = [
            page("views/save/", self.view_save_view, "view_save"),
            page("views/<int:pk>/change/", self.view_change_view, "view_change"),
            page("views/<int:pk>/delete/", self.view_delete_view, "view_delete"),
        ]
        if self.list_columns:
            pages.append(page("columns/", self.columns_view, "columns"))
        if self.list_cells:
            pages += [
                page("<path:object_id>/cell/<slug:column>/", self.cell_view, "cell"),
                page("<path:object_id>/cell/<slug:column>/undo/", self.cell_undo_view, "cell_undo"),
            ]
        return [*pages, *super().get_urls()]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ChangeList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method == "GET" and ERROR_FLAG in request.GET:
            messages.warning(
                request,
                _(
                    "This list cannot be filtered as the address says, so it shows everything. "
                    "Filter it anew."
                ),
            )
        response: HttpResponse = super().changelist_view(request, extra_context)
        context = response.context_data if isinstance(response, TemplateResponse) else None
        if context is not None and isinstance(changelist := context.get("cl"), ChangeList):
            context["list_head"] = self._head(request)
            context["list_cells"] = self.cells_of(request, changelist)
            if changelist.is_estimate:
                context["selection_note_all"] = _("All %(found)s selected") % {
                    "found": changelist.found_in_words
                }
        return response

    def _head(self, request: HttpRequest) -> Head:
        view = active_view(self, request)
        hidden = self.hidden_fields(request)
        filters = [each for each in self.quick_filters if each.field not in hidden]
        return Head(
            tabs=tabs(self, request),
            chips=chips(filters, self.model._default_manager.all(), request.GET),
            view=view,
            may_manage=view is not None and may_manage(request.user, view),
            may_delete=view is not None and may_delete(request.user, view),
            is_changed=view is not None and is_changed(self, request, view),
            can_be_saved=bool(lasting(request.GET)) or "cols" in request.GET,
            has_columns=bool(self.list_columns),
            query=request.GET.urlencode(),
        )
