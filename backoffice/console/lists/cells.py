"""Editing one cell in a list: the ModelAdmin's own form for that field, and Undo afterwards."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.db import IntegrityError, models, transaction
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    JsonResponse,
)
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.templatetags.unfold_list import items_for_result
from unfold.widgets import UnfoldAdminSelectWidget

from backoffice.audit import reasons
from backoffice.audit.history import Kind
from backoffice.audit.language import on_record
from backoffice.audit.naming import history_of
from backoffice.audit.since import is_on_record
from backoffice.audit.undo.field import revert_field
from backoffice.audit.undo.services import PERMISSION
from backoffice.console.locking import lock_rows
from backoffice.console.reasons import REASON
from backoffice.console.secrecy import SecretFieldsMixin
from backoffice.exceptions import DomainError

# Of more than that one does not choose from a plain list.
MOST_CHOICES = 1000
CONFLICT = 409


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Which columns of a list are edited in place, by the name of the column: the field's label."""

    labels: dict[str, str]
    address: str  # of a row's cell, with KEY and COLUMN for what differs

    @property
    def labels_as_json(self) -> str:
        return json.dumps(self.labels)


class _Row:
    """What Unfold asks of a list to draw a cell of it."""

    to_field, is_popup, preserved_filters = None, False, ""

    def __init__(self, model_admin: Any, request: HttpRequest, column: str) -> None:
        self.model_admin, self.model, self.opts = model_admin, model_admin.model, model_admin.opts
        self.lookup_opts = self.opts
        self.list_display = [column]
        shown = model_admin.get_list_display(request)
        self.list_display_links = model_admin.get_list_display_links(request, shown)

    def url_for_result(self, result: models.Model) -> str:
        return reverse(
            f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[quote(result.pk)]
        )


