"""What the pages of an object's record share: which object, which parts, and who may look."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.core import checks
from django.core.exceptions import FieldDoesNotExist, PermissionDenied, ValidationError
from django.db import models
from django.db.models import ManyToOneRel
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from backoffice.audit.access import may_read_history
from backoffice.audit.naming import as_instance, history_of
from backoffice.audit.selectors import Strand
from backoffice.audit.trail import trailed_models


class RecordedAdmin(admin.ModelAdmin):
    """A ModelAdmin of a model with a Trail.

    `history_related` names relations to the object, by their reverse accessor, whose rows are
    parts of it: `("product_tags", "images")`.
    """

    history_related: tuple[str, ...] = ()

    def has_view_history_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_read_history(request, self.model) and self.has_view_permission(request, obj)

    def history_parts(self) -> Iterator[Strand]:
        """The histories that belong to the object besides its own."""
        for name in self.history_related:
            relation = self.opts.get_field(name)
            assert isinstance(relation, ManyToOneRel)  # noqa: S101 - see check()
            yield Strand(model=relation.related_model, attname=relation.field.attname)

    def parts_open_to(self, request: HttpRequest) -> tuple[list[Strand], list[Any]]:
        """The parts whose history this viewer may see, and what the others are called."""
        parts = list(self.history_parts())
        shown = [part for part in parts if may_read_history(request, part.model)]
        return shown, [part.model._meta.verbose_name_plural for part in parts if part not in shown]

    def living_or_gone(self, request: HttpRequest, key: str) -> tuple[models.Model, bool]:
        """The object and True, or what it last was and False.

        Raises PermissionDenied, and Http404 for one that the list does not show.
        """
        if not self.has_view_history_permission(request):
            raise PermissionDenied
        obj = self.get_object(request, key)
        if obj is not None:
            if not self.has_view_history_permission(request, obj):
                raise PermissionDenied
            return obj, True
        try:
            key = self.opts.pk.to_python(key)
        except ValidationError:
            raise Http404 from None
        last = (
            history_of(self.model)  # type: ignore[arg-type]
            ._base_manager.filter(**{self.opts.pk.attname: key})
            .order_by("-history_id")
            .first()
        )
        if last is None or self.model._base_manager.filter(pk=key).exists():
            raise Http404
        return as_instance(self.model, last), False

    def record_url(self, page: str, *args: Any) -> str:
        """The address of one of the record's pages of this model."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_{page}"
        return reverse(f"{self.admin_site.name}:{name}", args=args)

    def record_path(self, route: str, page: str, view: Any) -> URLPattern:
        name = f"{self.opts.app_label}_{self.opts.model_name}_{page}"
        pattern: URLPattern = path(route, self.admin_site.admin_view(view), name=name)
        return pattern

    def record_page(
        self, request: HttpRequest, template: str, context: dict[str, Any]
    ) -> HttpResponse:
        request.current_app = self.admin_site.name
        context = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, template, context)

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
