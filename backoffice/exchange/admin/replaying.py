"""The rows that a list shows to a user, found again: at once, or by a worker later.

What was filtered and searched is kept as the query of the list's address, and goes through the
same ChangeList, with the rights that the user has when it is replayed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

from backoffice.exchange.exceptions import ExportRefused
from backoffice.exchange.models import ExportJob
from backoffice.exchange.resources import get_resource


@dataclass(frozen=True)
class Selection:
    """Rows of a list: those that its query finds, or those that were ticked."""

    query: str = ""
    keys: tuple[int, ...] | None = None

    @classmethod
    def of(cls, job: ExportJob) -> "Selection":
        return cls.of_json(job.filters)

    @classmethod
    def of_json(cls, kept: dict[str, Any]) -> "Selection":
        keys = kept.get("keys")
        return cls(kept.get("query", ""), None if keys is None else tuple(keys))

    @classmethod
    def sent(cls, form: QueryDict) -> "Selection":
        """What the page of an export sends. Raises BadRequest for what no page of ours does."""
        keys = form.get("keys", "")
        return cls(form.get("query", ""), as_keys(keys.split(",")) if keys else None)

    def as_json(self) -> dict[str, Any]:
        return {"query": self.query, **({} if self.keys is None else {"keys": [*self.keys]})}

    def told(self) -> dict[str, Any]:
        """What the record says of it."""
        ticked = {} if self.keys is None else {"selected": len(self.keys)}
        found = {name: ", ".join(values) for name, values in QueryDict(self.query).lists()}
        return {**ticked, **found}

    def shown(self) -> list[tuple[str, Any]]:
        """The same for people, in their language."""
        words = {"selected": _("selected"), "q": _("search")}
        return [(words.get(name, name), value) for name, value in self.told().items()]


def as_keys(sent: Sequence[str]) -> tuple[int, ...]:
    """Raises BadRequest for what is no key."""
    if not all(key.isdecimal() and len(key) <= 18 for key in sent):
        raise BadRequest(_("The keys of the selected rows cannot be read."))
    return tuple(int(key) for key in sent)


def may_export(model_admin: Any, request: HttpRequest) -> bool:
    """Whoever may export, and may see the list: a file has nothing that it would not show."""
    return bool(
        model_admin.has_export_permission(request)
        and model_admin.has_view_or_change_permission(request)
    )


def find_rows(model_admin: Any, user: Any, selection: Selection) -> QuerySet[Any]:
    """Raises IncorrectLookupParameters and SuspiciousOperation as the list itself does, and
    PermissionDenied if the user may not export any more."""
    request = as_asked_by(user, selection)
    if not user.is_active or not may_export(model_admin, request):
        raise PermissionDenied
    return rows_of(model_admin, request, selection)


def as_asked_by(user: Any, selection: Selection) -> HttpRequest:
    """The request for the list that a selection was made in, with the rights of now."""
    request = HttpRequest()
    request.method, request.user = "GET", user
    request.GET = QueryDict(selection.query)
    return request


def rows_of(model_admin: Any, request: HttpRequest, selection: Selection) -> QuerySet[Any]:
    """Raises IncorrectLookupParameters and SuspiciousOperation as the list itself does."""
    if selection.keys is not None:
        rows: QuerySet[Any] = model_admin.get_queryset(request).filter(pk__in=selection.keys)
        return rows
    found: QuerySet[Any] = model_admin.get_export_queryset(request)
    return found


def find_rows_of_job(job: ExportJob) -> QuerySet[Any]:
    """The rows of a job as its user may see them now. Raises ExportRefused in words."""
    model = get_resource(job.resource).model()
    try:
        return find_rows(admin.site.get_model_admin(model), job.user, Selection.of(job))
    except PermissionDenied:
        raise ExportRefused(
            _("You may not export these any more. Ask for the right, then export again.")
        ) from None
    except (IncorrectLookupParameters, SuspiciousOperation):
        raise ExportRefused(
            _("The list cannot be filtered like this any more. Filter it anew, and export again.")
        ) from None
