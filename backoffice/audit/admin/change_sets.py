from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseNotAllowed,
    StreamingHttpResponse,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin

from backoffice.audit.access import AdminLinks, Link, may_read_history
from backoffice.audit.context import Source
from backoffice.audit.events import recorded_export
from backoffice.audit.exporting import FORMS, exported_lines
from backoffice.audit.history import Entry, fields_told
from backoffice.audit.models import ChangeSet
from backoffice.audit.secrecy import facts_told
from backoffice.audit.selectors import Tally
from backoffice.audit.timeline import people_on_record, timeline_page
from backoffice.audit.timeline_contents import (
    Search,
    Section,
    change_set_sections,
    counted,
    named_by,
)
from backoffice.audit.trail import trailed_models
from backoffice.audit.wording import source_in_words, source_variant

from .filters import LONGEST, NOBODY, TimelineFilters, usual_periods
from .lines import days_of, facts_in_words
from .undo_urls import undo_urls


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
    unfinished: bool
    fields: list[tuple[str, str]]
    searchable: bool


@admin.register(ChangeSet)
class ChangeSetAdmin(ModelAdmin):
    """The timeline: who changed what, when and why. Nobody adds, changes or deletes anything."""

    def get_urls(self) -> list[URLPattern]:
        """The list and the detail page, which Django also leads to from the bare number."""
        kept = {"audit_changeset_changelist", "audit_changeset_change", None}
        export = path(
            "export/",
            self.admin_site.admin_view(self.export_view),
            name="audit_changeset_export",
        )
        return [
            export,
            *undo_urls(self),
            *(each for each in super().get_urls() if each.name in kept),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        readable = _readable(request)
        filters = self._filters(request, readable)
        page = timeline_page(filters.narrowing, before=filters.before)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Timeline"),
            "opts": self.opts,
            "filters": filters,
            "is_narrow": bool(filters.values),
            "field_search": _field_search(filters),
            "page": page,
            "days": days_of(page, readable, request.user),
            "people": filters.people,
            "nobody": NOBODY,
            "sources": [(source.value, source_in_words(source)) for source in Source],
            "kinds": ChangeSet.Kind.choices,
            "models": [
                (model._meta.label_lower, capfirst(str(model._meta.verbose_name_plural)))
                for model in readable
            ],
            "fields": [
                (capfirst(str(model._meta.verbose_name_plural)), _fields(request, model))
                for model in readable
            ],
            "periods": [
                (name, {**filters.values, **days}, days.items() <= filters.values.items())
                for name, days in usual_periods()
            ],
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "audit/change_sets.html", context)

    def _filters(
        self, request: HttpRequest, readable: Sequence[type[models.Model]]
    ) -> TimelineFilters:
        return TimelineFilters(
            query=request.GET,
            readable=readable,
            people=people_on_record(),
            viewer=request.user,
        )

    def export_view(self, request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        """What the timeline shows under these filters, as a file. Itself goes on the record."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = request.POST.get("form", "csv")
        if form not in FORMS:
            return HttpResponseBadRequest(_("Choose CSV or JSON Lines."))
        content_type, written_as = FORMS[form]
        readable = _readable(request)
        filters = self._filters(request, readable)
        lines = exported_lines(filters.narrowing, readable, viewer=request.user)
        blocks = recorded_export(
            written_as(lines),
            what=gettext_lazy("lines of the record"),
            facts={
                "resource": "audit.changeset",
                "format": form,
                "filter": filters.values,
                "left_out": [
                    model._meta.label_lower for model in trailed_models if model not in readable
                ],
            },
        )
        name = f"record-{timezone.localtime():%Y-%m-%d-%H%M}.{form}"
        return StreamingHttpResponse(
            blocks,
            content_type=content_type,
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

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
        readable = _readable(request)
        tallies = counted([change_set.pk], trailed_models).get(change_set.pk, [])
        visible = [tally for tally in tallies if tally.model in readable]
        one = request.GET.get("model", "")
        if one:
            visible = [tally for tally in visible if tally.model._meta.label_lower == one]
            if not visible:
                raise Http404
        search = _search(request, visible[0].model) if one else Search()
        after = request.GET.get("after", "") if one else ""
        sections = change_set_sections(
            change_set,
            visible,
            after=int(after) if after.isascii() and after.isdigit() and len(after) < 19 else 0,
            search=search,
            viewer=request.user,
        )
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
            "facts": facts_in_words(facts_told(change_set.facts, request.user), shorten=False),
            "sections": [_linked(request, section, links) for section in sections],
            "hidden": len({tally.model for tally in tallies} - set(readable)),
            "one": one,
            "after": after,
            "search": search,
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


def _readable(request: HttpRequest) -> list[type[models.Model]]:
    return [model for model in trailed_models if may_read_history(request, model)]


def _fields(request: HttpRequest, model: type[models.Model]) -> list[tuple[str, str]]:
    """The fields of a model that this viewer may be told of, as `app.model.field` and label."""
    return [
        (f"{model._meta.label_lower}.{field.name}", capfirst(str(field.verbose_name)))
        for field in fields_told(model, request.user)
    ]


def _field_search(filters: TimelineFilters) -> str:
    """The query that looks for the same field in all of one change set."""
    if len(filters.narrowing.fields) != 1:
        return ""
    (touched,) = filters.narrowing.fields
    assert touched.field is not None  # noqa: S101 - those with a field were asked for
    return urlencode({"model": touched.model._meta.label_lower, "field": touched.field.name})


def _search(request: HttpRequest, model: type[models.Model]) -> Search:
    """What is looked for within a section. A field that is none is not looked for."""
    wanted = request.GET.get("field", "")
    return Search(
        word=request.GET.get("q", "").replace("\0", "").strip()[:LONGEST],
        field=next(
            (field for field in fields_told(model, request.user) if field.name == wanted), None
        ),
    )


def _linked(request: HttpRequest, section: Section, links: AdminLinks) -> LinkedSection:
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
        unfinished=section.unfinished,
        fields=[(name.rpartition(".")[2], label) for name, label in _fields(request, model)],
        searchable=bool(named_by(model)),
    )
