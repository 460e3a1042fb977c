"""Why something is changed: asked for on the forms, handed to the record before the first write."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget

from backoffice.audit.context import refine_context

REASON = "change_reason"
LONGEST_REASON = 500


def reason_field(*, required: bool) -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("Reason for this change"),
        help_text=gettext_lazy("Goes on the record, for whoever asks later."),
        required=required,
        max_length=LONGEST_REASON,
        error_messages={"required": gettext_lazy("Say why: this change needs a reason.")},
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )


class ReasonMixin(admin.ModelAdmin):
    """Names each add, change and delete on the record, with the reason that the user gave.

    With `reason_required` nothing is changed or deleted without one.
    """

    reason_required = False
    change_form_after_template = "console/reason.html"

    # What the record says of it, once for one object and once for many.
    def action_added(self, obj: models.Model) -> str:
        return _("%(kind)s added: %(object)s") % {"kind": self._kind(1), "object": obj}

    def action_changed(self, obj: models.Model) -> str:
        return _("%(kind)s changed: %(object)s") % {"kind": self._kind(1), "object": obj}

    def action_deleted(self, obj: models.Model) -> str:
        return _("%(kind)s deleted: %(object)s") % {"kind": self._kind(1), "object": obj}

    def action_many_deleted(self, number: int) -> str:
        return _("%(number)d %(kind)s deleted") % {
            "number": number,
            "kind": str(self.opts.verbose_name if number == 1 else self.opts.verbose_name_plural),
        }

    def _kind(self, number: int) -> str:
        return capfirst(str(self.opts.verbose_name))

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm]:
        allowed = self.has_change_permission(request, obj) if obj else self.reason_required
        if allowed:
            # Declared on the form, it stands outside of the fieldsets: below them and all tabs.
            base = kwargs.get("form", self.form)
            field = reason_field(required=self.reason_required)
            kwargs["form"] = type(base.__name__, (base,), {REASON: field})
        return super().get_form(request, obj, change=change, **kwargs)

    def save_form(self, request: HttpRequest, form: forms.ModelForm, change: bool) -> Any:
        """Everything is valid and nothing is written yet."""
        obj = super().save_form(request, form, change)
        refine_context(
            action=self.action_changed(obj) if change else self.action_added(obj),
            reason=form.cleaned_data.get(REASON, ""),
        )
        return obj

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method == "POST" and self._reason_is_missing(request):
            return HttpResponseRedirect(request.get_full_path())
        extra_context = {"reason_required": self.reason_required, **(extra_context or {})}
        return super().delete_view(request, object_id, extra_context)

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        refine_context(action=self.action_deleted(obj), reason=_reason(request))
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        refine_context(action=self.action_many_deleted(queryset.count()), reason=_reason(request))
        super().delete_queryset(request, queryset)

    def _reason_is_missing(self, request: HttpRequest) -> bool:
        if not self.reason_required or _reason(request):
            return False
        self.message_user(request, _("Say why: this change needs a reason."), messages.ERROR)
        return True


def _reason(request: HttpRequest) -> str:
    return request.POST.get(REASON, "").strip()[:LONGEST_REASON]
