"""Nobody's edit is lost: rows are locked, then compared with what the form showed, then written."""

from collections.abc import Collection, Iterable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.options import BaseModelAdmin, InlineModelAdmin
from django.contrib.admin.utils import quote, unquote
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.translation import gettext as _

from backoffice.audit.admin.recorded import RecordedAdmin
from backoffice.audit.reasons import ReasonMissing
from backoffice.audit.since import changed_since, deleted_by, edition

from .conflicts import in_words
from .editions import SEEN, EditionForm
from .rows import EditionRows, EditionRowsMixin, posted_keys


def edition_form(base: type[forms.ModelForm], request: HttpRequest) -> type[forms.ModelForm]:
    if issubclass(base, EditionForm):
        return base
    return type(base.__name__, (EditionForm, base), {"viewer": request.user})


def lock_rows(model: type[models.Model], keys: Iterable[Any]) -> list[Any]:
    """Lock rows in the order of their keys until the transaction ends; returns those found.

    Rows that only point at them may come and go meanwhile, unless the form shows links: those
    could otherwise come in between the comparison and the save.
    """
    rows = model._base_manager.filter(pk__in=keys).order_by("pk")
    locked = rows.select_for_update(of=("self",), no_key=not model._meta.many_to_many)
    return list(locked.values_list("pk", flat=True))


class LockingMixin(RecordedAdmin):
    """The forms of a ModelAdmin refuse what is stale, with both values; see console.editions."""

    change_form_before_template = "console/editions.html"

    def lock_object(self, key: Any) -> None:
        """Lock the row that a form is about to change. What must be locked before, goes before."""
        lock_rows(self.model, [key])

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "POST":
            request._console_locks = self  # type: ignore[attr-defined]
        return super().changeform_view(request, *args, **kwargs)

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        if getattr(request, "_console_locks", None) is self and not from_field:
            try:
                key = self.opts.pk.to_python(object_id)
            except (ValidationError, ValueError):
                return None
            self.lock_object(key)
        return super().get_object(request, object_id, from_field)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What somebody changed since the page was opened is told, and asked about again."""
        if request.method == "POST":
            request._console_locks = self  # type: ignore[attr-defined]
        obj = self.get_object(request, unquote(object_id))
        context = {**(extra_context or {})}
        if obj is not None and self.has_delete_permission(request, obj):
            context["edition"] = edition(obj)
            seen = request.POST.get(SEEN, "")
            if seen and seen != context["edition"]:
                news = changed_since(obj, seen, viewer=request.user).changed.values()
                told = " ".join(map(in_words, news)) or _("This has been changed meanwhile.")
                again = _("Look at it again; you can still delete it.")
                self.message_user(request, f"{told} {again}", messages.WARNING)
                return HttpResponseRedirect(request.get_full_path())
        response: HttpResponse = super().delete_view(request, object_id, context)
        return response

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm]:
        if obj is not None and self.has_change_permission(request, obj):
            kwargs["form"] = edition_form(kwargs.get("form", self.form), request)
        return super().get_form(request, obj, change=change, **kwargs)

    def get_formset_kwargs(
        self, request: HttpRequest, obj: Any, inline: InlineModelAdmin, prefix: str
    ) -> dict[str, Any]:
        facts: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        if "data" in facts and obj.pk is not None and inline.has_change_permission(request, obj):
            keys = posted_keys(facts["data"], prefix, inline.model)
            lock_rows(inline.model, keys)
            # As many as were posted, so that each form stands beside its own row.
            facts["queryset"] = facts["queryset"].filter(pk__in=keys)
        return facts

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Collection[Any], change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        rows = [row for formset in formsets for row in formset.forms]
        for each in [form, *formsets, *rows]:
            for note in getattr(each, "notes", ()):
                self.message_user(request, note, messages.WARNING)

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str
    ) -> HttpResponse:
        """Who deleted what is looked for, for those who may read its history."""
        key = unquote(object_id)
        try:
            gone = deleted_by(self.model, [self.opts.pk.to_python(key)])
        except (ValidationError, ValueError):
            gone = {}
        if not gone or not self.has_view_history_permission(request):
            response: HttpResponse = super()._get_obj_does_not_exist_redirect(  # type: ignore[misc]
                request, opts, object_id
            )
            return response
        (last,) = gone.values()
        words = _("%(who)s deleted %(kind)s “%(name)s”, %(when)s.") % {
            "who": last.who,
            "kind": self.opts.verbose_name,
            "name": last.name,
            "when": naturaltime(last.at),
        }
        lost = _("What you entered was not saved.") if request.method == "POST" else ""
        link = self.record_url("history", quote(key))
        self.message_user(
            request,
            format_html(
                '{} {} <a class="console-link" href="{}">{}</a>',
                words, lost, link, _("Open its history, from where it can be restored"),
            ),
            messages.WARNING,
        )  # fmt: skip
        return HttpResponseRedirect(self.record_url("changelist"))

    # Lists whose rows are edited.

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method != "POST" or "_save" not in request.POST:
            return super().changelist_view(request, extra_context)
        try:
            with transaction.atomic():
                response = super().changelist_view(request, extra_context)
        except ReasonMissing as refusal:  # a row has no place to say why
            self.message_user(request, str(refusal), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        context = getattr(response, "context_data", None)
        if context and (formset := context["cl"].formset) is not None and formset.is_bound:
            # The rows that were posted, so that each form stands beside its own.
            context["cl"].result_list = [form.instance for form in formset.forms]
        return response

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs["form"] = edition_form(kwargs.get("form", forms.ModelForm), request)
        return super().get_changelist_form(request, **kwargs)

    def get_changelist_formset(self, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs.setdefault("formset", EditionRows)
        rows = super().get_changelist_formset(request, **kwargs)
        # What is in no column, such as a field that the user must not see, is in no row either.
        shown = {str(name) for name in self.get_list_display(request)}
        for name in set(self.list_editable) - shown:
            del rows.form.base_fields[name]
        return rows

    def _get_list_editable_queryset(self, request: HttpRequest, prefix: str) -> QuerySet:
        lock_rows(self.model, posted_keys(request.POST, prefix, self.model))
        rows: QuerySet = super()._get_list_editable_queryset(request, prefix)
        return rows


class LockingInlineMixin(BaseModelAdmin):
    """Rows of another model on a form, each with the state that it shows."""

    formset: Any

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        kwargs["form"] = edition_form(kwargs.get("form", self.form), request)
        base = kwargs.get("formset", self.formset)
        kwargs["formset"] = type(base.__name__, (EditionRowsMixin, base), {})
        return super().get_formset(request, obj, **kwargs)  # type: ignore[misc]
