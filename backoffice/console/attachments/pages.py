"""The attachments of an object: a tab on its form, and a page of their own without JavaScript.

Who may view the object gets its files, who may change it adds and removes them; for everyone else
there are none. Imported before the site is there, and so before any ModelAdmin.
"""

from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.exceptions import NotRegistered
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from backoffice.audit.context import refine_context
from backoffice.audit.language import on_record
from backoffice.audit.trail import trailed_models
from backoffice.console.models import Attachment

from .exceptions import AttachmentRefused
from .services import attach, attachments_of, remove
from .types import TYPES

# A picture is shown small, but comes whole.
LARGEST_PREVIEW = 2 * 1024**2
_ENDINGS = ",".join(ending for each in TYPES for ending in each.endings)


@dataclass(frozen=True)
class AttachmentsTab:
    """A tab on the form that fetches its contents when it is first looked at."""

    url: str
    tab = True
    title = gettext_lazy("Attachments")
    model_name = "attachments"

    @cached_property
    def contents(self) -> str:
        return render_to_string("console/attachments/tab.html", {"url": self.url})


def attachments_tab(request: HttpRequest, model_admin: Any, obj: models.Model) -> AttachmentsTab:
    return AttachmentsTab(_page_of(obj))


def _page_of(obj: models.Model) -> str:
    return reverse("admin:attachments", args=[obj._meta.label_lower, quote(str(obj.pk))])


class AttachmentPages:
    """The pages of the site that show, add, hand out and remove attachments of any object."""

    def __init__(self, site: AdminSite) -> None:
        self.site = site

    def urls(self) -> list[URLPattern]:
        def page(route: str, name: str, view: Any) -> URLPattern:
            pattern: URLPattern = path(route, self.site.admin_view(view), name=name)
            return pattern

        return [
            page("attachments/<int:pk>/file/", "attachment_file", self.file_view),
            page("attachments/<int:pk>/remove/", "attachment_remove", self.remove_view),
            page("attachments/of/<str:label>/<path:key>/", "attachments", self.list_view),
        ]

    def list_view(self, request: HttpRequest, label: str, key: str) -> HttpResponse:
        """Show the attachments of an object; by POST, add some."""
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        model_admin, obj = self._object(request, label, unquote(key))
        if request.method != "POST":
            return self._answer(request, model_admin, obj)
        if not model_admin.has_change_permission(request, obj):
            raise PermissionDenied
        added, refused = self._add(request, obj)
        return self._answer(request, model_admin, obj, said=added, refused=refused)

    def _add(self, request: HttpRequest, obj: models.Model) -> tuple[str, list[str]]:
        """What was added, in words, and what was not and why."""
        files = request.FILES.getlist("files")
        if not files:
            return "", [_("No file was chosen. Choose one, or drop it here.")]
        added, refused = [], []
        refine_context(action=on_record(gettext_lazy("Files attached to %(name)s"), {"name": obj}))
        for file in files:
            try:
                added.append(attach(obj=obj, file=file, user=request.user))
            except AttachmentRefused as refusal:
                refused.append(str(refusal))
        if not added:
            return "", refused
        said = ngettext(
            "%(count)d file was attached.", "%(count)d files were attached.", len(added)
        )
        return said % {"count": len(added)}, refused

    def file_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The file, to be saved: no browser shows it as a page of ours."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        attachment, _model_admin, _obj = self._attachment(request, pk)
        try:
            content = attachment.file.open("rb")
        except FileNotFoundError:
            raise Http404 from None
        response: Any = FileResponse(
            content,
            as_attachment=True,
            filename=attachment.name,
            content_type=attachment.content_type,
        )
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
        return response  # type: ignore[no-any-return]

    def remove_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        attachment, model_admin, obj = self._attachment(request, pk)
        if not model_admin.has_change_permission(request, obj):
            raise PermissionDenied
        refine_context(
            action=on_record(
                gettext_lazy("%(file)s removed from %(name)s"),
                {"file": attachment.name, "name": obj},
            )
        )
        undo = remove(attachment=attachment)
        said = _("“%(name)s” was removed.") % {"name": attachment.name}
        return self._answer(request, model_admin, obj, said=said, undo=undo)

    def _object(self, request: HttpRequest, label: str, key: str) -> tuple[Any, models.Model]:
        """An object that this user may view; 404 otherwise, as if there were none."""
        try:
            model_admin: Any = self.site.get_model_admin(apps.get_model(label))
            obj = model_admin.get_object(request, key)
        except (LookupError, ValueError, ValidationError, NotRegistered):
            raise Http404 from None
        if (
            obj is None
            or model_admin.model not in trailed_models
            or not model_admin.has_view_permission(request, obj)
        ):
            raise Http404
        return model_admin, obj

    def _attachment(self, request: HttpRequest, pk: int) -> tuple[Attachment, Any, models.Model]:
        attachment = get_object_or_404(Attachment, pk=pk)
        label, _slash, key = attachment.reference.partition("/")
        return attachment, *self._object(request, label, key)

    def _answer(
        self,
        request: HttpRequest,
        model_admin: Any,
        obj: models.Model,
        *,
        said: str = "",
        refused: list[str] | None = None,
        undo: int | None = None,
    ) -> HttpResponse:
        """The attachments as they are now: the part of the form, or the page anew."""
        in_form = "HX-Request" in request.headers
        if request.method == "POST" and not in_form:
            for refusal in refused or []:
                messages.error(request, refusal)
            if said:
                messages.success(request, said)
            return HttpResponseRedirect(_page_of(obj))
        most = settings.ATTACHMENTS_MAX_PER_OBJECT
        shown = list(attachments_of(obj))
        context = {
            **self.site.each_context(request),
            "title": _("Attachments of %(name)s") % {"name": obj},
            "url": _page_of(obj),
            "object_url": model_admin.record_url("change", quote(str(obj.pk))),
            "object": obj,
            "attachments": shown,
            "may_change": model_admin.has_change_permission(request, obj),
            "is_full": len(shown) >= most,
            "most": most,
            "largest": settings.ATTACHMENTS_MAX_BYTES,
            "largest_preview": LARGEST_PREVIEW,
            "types": [each.label for each in TYPES],
            "accept": _ENDINGS,
            "said": said,
            "refused": refused or [],
            "undo": undo if request.user.has_perm("audit.undo_changeset") else None,
            "in_form": in_form,
        }
        request.current_app = self.site.name
        name = "console/attachments/list.html" if in_form else "console/attachments/page.html"
        return TemplateResponse(request, name, context)