class CellsMixin(SecretFieldsMixin):
    """Edits cells in place: `list_cells` names the field behind a column, {"price_now": "price"}.

    The field is validated by the form of the ModelAdmin, asks for a reason where the policy wants
    one, and refuses to overwrite what somebody else has changed meanwhile.
    """

    list_cells: Mapping[str, str] = {}

    def editable_cells(self, request: HttpRequest, obj: Any = None) -> dict[str, str]:
        """The fields behind the columns that this user may edit here."""
        if not self.list_cells or not self.has_change_permission(request, obj):
            return {}
        closed = {*self.hidden_fields(request), *self.get_readonly_fields(request, obj)}
        return {column: name for column, name in self.list_cells.items() if name not in closed}

    def cells_of(self, request: HttpRequest, changelist: Any) -> Cells | None:
        """What the page needs to know, for the columns that are shown."""
        shown = {str(name) for name in changelist.list_display}
        labels = {
            column: self._label(name)
            for column, name in self.editable_cells(request).items()
            if column in shown
        }
        if not labels or changelist.is_popup or changelist.formset:
            return None
        address = reverse(self._cell_url("cell"), args=["KEY", "COLUMN"])
        return Cells(labels=labels, address=address)

    def cell_view(self, request: HttpRequest, object_id: str, column: str) -> HttpResponse:
        """The form of a cell on GET; on POST what it says is saved."""
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        with transaction.atomic():
            obj, name = self._cell(request, object_id, column)
            kind = self._cell_form(request, obj, name)
            if request.method != "POST":
                form = kind(instance=obj, auto_id=f"cell_{obj.pk}_%s")
                return self._form_page(request, obj, column, form)
            form = kind(request.POST, instance=obj, auto_id=f"cell_{obj.pk}_%s")
            if not self._is_valid(form) or not self._saved(request, form):
                return self._form_page(request, obj, column, form)
        said = _("%(field)s changed: %(object)s") % {"field": self._label(name), "object": obj}
        if not form.changed_data:
            said = _("Nothing has changed.")
        undo = self._undo_of(request, obj, name) if form.changed_data else {}
        return self._answer(request, obj, column, said, undo)

    def cell_undo_view(self, request: HttpRequest, object_id: str, column: str) -> HttpResponse:
        """Put the field back to what it was, unless it has been changed since."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        obj, name = self._cell(request, object_id, column)
        try:
            revert_field(
                model=self.model,
                key=obj.pk,
                field=name,
                to=_number(request.POST.get("to")),
                seen=_number(request.POST.get("seen")),
                actor=request.user,
                reason=on_record(gettext_lazy("Undone in the list")),
            )
        except DomainError as refusal:
            return JsonResponse({"said": str(refusal)}, status=CONFLICT)
        obj.refresh_from_db()
        said = _("%(field)s put back: %(object)s") % {"field": self._label(name), "object": obj}
        return self._answer(request, obj, column, said, {})

    # What the views are made of.

    def _cell(self, request: HttpRequest, object_id: str, column: str) -> tuple[Any, str]:
        """The row (locked where it is about to change) and the field behind the column."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        try:
            key = self.opts.pk.to_python(unquote(object_id))
        except (ValidationError, ValueError) as nonsense:
            raise Http404 from nonsense
        if request.method == "POST":
            lock_rows(self.model, [key])
        obj = self.get_queryset(request).filter(pk=key).first()
        if obj is None:
            raise Http404
        name = self.editable_cells(request, obj).get(column)
        if name is None:
            raise PermissionDenied
        return obj, name

    def _cell_form(self, request: HttpRequest, obj: Any, name: str) -> type[forms.ModelForm]:
        """The form of the ModelAdmin with this field alone, and the reason."""
        kind: type[forms.ModelForm] = self.get_form(request, obj, change=True, fields=[name])
        fields: dict[str, Any] = {
            each: field for each, field in kind.base_fields.items() if each in (name, REASON)
        }
        if name not in fields:
            raise PermissionDenied
        field = fields[name]
        if isinstance(field, forms.ModelChoiceField):
            field.widget = UnfoldAdminSelectWidget(choices=field.choices)
        field.widget.attrs |= {"aria-label": capfirst(str(field.label))}
        kind.base_fields = fields
        return kind

    def _is_valid(self, form: forms.ModelForm) -> bool:
        """By the form, and by those rules of the row that the form leaves to other fields."""
        if not form.is_valid():
            return False
        try:
            form.instance.validate_constraints()
        except ValidationError as wrong:
            self._refuse(form, wrong.messages)
        return not form.errors

    def _saved(self, request: HttpRequest, form: forms.ModelForm) -> bool:
        if not form.changed_data or form.changed_data == [REASON]:
            form.changed_data.clear()
            return True
        try:
            with transaction.atomic():
                obj = self.save_form(request, form, change=True)
                self.save_model(request, obj, form, change=True)
        except reasons.ReasonMissing as refusal:
            form.add_error(REASON, str(refusal))
        except DomainError as refusal:
            self._refuse(form, [str(refusal)])
        except IntegrityError:
            words = _("The database refuses this value. Open the whole form to change it.")
            self._refuse(form, [words])
        return not form.errors

    def _refuse(self, form: forms.ModelForm, said: list[str]) -> None:
        name = next((each for each in form.fields if each != REASON), NON_FIELD_ERRORS)
        for words in said:
            form.add_error(name, words)

    def _form_page(
        self, request: HttpRequest, obj: Any, column: str, form: forms.ModelForm
    ) -> HttpResponse:
        name = self.list_cells[column]
        field = form.fields[name]
        too_many = (
            isinstance(field, forms.ModelChoiceField)
            and field.queryset is not None
            and field.queryset[: MOST_CHOICES + 1].count() > MOST_CHOICES
        )
        asks = REASON in form.fields and (
            form.fields[REASON].required
            or REASON in form.errors
            or reasons.needs_reason(self.model, [name], added=False)
        )
        context = {
            "form": form,
            "field": form[name],
            "reason": form[REASON] if asks else None,
            "too_many": too_many,
            "action": reverse(self._cell_url("cell"), args=[quote(obj.pk), column]),
            "page": _Row(self, request, column).url_for_result(obj),
        }
        return TemplateResponse(request, "console/lists/cell.html", context)

    def _answer(
        self, request: HttpRequest, obj: Any, column: str, said: str, undo: dict[str, Any]
    ) -> HttpResponse:
        fresh = self.get_queryset(request).filter(pk=obj.pk).first()
        cell = "".join(items_for_result(_Row(self, request, column), fresh, None)) if fresh else ""
        return JsonResponse({"cell": cell, "said": said, "undo": undo})

    def _undo_of(self, request: HttpRequest, obj: Any, name: str) -> dict[str, Any]:
        """Where to post what takes the change back, for who may."""
        if not is_on_record(self.model) or not request.user.has_perm(PERMISSION):
            return {}
        history = history_of(cast(Any, self.model))
        rows = history._base_manager.filter(**{self.opts.pk.attname: obj.pk})
        last_two = list(rows.order_by("-history_date", "-history_id")[:2])
        if len(last_two) < 2 or last_two[0].history_type != Kind.CHANGED:
            return {}
        column = next(column for column, field in self.list_cells.items() if field == name)
        return {
            "address": reverse(self._cell_url("cell_undo"), args=[quote(obj.pk), column]),
            "seen": last_two[0].history_id,
            "to": last_two[1].history_id,
            "label": _("Undo"),
        }

    def _label(self, name: str) -> str:
        return capfirst(str(cast(Any, self.opts.get_field(name)).verbose_name))

    def _cell_url(self, name: str) -> str:
        return f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}"


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else 0
