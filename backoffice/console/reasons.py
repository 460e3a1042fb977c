"""Why something is changed: asked for on the forms, handed to the record before the first write.

The policy (backoffice.audit.reasons) says which changes need a reason. The forms say so in advance;
should a write need one that no form foresaw, the database refuses it and the form comes back.
"""

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

from backoffice.audit import reasons
from backoffice.audit.context import refine_context
from backoffice.audit.forms import ReasonField
from backoffice.audit.language import on_record
from backoffice.audit.secrecy import hidden_fields

REASON = "change_reason"
LONGEST_REASON = 500


MISSING = gettext_lazy("Say why: this change needs a reason.")


def reason_field(*, required: bool, needed_for: str = "") -> ReasonField:
    """`needed_for` names the fields that it is needed for, if it is for some only."""
    help_text = _("Goes on the record, for whoever asks later.")
    if needed_for and not required:
        help_text += " " + _("Needed for a change of %(fields)s.") % {"fields": needed_for}
    return ReasonField(
        label=gettext_lazy("Reason for this change"),
        help_text=help_text,
        required=required,
        max_length=LONGEST_REASON,
        error_messages={"required": MISSING},
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )


class ReasonForm(forms.ModelForm):
    """Knows which changes need a reason; nothing is written without it.

    `refused` says that the database has refused this very change for want of one.
    """

    refused = False

    def clean(self) -> Any:
        cleaned = super().clean()
        if REASON in self.errors or self.cleaned_data.get(REASON):
            return cleaned
        adding = self.instance.pk is None
        if self.refused or reasons.needs_reason(
            self._meta.model, () if adding else self.changed_data, added=adding
        ):
            self.add_error(REASON, MISSING)
        return cleaned


class ReasonMixin(admin.ModelAdmin):
    """Names each add, change and delete on the record, with the reason that the user gave.

    Nothing that the policy wants a reason for is written without one, and with `reason_required`
    nothing at all.
    """

    reason_required = False
    change_form_after_template = "console/reason.html"

    # What the record says of it, once for one object and once for many.
    def action_added(self, obj: models.Model) -> str:
        return self._on_record(gettext_lazy("%(kind)s added: %(object)s"), obj)

    def action_changed(self, obj: models.Model) -> str:
        return self._on_record(gettext_lazy("%(kind)s changed: %(object)s"), obj)

    def action_deleted(self, obj: models.Model) -> str:
        return self._on_record(gettext_lazy("%(kind)s deleted: %(object)s"), obj)

    def action_many_deleted(self, number: int) -> str:
        kind = self.opts.verbose_name if number == 1 else self.opts.verbose_name_plural
        facts = {"number": number, "kind": kind}
        return on_record(gettext_lazy("%(number)d %(kind)s deleted"), facts)

    def _on_record(self, text: Any, obj: models.Model) -> str:
        return on_record(text, {"kind": capfirst(self.opts.verbose_name), "object": obj})

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm]:
        asked = (
            self.has_change_permission(request, obj)
            if obj
            else self.reason_required or reasons.needs_reason(self.model, added=True)
        ) or _was_refused(request)
        if asked:
            # Declared on the form, it stands outside of the fieldsets: below them and all tabs.
            base = kwargs.get("form", self.form)
            hidden = hidden_fields(self.model, request.user)
            field = reason_field(
                required=self.reason_required,
                needed_for=reasons.fields_in_words(self.model, but=hidden),
            )
            refused = _was_refused(request)
            kwargs["form"] = type(
                base.__name__, (ReasonForm, base), {REASON: field, "refused": refused}
            )
        return super().get_form(request, obj, change=change, **kwargs)

    def save_form(self, request: HttpRequest, form: forms.ModelForm, change: bool) -> Any:
        """Everything is valid and nothing is written yet."""
        obj = super().save_form(request, form, change)
        refine_context(
            action=self.action_changed(obj) if change else self.action_added(obj),
            reason=form.cleaned_data.get(REASON, ""),
        )
        return obj

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except reasons.ReasonMissing:
            # Of a part of the object, such as an image. Again, with a form that knows.
            if _was_refused(request):
                raise
            request._reason_refused = True  # type: ignore[attr-defined]
            return super().changeform_view(request, *args, **kwargs)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method == "POST" and self._reason_is_missing(request):
            return HttpResponseRedirect(request.get_full_path())
        needed = self.deletion_needs_reason()
        try:
            return super().delete_view(
                request, object_id, {"reason_required": needed, **(extra_context or {})}
            )
        except reasons.ReasonMissing as refusal:  # of what would go with the object
            self.message_user(request, str(refusal), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def deletion_needs_reason(self) -> bool:
        return self.reason_required or reasons.needs_reason(self.model, deleted=True)

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        refine_context(action=self.action_deleted(obj), reason=_reason(request))
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        refine_context(action=self.action_many_deleted(queryset.count()), reason=_reason(request))
        super().delete_queryset(request, queryset)

    def _reason_is_missing(self, request: HttpRequest, *, bulk: bool = False) -> bool:
        needed = self.deletion_needs_reason() or (bulk and reasons.bulk_needs_reason())
        if not needed or _reason(request):
            return False
        self.message_user(request, str(MISSING), messages.ERROR)
        return True


def _was_refused(request: HttpRequest) -> bool:
    return getattr(request, "_reason_refused", False)


def _reason(request: HttpRequest) -> str:
    return reasons.said(request.POST.get(REASON, ""))[:LONGEST_REASON]
