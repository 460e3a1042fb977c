"""What the pages of people and of roles share: they guard access, and say why it changed."""

from typing import Any

import unfold.admin
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.accounts.access import lock_access
from backoffice.audit.admin import HistoryAdmin
from backoffice.audit.context import refine_context
from backoffice.audit.language import on_record
from backoffice.audit.reasons import said

from .states import state_of, what_happened

REASON = "change_reason"  # as on every delete page of the console


_ADDED = gettext_lazy("%(kind)s added: %(name)s")
_CHANGED = gettext_lazy("%(kind)s changed: %(name)s")


class AccessAdmin(HistoryAdmin, unfold.admin.ModelAdmin):
    """A ModelAdmin over what gives access.

    Writes happen one at a time, each with its reason on the record. Nobody changes or deletes what
    holds rights beyond their own: `is_within_rights` says so, and is asked once per object and
    request, before the form touches the object.
    """

    list_fullwidth = True
    list_filter_submit = True
    list_per_page = 50
    show_full_result_count = False
    empty_value_display = "—"
    warn_unsaved_form = True
    change_form_show_cancel_button = True
    change_form_after_template = "accounts/reason.html"

    class Media:
        css = {"all": ["accounts/accounts.css"]}

    before_deletion: Any = ""  # what to consider first

    # One at a time: each deletion is checked, and explained, for itself.
    actions = None

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.actor = request.user
        if obj is not None:
            state = getattr(request, "_access_state", "")
            form.base_fields["state_seen"].initial = state
            if request.method == "POST" and request.POST.get("state_seen", "") != state:
                form.stale = what_happened(self, obj)
        return form

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if request.method == "POST":
            lock_access()
        # Before the form reads anything: it is never taken for newer than it is.
        obj = self.get_object(request, unquote(object_id)) if object_id else None
        if obj is not None:
            request._access_state = state_of(self, obj)  # type: ignore[attr-defined]
        return super().changeform_view(request, object_id, *args, **kwargs)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        may_change_others = super().has_change_permission(request)
        if obj is not None and may_change_others and not self._within_rights(request, obj):
            self.message_user(
                request,
                _(
                    "You can look, but change nothing: %(name)s holds permissions that you do not "
                    "have."
                )
                % {"name": obj},
                messages.INFO,
            )
        return super().render_change_form(request, context, add, change, form_url, obj)

    # Permissions

    def is_within_rights(self, request: HttpRequest, obj: Any) -> bool:
        raise NotImplementedError

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed: bool = super().has_change_permission(request, obj)
        return allowed and (obj is None or self._within_rights(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed: bool = super().has_delete_permission(request, obj)
        return allowed and (obj is None or self._within_rights(request, obj))

    def _within_rights(self, request: HttpRequest, obj: Any) -> bool:
        known: dict[int, bool] = request.__dict__.setdefault(f"_within_rights_{id(self)}", {})
        if obj.pk not in known:
            known[obj.pk] = self.is_within_rights(request, obj)
        return known[obj.pk]

    # Writes

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        """Everything is valid and nothing is written yet."""
        obj = super().save_form(request, form, change)
        words = _CHANGED if change else _ADDED
        refine_context(
            action=on_record(words, {"kind": capfirst(self.opts.verbose_name), "name": obj}),
            reason=form.cleaned_data.get(REASON, ""),
        )
        return obj

    # The record tells all of it, with what was there before; Django's own log knows less.
    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        pass

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        pass

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        pass

    def why_not_delete(self, request: HttpRequest, obj: Any) -> str:
        """What speaks against deleting the object, in words; nothing if blank."""
        raise NotImplementedError

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method == "POST":
            lock_access()
        obj = self.get_object(request, object_id)
        if obj is not None and self.has_delete_permission(request, obj):
            objection = self.why_not_delete(request, obj)
            if request.method == "POST" and not objection and not _reason(request):
                self.message_user(
                    request,
                    _("Say why access changes; it goes on the record."),
                    messages.ERROR,
                )
                return HttpResponseRedirect(request.get_full_path())
            if request.method == "GET" and not objection and self.before_deletion:
                self.message_user(request, self.before_deletion, messages.WARNING)
            if objection:
                self.message_user(request, objection, messages.ERROR)
                page = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
                return HttpResponseRedirect(reverse(page, args=[obj.pk]))
        return super().delete_view(
            request, object_id, {"reason_required": True, **(extra_context or {})}
        )

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        refine_context(
            action=on_record(
                gettext_lazy("%(kind)s deleted: %(name)s"),
                {"kind": capfirst(self.opts.verbose_name), "name": obj},
            ),
            reason=_reason(request),
        )
        super().delete_model(request, obj)


def _reason(request: HttpRequest) -> str:
    return said(request.POST.get(REASON, ""))[:500]
