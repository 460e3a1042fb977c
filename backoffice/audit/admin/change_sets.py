from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from backoffice.audit.access import AdminLinks, Link, may_read_history
from backoffice.audit.history import Entry
from backoffice.audit.models import ChangeSet
from backoffice.audit.selectors import Section, Tally, change_set_sections, change_set_tallies
from backoffice.audit.trail import trailed_models
from backoffice.audit.wording import (
    NOTHING,
    SOURCE_VARIANTS,
    moment_in_words,
    source_in_words,
    source_variant,
)

from .filters import PeriodFilter, SourceFilter, WhoFilter, bounded_number


@dataclass(frozen=True, kw_only=True)
class LinkedEntry:
    """An entry, and the page of the object that it is about, where there is one to open."""

    entry: Entry
    url: str


@dataclass(frozen=True, kw_only=True)
class LinkedSection:
    title: str
    label: str
    tally: Tally
    entries: list[LinkedEntry]
    next: int | None


@admin.register(ChangeSet)
class ChangeSetAdmin(ModelAdmin):
    """The timeline: who changed what, when and why. Nobody adds, changes or deletes anything."""

    list_display = ("when", "who", "source_badge", "what", "why", "request_short")
    list_display_links = ("when",)
    list_per_page = 50
    list_fullwidth = True
    list_disable_select_all = True
    # Nothing can be selected, and counting the whole record would take longer than reading it.
    paginator = InfinitePaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    ordering = ("-id",)
    sortable_by = ()
    list_filter = (SourceFilter, WhoFilter, ("at", PeriodFilter))
    list_filter_submit = True
    search_fields = ("action", "reason", "actor_name", "request_id")
    search_help_text = gettext_lazy("Search in what, why, who and request")
    actions = None

    class Media:
        css = {"all": ("audit/audit.css",)}

    def get_urls(self) -> list[URLPattern]:
        """The list and the detail page, which Django also leads to from the bare number."""
        kept = {"audit_changeset_changelist", "audit_changeset_change", None}
        return [pattern for pattern in super().get_urls() if pattern.name in kept]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        extra_context = {"title": _("Timeline"), **(extra_context or {})}
        response: HttpResponse = super().changelist_view(request, extra_context)
        return response

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        change_set = self.get_object(request, unquote(object_id))
        if change_set is None:
            raise Http404
        readable = [model for model in trailed_models if may_read_history(request, model)]
        tallies = change_set_tallies(change_set, trailed_models)
        visible = [tally for tally in tallies if tally.model in readable]
        one = request.GET.get("model", "")
        if one:
            visible = [tally for tally in visible if tally.model._meta.label_lower == one]
            if not visible:
                raise Http404
        after = request.GET.get("after", "") if one else ""
        sections = change_set_sections(change_set, visible, after=bounded_number(after) or 0)
        links = AdminLinks(request, self.admin_site)
        context = {
            **self.admin_site.each_context(request),
            "title": change_set.action or _("Change set %(number)d") % {"number": change_set.pk},
            "opts": self.opts,
            "original": change_set,  # the last of the breadcrumbs
            "change_set": change_set,
            "source": source_in_words(change_set.source),
            "source_variant": source_variant(change_set.source),
            "cause": links.reference(change_set.reference) if change_set.reference else Link(""),
            "sections": [_linked(section, links) for section in sections],
            "hidden": len({tally.model for tally in tallies} - set(readable)),
            "one": one,
            "after": after,
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "audit/change_set.html", context)

    # The record is read, and nothing else, whoever asks.
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ChangeSet | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ChangeSet | None = None) -> bool:
        return False

    @display(description=gettext_lazy("When"))
    def when(self, change_set: ChangeSet) -> str:
        return moment_in_words(change_set.at)

    @display(description=gettext_lazy("Who"))
    def who(self, change_set: ChangeSet) -> str:
        return change_set.who

    @display(
        description=gettext_lazy("Source"),
        label={source.value: variant for source, variant in SOURCE_VARIANTS.items()},
    )
    def source_badge(self, change_set: ChangeSet) -> tuple[str, str]:
        return change_set.source, source_in_words(change_set.source)

    @display(description=gettext_lazy("What"))
    def what(self, change_set: ChangeSet) -> str:
        return change_set.action or NOTHING

    @display(description=gettext_lazy("Why"))
    def why(self, change_set: ChangeSet) -> str:
        return change_set.reason or NOTHING

    @display(description=gettext_lazy("Request"))
    def request_short(self, change_set: ChangeSet) -> str:
        return change_set.request_id[:8] or NOTHING


def _linked(section: Section, links: AdminLinks) -> LinkedSection:
    model = section.tally.model
    urls = links.objects(model, (entry.key for entry in section.entries))
    return LinkedSection(
        title=capfirst(str(model._meta.verbose_name_plural)),
        label=model._meta.label_lower,
        tally=section.tally,
        entries=[
            LinkedEntry(entry=entry, url=urls.get(entry.key, "")) for entry in section.entries
        ],
        next=section.next,
    )
