"""A new object like one that is there: the add form with its values, and nothing written yet."""

from typing import Any

from django.contrib import messages
from django.contrib.admin.options import BaseModelAdmin, InlineModelAdmin
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import quote, unquote
from django.db import models
from django.db.models import F, UniqueConstraint
from django.forms.models import _get_foreign_key, model_to_dict
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from backoffice.audit.admin.recorded import RecordedAdmin

COPY_OF = "copy_of"
MOST_COPIED = 100


def unique_fields(model: type[models.Model]) -> set[str]:
    """Fields of which no two objects have the same value, alone or in capitals."""
    names = {field.name for field in model._meta.concrete_fields if field.unique}
    for constraint in model._meta.constraints:
        if isinstance(constraint, UniqueConstraint):
            named = [*constraint.fields, *(_named_in(e) for e in constraint.expressions)]
            if len(named) == 1:
                names.add(named[0])
    return names


def _named_in(expression: Any) -> str:
    if isinstance(expression, F):
        return str(expression.name)  # type: ignore[attr-defined]
    inner = [_named_in(each) for each in expression.get_source_expressions()]
    return inner[0] if len(inner) == 1 else ""


class DuplicateMixin(RecordedAdmin):
    """Offers a copy of an object to those who may add one.

    What must be unique is left out, and what `duplicate_without` names. Rows of inlines with
    `duplicate = True` are copied too.
    """

    duplicate_without: tuple[str, ...] = ()
    can_be_duplicated = True

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        obj = context.get("original")
        if (
            obj is not None
            and self.can_be_duplicated
            and not context.get("is_popup")
            and self.has_add_permission(request)
        ):
            link = f"{self.record_url('add')}?{COPY_OF}={quote(str(obj.pk))}"
            filters = self.get_preserved_filters(request)
            context["duplicate_url"] = add_preserved_filters(
                {"preserved_filters": filters, "opts": self.opts}, link
            )
        return super().render_change_form(request, context, *args, **kwargs)

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "GET" and COPY_OF in request.GET and self.can_be_duplicated:
            original = self.get_object(request, unquote(request.GET[COPY_OF]))
            if original is not None and self.has_view_or_change_permission(request, original):
                request._console_original = original  # type: ignore[attr-defined]
                self.message_user(
                    request,
                    _("A copy of %(name)s. Nothing is saved yet; fill in what must differ.")
                    % {"name": original},
                    messages.INFO,
                )
        return super().add_view(request, *args, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        original = _original(request)
        if original is None:
            return super().get_changeform_initial_data(request)
        left_out = unique_fields(self.model) | {*self.duplicate_without}
        return {
            name: value
            for name, value in model_to_dict(original).items()
            if name not in left_out and not isinstance(value, models.FileField)
        }

    def get_formset_kwargs(
        self, request: HttpRequest, obj: Any, inline: InlineModelAdmin, prefix: str
    ) -> dict[str, Any]:
        facts: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        if copies := _copies(request, inline):
            facts["initial"] = copies
        return facts


class DuplicatedInlineMixin(BaseModelAdmin):
    duplicate = False

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        extra: int = super().get_extra(request, obj, **kwargs)  # type: ignore[misc]
        return extra + len(_copies(request, self))


def _original(request: HttpRequest) -> Any:
    return getattr(request, "_console_original", None)


def _copies(request: HttpRequest, inline: Any) -> list[dict[str, Any]]:
    """The values of the rows that the copied object has, for those who may add such rows."""
    original = _original(request)
    if original is None or not getattr(inline, "duplicate", False):
        return []
    if not (
        inline.has_add_permission(request, original)
        and inline.has_view_permission(request, original)
    ):
        return []
    known: dict[int, list[dict[str, Any]]] = request.__dict__.setdefault("_console_copies", {})
    if id(inline.model) not in known:
        whole = _get_foreign_key(inline.parent_model, inline.model, fk_name=inline.fk_name)
        left_out = unique_fields(inline.model) | {whole.name}
        rows = inline.get_queryset(request).filter(**{whole.name: original})[:MOST_COPIED]
        known[id(inline.model)] = [
            {n: value for n, value in model_to_dict(row).items() if n not in left_out}
            for row in rows
        ]
    return known[id(inline.model)]
