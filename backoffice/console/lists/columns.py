"""Which columns a list shows, and in which order: each user's choice among those offered."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin.utils import label_for_field
from django.core.exceptions import PermissionDenied
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    QueryDict,
)
from django.template.response import TemplateResponse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from backoffice.console.models import ListLayout
from backoffice.console.secrecy import SecretFieldsMixin

from .changelist import COLUMNS_VAR, PLACE_VARS, VIEW_VAR
from .saved import active_view


@dataclass(frozen=True, kw_only=True)
class Choice:
    name: str
    label: str
    chosen: bool
    pinned: bool = False


class ColumnsMixin(SecretFieldsMixin):
    """Lets each user choose among `list_display`, which the list comes with, and `list_columns`.

    The first of `list_display` always stands first. What a user may not see is never offered.
    """

    list_columns: Sequence[str] = ()

    def columns_offered(self, request: HttpRequest) -> list[str]:
        """The columns that this user may have, in the order of the declaration."""
        hidden = self.hidden_fields(request)
        own = super().get_list_display(request)
        more = [
            name
            for name in self.list_columns
            if name not in own and self.secret_displays.get(name, name) not in hidden
        ]
        return [*own, *more]

    def get_list_display(self, request: HttpRequest) -> Any:
        offered = self.columns_offered(request)
        chosen = [name for name in self._chosen(request) if name in offered]
        if not chosen:
            return super().get_list_display(request)
        return list(dict.fromkeys([offered[0], *chosen]))

    def _chosen(self, request: HttpRequest) -> list[str]:
        """By the address, by the saved view that is open, or by what the user chose last."""
        if not self.list_columns:
            return []
        if named := request.GET.get(COLUMNS_VAR):
            return named.split(",")
        if view := active_view(self, request):
            return _names(view.columns)
        known: dict[str, list[str]] = request.__dict__.setdefault("_list_layouts", {})
        label = self.opts.label_lower
        if label not in known:
            layout = ListLayout.objects.filter(user=request.user.pk, model=label)
            known[label] = _names(layout.values_list("columns", flat=True).first())
        return known[label]

    def column_choices(self, request: HttpRequest) -> list[Choice]:
        """All columns offered, those shown first and in their order."""
        shown = self.get_list_display(request)
        offered = self.columns_offered(request)
        return [
            Choice(
                name=name,
                label=capfirst(str(label_for_field(name, self.model, self))),
                chosen=name in shown,
                pinned=name == offered[0],
            )
            for name in [*shown, *(name for name in offered if name not in shown)]
        ]

    def columns_view(self, request: HttpRequest) -> HttpResponse:
        """A page on which columns are chosen and put in order; the query of the list goes along."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            return self._choose(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        context = {
            **self.admin_site.each_context(request),
            "title": _("Columns"),
            "opts": self.opts,
            "choices": self.column_choices(request),
            "query": request.GET.urlencode(),
            "view": active_view(self, request),
            "back": f"../?{request.GET.urlencode()}",
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "console/lists/columns.html", context)

    def _choose(self, request: HttpRequest) -> HttpResponse:
        offered = self.columns_offered(request)
        chosen = [name for name in request.POST.getlist("column") if name in offered]
        if "standard" in request.POST:
            chosen = list(super().get_list_display(request))
        chosen = list(dict.fromkeys([offered[0], *chosen]))
        query = QueryDict(request.POST.get("query", ""), mutable=True)
        for name in (COLUMNS_VAR, *PLACE_VARS):
            query.pop(name, None)
        if query.get(VIEW_VAR):
            # Of a saved view they are a change that is not saved yet.
            query[COLUMNS_VAR] = ",".join(chosen)
        else:
            self._remember(request, [] if "standard" in request.POST else chosen)
            messages.success(request, _("Your columns of this list are kept."))
        return HttpResponseRedirect(f"../?{urlencode(list(query.items()))}")

    def _remember(self, request: HttpRequest, columns: list[str]) -> None:
        ListLayout.objects.update_or_create(
            user=cast(Any, request.user), model=self.opts.label_lower, defaults={"columns": columns}
        )


def _names(columns: Any) -> list[str]:
    """What the database keeps as columns; anything else in its place is none."""
    return [name for name in columns if isinstance(name, str)] if isinstance(columns, list) else []
