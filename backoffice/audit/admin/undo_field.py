"""The page that puts one field of one object back: old and new value, a reason, then a POST."""

from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.utils import quote
from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from backoffice.audit.exceptions import NotOnRecord, UndoNotPermitted
from backoffice.audit.history import Kind
from backoffice.audit.naming import as_instance, history_of
from backoffice.audit.undo.field import in_words, newest_row, revert_field, revertible_field
from backoffice.audit.undo.services import ObjectKey
from backoffice.exceptions import DomainError

from .undo import UndoForm, object_asked_for, require_right, tell


def revert_view(model_admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """What the field is and what it was on GET; on POST put it back."""
    if request.method not in ("GET", "HEAD", "POST"):
        return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
    only = object_asked_for(request)
    if only is None:
        raise Http404
    require_right(request, only.model)
    name = request.GET.get("field", "")
    try:
        field = revertible_field(only.model, name, request.user)
        now, then = newest_row(only.model, only.key), _row(request, only)
    except UndoNotPermitted:
        raise PermissionDenied from None
    except NotOnRecord:
        raise Http404 from None
    except DomainError as refusal:
        messages.error(request, str(refusal))
        return HttpResponseRedirect(_history(only))
    form = UndoForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        seen = request.POST.get("seen", "")
        try:
            change_set = revert_field(
                model=only.model,
                key=only.key,
                field=name,
                to=then.history_id,
                seen=_number(seen) or 0,
                actor=request.user,
                reason=form.cleaned_data["reason"],
            )
        except DomainError as refusal:
            messages.error(request, str(refusal))
        else:
            tell(request, _("%(field)s put back.") % {"field": _label(field)}, change_set)
        return HttpResponseRedirect(_history(only))
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Put back: %(field)s") % {"field": _label(field)},
        "opts": only.model._meta,
        "original": as_instance(only.model, now),
        "what": capfirst(str(only.model._meta.verbose_name)),
        "field_label": _label(field),
        "now": in_words(field, now),
        "then": in_words(field, then),
        "at": then.history_date,
        "gone": now.history_type == Kind.DELETED,
        "same": getattr(now, field.attname) == getattr(then, field.attname),
        "seen": now.history_id,
        "form": form,
        "address": request.get_full_path(),
        "back": _history(only),
    }
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(request, "audit/undo_field.html", context)


def _row(request: HttpRequest, only: ObjectKey) -> Any:
    row = _number(request.GET.get("row", ""))
    found = (
        history_of(only.model)
        ._base_manager.filter(**{only.model._meta.pk.attname: only.key}, history_id=row)
        .first()
    )
    if found is None:
        raise NotOnRecord
    return found


def _number(text: str) -> int | None:
    """The number of a history row, if it can be one."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _history(only: ObjectKey) -> str:
    options = only.model._meta
    name = f"admin:{options.app_label}_{options.model_name}_history"
    return reverse(name, args=[quote(only.key)])


def _label(field: Any) -> str:
    return str(capfirst(str(field.verbose_name)))
