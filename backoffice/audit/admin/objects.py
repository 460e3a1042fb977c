from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import quote, unquote
from django.core import checks
from django.core.exceptions import FieldDoesNotExist, PermissionDenied, ValidationError
from django.db import models
from django.db.models import ManyToOneRel
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.translation import gettext as _

from backoffice.audit.access import may_read_history
from backoffice.audit.naming import as_instance, history_of
from backoffice.audit.selectors import Position, Strand, object_timeline
from backoffice.audit.trail import trailed_models


class HistoryAdmin(admin.ModelAdmin):
    """The history page of an object: when, who, why, and what was there before.

    Stands in front of Django's and simple-history's ModelAdmin, whose pages it replaces.
    `history_related` names relations to the object, by their reverse accessor, whose rows are
    parts of it: `("product_tags", "images")`. It shows objects that are gone as well.
    """

    history_related: tuple[str, ...] = ()
    history_template = "audit/object_history.html"

    def get_urls(self) -> list[URLPattern]:
        """Without simple-history's form of one version, which ends in saving it."""
        unwanted = f"{self.opts.app_label}_{self.opts.model_name}_simple_history"
        urls: list[URLPattern] = super().get_urls()
        return [pattern for pattern in urls if pattern.name != unwanted]

    def has_view_history_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_read_history(request, self.model) and self.has_view_permission(request, obj)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if not self.has_view_history_permission(request):
            extra_context = {"show_history": False, **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, extra_context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        if not self.has_view_history_permission(request):
            raise PermissionDenied
        obj, exists = self._living_or_gone(request, unquote(object_id))
        if exists and not self.has_view_history_permission(request, obj):
            raise PermissionDenied

        own = Strand(model=self.model, attname=self.opts.pk.attname)
        parts = list(self.history_parts())
        hidden = [part for part in parts if not may_read_history(request, part.model)]
        strands = [own, *(part for part in parts if part not in hidden)]
        before = Position.parse(request.GET.get("before", ""))
        timeline = object_timeline(strands, obj.pk, before=before)
        context = {
            **self.admin_site.each_context(request),
            "title": _("History of %(name)s") % {"name": obj},
            "opts": self.opts,
            "object": obj,
            "object_id": quote(str(obj.pk)),
            "exists": exists,
            "timeline": timeline,
            "hidden": [part.model._meta.verbose_name_plural for part in hidden],
            "newest": before is None,
            "may_see_change_sets": request.user.has_perm("audit.view_changeset"),
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, self.history_template, context)

    def _living_or_gone(self, request: HttpRequest, key: str) -> tuple[models.Model, bool]:
        """The object, or what it last was. Raises Http404 for one that the list does not show."""
        obj = self.get_object(request, key)
        if obj is not None:
            return obj, True
        try:
            key = self.opts.pk.to_python(key)
        except ValidationError:
            raise Http404 from None
        last = (
            history_of(self.model)
            ._base_manager.filter(**{self.opts.pk.attname: key})
            .order_by("-history_id")
            .first()
        )
        if last is None or self.model._base_manager.filter(pk=key).exists():
            raise Http404
        return as_instance(self.model, last), False

    def history_parts(self) -> Iterator[Strand]:
        """The histories that belong to the object besides its own."""
        for name in self.history_related:
            relation = self.opts.get_field(name)
            assert isinstance(relation, ManyToOneRel)  # noqa: S101 - see check()
            yield Strand(model=relation.related_model, attname=relation.field.attname)

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        return [*super().check(**kwargs), *self._check_history_related()]

    def _check_history_related(self) -> Iterator[checks.CheckMessage]:
        for name in self.history_related:
            try:
                relation = self.opts.get_field(name)
            except FieldDoesNotExist:
                relation = None
            if (
                not isinstance(relation, ManyToOneRel)
                or relation.related_model not in trailed_models
            ):
                yield checks.Error(
                    f"'history_related' names {name!r}, which is not the reverse side of a "
                    f"foreign key from a model with a Trail to {self.opts.label}.",
                    hint="Name the relation as a query from the object would.",
                    obj=type(self),
                    id="audit.E010",
                )
