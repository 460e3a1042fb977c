"""Saved views: a list's filters, columns and order under a name, as a tab; own ones and shared."""

from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IS_FACETS_VAR, IS_POPUP_VAR, TO_FIELD_VAR
from django.contrib.admin.views.main import ALL_VAR, ERROR_FLAG
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    QueryDict,
)
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.audit.context import refine_context
from backoffice.audit.language import on_record
from backoffice.console.models import SavedView

from .changelist import COLUMNS_VAR, PLACE_VARS, VIEW_VAR

# What tells where one is and not what is listed.
_PASSING = {
    *PLACE_VARS, VIEW_VAR, COLUMNS_VAR, ALL_VAR, ERROR_FLAG, IS_POPUP_VAR, TO_FIELD_VAR,
    IS_FACETS_VAR,
}  # fmt: skip
_LONGEST_QUERY = 4000
MANAGE = "console.delete_savedview"


@dataclass(frozen=True, kw_only=True)
class Tab:
    """A saved view as its reader meets it, or (without one) the list as it comes."""

    title: str
    link: str
    active: bool
    view: SavedView | None = None


class ViewForm(forms.ModelForm):
    class Meta:
        model = SavedView
        fields = ["name", "is_shared"]

    def __init__(self, *args: Any, taken_by: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.taken_by = taken_by

    def clean_name(self) -> str:
        name = " ".join(self.cleaned_data["name"].split())
        if not name:
            raise forms.ValidationError(_("Give the view a name."))
        if self.taken_by.filter(name__iexact=name).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(
                _("You have a view “%(name)s” of this list already. Choose another name.")
                % {"name": name}
            )
        return name


def lasting(query: str | QueryDict) -> str:
    """What of a list's address a view keeps, in one order, so that two can be compared."""
    given = QueryDict(query) if isinstance(query, str) else query
    pairs = [
        (name, value)
        for name, values in given.lists()
        for value in values
        if name not in _PASSING and value != ""
    ]
    return urlencode(sorted(pairs))


def views_of(model_admin: Any, request: HttpRequest) -> list[SavedView]:
    """The saved views of a list that this user can open, own ones first. One query a request.

    A view that filters by what its reader may not see is none of theirs.
    """
    known: dict[str, list[SavedView]] = request.__dict__.setdefault("_saved_views", {})
    label = model_admin.opts.label_lower
    if label not in known:
        found = SavedView.objects.usable_by(request.user.pk, label).select_related("user")
        known[label] = [
            view
            for view in sorted(found, key=lambda each: each.user_id != request.user.pk)
            if all(
                model_admin.lookup_allowed(name, value, request)
                for name, values in QueryDict(view.query).lists()
                for value in values
            )
        ]
    return known[label]


def active_view(model_admin: Any, request: HttpRequest) -> SavedView | None:
    """The saved view that the address of the list names, if this user can open it."""
    number = request.GET.get(VIEW_VAR, "")
    if not number:
        return None
    return next((v for v in views_of(model_admin, request) if str(v.pk) == number), None)


def link_to(view: SavedView) -> str:
    return f"?{urlencode({VIEW_VAR: view.pk})}{'&' if view.query else ''}{view.query}"


def tabs(model_admin: Any, request: HttpRequest) -> list[Tab]:
    """ "All", and a tab for each view; none where nobody has saved one."""
    views = views_of(model_admin, request)
    if not views:
        return []
    open_now = active_view(model_admin, request)
    return [
        Tab(title=_("All"), link="?", active=open_now is None and not lasting(request.GET)),
        *(
            Tab(title=view.name, link=link_to(view), active=view == open_now, view=view)
            for view in views
        ),
    ]


def may_manage(user: Any, view: SavedView) -> bool:
    """Whether a user may change a view. Others' are only taken away, by who may, if shared."""
    return bool(view.user_id == user.pk)


def may_delete(user: Any, view: SavedView) -> bool:
    return may_manage(user, view) or (view.is_shared and bool(user.has_perm(MANAGE)))


def is_changed(model_admin: Any, request: HttpRequest, view: SavedView) -> bool:
    """Whether the list is not as its view has it any more."""
    columns = request.GET.get(COLUMNS_VAR)
    return lasting(request.GET) != lasting(view.query) or (
        columns is not None and columns.split(",") != view.columns
    )


class SavedViewsMixin(admin.ModelAdmin):
    """Keeps saved views of the list; each request here is a POST."""

    def view_save_view(self, request: HttpRequest) -> HttpResponse:
        """Save the list as it is under a name."""
        self._refuse_all_but_readers(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        view = SavedView(user=request.user, model=self.opts.label_lower)  # type: ignore[misc]
        query = self._query(request)
        self._take_over(request, view, query)
        return self._save(request, view, gettext_lazy("View saved: %(name)s"), back=query)

    def view_change_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Rename and share a view, or (with `query`) make it what the list is now."""
        view = self._view(request, pk)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not may_manage(request.user, view):
            raise PermissionDenied
        query = self._query(request)
        if "keep" in request.POST:
            self._take_over(request, view, query)
            data: Any = {"name": view.name, "is_shared": view.is_shared}
        else:
            data = request.POST
        return self._save(
            request, view, gettext_lazy("View changed: %(name)s"), back=query, data=data
        )

    def view_delete_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        view = self._view(request, pk)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not may_delete(request.user, view):
            raise PermissionDenied
        said, facts = gettext_lazy("View deleted: %(name)s"), {"name": view.name}
        refine_context(action=on_record(said, facts))
        view.delete()
        messages.success(request, said % facts)
        return HttpResponseRedirect(self._list())

    def _refuse_all_but_readers(self, request: HttpRequest) -> None:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied

    def _view(self, request: HttpRequest, pk: int) -> SavedView:
        """The view, if this user can open it: nobody learns of another's."""
        self._refuse_all_but_readers(request)
        found = next((view for view in views_of(self, request) if view.pk == pk), None)
        if found is None:
            raise Http404
        return found

    def _query(self, request: HttpRequest) -> QueryDict:
        return QueryDict(request.POST.get("query", "")[:_LONGEST_QUERY])

    def _take_over(self, request: HttpRequest, view: SavedView, query: QueryDict) -> None:
        view.query = lasting(query)
        offered = self.columns_offered(request)  # type: ignore[attr-defined]
        named = query.get(COLUMNS_VAR, "").split(",") if COLUMNS_VAR in query else None
        if named is None and query.get(VIEW_VAR) == str(view.pk):
            return  # it stands as the view has it
        if named is None:
            seen = request.GET
            request.GET = cast(Any, query)
            named = [str(name) for name in self.get_list_display(request)]
            request.GET = seen
        view.columns = [name for name in named if name in offered]

    def _save(
        self, request: HttpRequest, view: SavedView, said: Any, *, back: QueryDict, data: Any = None
    ) -> HttpResponse:
        own = SavedView.objects.filter(user=request.user.pk, model=self.opts.label_lower)
        form = ViewForm(data or request.POST, instance=view, taken_by=own)
        if not form.is_valid():
            for errors in form.errors.values():
                for error in errors:
                    messages.error(request, str(error))
            return HttpResponseRedirect(f"{self._list()}?{back.urlencode()}")
        facts = {"name": form.cleaned_data["name"]}
        refine_context(action=on_record(said, facts))
        try:
            with transaction.atomic():
                form.save()
        except IntegrityError:  # saved twice at the same moment
            messages.error(request, str(_NAME_TAKEN))
            return HttpResponseRedirect(f"{self._list()}?{back.urlencode()}")
        messages.success(request, said % facts)
        return HttpResponseRedirect(self._list() + link_to(view))

    def _list(self) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")


_NAME_TAKEN = gettext_lazy("You have a view of this name already. Choose another name.")
