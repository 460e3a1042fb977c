from typing import Any

from django.contrib.admin.utils import quote
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action

from backoffice.audit.access import may_read_events
from backoffice.audit.deleted import deleted_objects, lists_deleted

from .as_of import AsOfAdmin
from .filters import LARGEST_NUMBER, LONGEST


class DeletedAdmin(AsOfAdmin):
    """What was deleted, with who did it and why: where one looks for what is to be restored."""

    actions_list: Any = ("deleted_list", "as_of_list")

    # Unfold's way to a button above the list; like all actions of a list it is reached by GET.
    @action(
        description=gettext_lazy("Deleted"),
        url_path="deleted",
        icon="delete_history",
        permissions=["view_deleted"],
    )
    def deleted_list(self, request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        before = request.GET.get("before", "")
        known = before.isascii() and before.isdigit() and int(before[:20]) <= LARGEST_NUMBER
        word = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST]
        page = deleted_objects(
            self.model,
            before=int(before) if known else None,
            word=word,
            viewer=request.user,
        )
        return self.record_page(
            request,
            "audit/deleted.html",
            {
                "title": _("Deleted %(what)s") % {"what": self.opts.verbose_name_plural},
                "what": capfirst(str(self.opts.verbose_name)),
                "page": page,
                "rows": [
                    (self.record_url("history", quote(str(gone.entry.key))), gone)
                    for gone in page.objects
                ],
                "word": word,
                "list_url": self.record_url("changelist"),
                "may_see_change_sets": may_read_events(request),
            },
        )

    def has_view_deleted_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return lists_deleted(self.model) and self.has_view_history_permission(request, obj)
