from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    JsonResponse,
)
from django.template.loader import render_to_string
from django.urls import URLPattern
from django.utils.functional import cached_property
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.audit.access import events_about, may_read_events
from backoffice.audit.mentions import find_mentions, offered
from backoffice.audit.notes import LONGEST_NOTE, PERMISSION, add_note
from backoffice.audit.selectors import Position, Strand, object_timeline

from .beside import strands_beside, tabs_beside
from .deleted import DeletedAdmin


@dataclass(frozen=True)
class TimelineTab:
    """A tab on the form that fetches its contents when it is first looked at.

    Unfold draws tabs for the datasets of a form; this is one as far as its templates ask.
    """

    url: str
    history_url: str
    tab = True
    title = gettext_lazy("Timeline")
    model_name = "timeline"

    @cached_property
    def contents(self) -> str:
        return render_to_string(
            "audit/timeline_tab.html", {"url": self.url, "history_url": self.history_url}
        )


class NoteForm(forms.Form):
    text = forms.CharField(
        max_length=LONGEST_NOTE,
        error_messages={"required": gettext_lazy("The note is empty. Write what is to be known.")},
    )


class HistoryAdmin(DeletedAdmin):
    """The history of an object: when, who, why, and what was there before.

    Stands in front of Django's and simple-history's ModelAdmin, whose pages it replaces. It shows
    objects that are gone as well.
    """

    history_template = "audit/object_history.html"

    def get_urls(self) -> list[URLPattern]:
        """Without simple-history's form of one version, which ends in saving it."""
        unwanted = f"{self.opts.app_label}_{self.opts.model_name}_simple_history"
        urls: list[URLPattern] = super().get_urls()
        return [
            self.record_path("<path:object_id>/timeline/", "timeline", self.timeline_view),
            self.record_path("<path:object_id>/note/", "note", self.note_view),
            self.record_path("<path:object_id>/people/", "people", self.people_view),
            *(pattern for pattern in urls if pattern.name != unwanted),
        ]

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

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        """With the timeline as a tab, which costs the form nothing until it is opened."""
        if obj is not None and not context.get("is_popup"):
            tabs = tabs_beside(request, self, obj)
            if self.has_view_history_permission(request, obj):
                key = quote(str(obj.pk))
                tabs.append(
                    TimelineTab(self.record_url("timeline", key), self.record_url("history", key))
                )
            context["datasets"] = [*context.get("datasets", ()), *tabs]
        return super().render_change_form(request, context, add, change, form_url, obj)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        obj, exists = self.living_or_gone(request, unquote(object_id))
        return self._history_page(request, obj, exists, extra_context)

    def _history_page(
        self,
        request: HttpRequest,
        obj: models.Model,
        exists: bool,
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        return self.record_page(
            request,
            self.history_template,
            {
                "title": _("History of %(name)s") % {"name": obj},
                "object": obj,
                "original": obj,  # the last of the breadcrumbs
                "exists": exists,
                **self._timeline(request, obj),
                **(extra_context or {}),
            },
        )

    def timeline_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A page of the history as a part of another page."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        obj, exists = self.living_or_gone(request, unquote(object_id))
        if not exists:
            raise PermissionDenied
        context = {"within_form": True, **self._timeline(request, obj)}
        return self.record_page(request, "audit/timeline.html", context)

    def note_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Put a note on the record, and show the timeline with it: in the tab, or on its page."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        obj, exists = self.living_or_gone(request, unquote(object_id))
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied
        form, unknown = NoteForm(request.POST), ""
        if form.is_valid():
            unknown = self._add_note(request, obj, form.cleaned_data["text"])
        if "HX-Request" in request.headers:
            context = {"within_form": True, **self._timeline(request, obj), "note_form": form}
            context["unknown"] = unknown
            return self.record_page(request, "audit/timeline.html", context)
        if not form.is_valid():
            return self._history_page(request, obj, exists, {"note_form": form})
        messages.success(request, _("The note is on the record."))
        if unknown:
            messages.warning(request, unknown)
        return HttpResponseRedirect(self.record_url("history", quote(str(obj.pk))))

    def _add_note(self, request: HttpRequest, obj: models.Model, text: str) -> str:
        """Returns whom the note names in vain, in words."""
        mentions = find_mentions(text, model_admin=self, obj=obj)
        add_note(obj=obj, text=text, people=mentions.told, author=request.user)
        if not mentions.unknown:
            return ""
        # Whether there is nobody or somebody who may not see this object, it is the same words.
        return _(
            "Nobody was told of %(names)s: that is not the name of just one person who may see "
            "this. Choose from the list that opens after @."
        ) % {"names": get_text_list(mentions.unknown, _("and"))}

    def people_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Whom a note on this object can name, for the list that opens after @."""
        obj, exists = self.living_or_gone(request, unquote(object_id))
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied
        term = request.GET.get("q", "").replace("\0", "")[:100]
        found = offered(term, model_admin=self, obj=obj) if exists else []
        return JsonResponse({"people": [{"handle": h, "name": name} for h, name in found]})

    def _timeline(self, request: HttpRequest, obj: models.Model) -> dict[str, Any]:
        parts, hidden = self.parts_open_to(request)
        before = Position.parse(request.GET.get("before", ""))
        may_see_change_sets = may_read_events(request)
        key = quote(str(obj.pk))
        return {
            "timeline": object_timeline(
                [
                    Strand(model=self.model, attname=self.opts.pk.attname),
                    *parts,
                    *strands_beside(request, obj),
                ],
                obj.pk,
                events=events_about(obj, request),
                before=before,
                viewer=request.user,
            ),
            "object_id": key,
            "hidden": hidden,
            "newest": before is None,
            "may_see_change_sets": may_see_change_sets,
            "may_add_note": request.user.has_perm(PERMISSION),
            "longest_note": LONGEST_NOTE,
            "note_url": self.record_url("note", key),
            "people_url": self.record_url("people", key),
            "timeline_url": self.record_url("timeline", key),
            "as_of_url": self.record_url("as_of", key),
        }
