"""The pages that show an object, or a list, as it was at a moment. They change nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime, time
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin.utils import flatten_fieldsets, quote, unquote
from django.core import checks
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import URLPattern
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action

from backoffice.audit.as_of import (
    LONGEST,
    Page,
    TookTooLong,
    list_as_of,
    names_at,
    object_as_of,
)
from backoffice.audit.history import fields_told
from backoffice.audit.naming import tracked_fields

from .as_of_tables import Group, heads, labelled, part_then, values_of
from .recorded import RecordedAdmin

# A list shows so many columns where its admin does not say which.
COLUMNS = 6


class AsOfAdmin(RecordedAdmin):
    """The object and its list as they were at a moment, from the history alone.

    `as_of_columns` names the fields that the list shows; without it, the first few short ones.
    """

    as_of_columns: tuple[str, ...] = ()
    actions_list: Any = ("as_of_list",)

    def get_urls(self) -> list[URLPattern]:
        return [
            self.record_path("<path:object_id>/as-of/", "as_of", self.as_of_view),
            *super().get_urls(),
        ]

    def as_of_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        obj, exists = self.living_or_gone(request, unquote(object_id))
        moment, complaint = _moment(request)
        row = object_as_of(self.model, obj.pk, moment)
        parts, hidden = self.parts_open_to(request)
        key = quote(str(obj.pk))
        return self.record_page(
            request,
            "audit/as_of.html",
            {
                "title": str(obj),
                "original": obj,  # the last of the breadcrumbs
                "moment": moment,
                "at": _as_input(moment),
                "complaint": complaint,
                "row": row,
                "groups": self._groups(request, obj, row, moment) if row else [],
                "parts": [
                    part_then(p, obj.pk, moment, request.user, self._columns_of(p.model))
                    for p in (parts if row else ())
                ],
                "hidden": hidden if row else [],
                "today_url": self.record_url("change" if exists else "history", key),
                "history_url": self.record_url("history", key),
                "list_url": f"{self.record_url('as_of_list')}?{_query(moment)}",
                "exists": exists,
            },
        )

    # Unfold's way to a button above the list; like all actions of a list it is reached by GET.
    @action(
        description=gettext_lazy("As of a date"),
        url_path="as-of",
        icon="history",
        permissions=["view_history"],
    )
    def as_of_list(self, request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        moment, complaint = _moment(request)
        told = fields_told(self.model, request.user)
        searched = [field.name for field in self._searched() if field in told]
        words = request.GET.get("q", "").replace("\0", "").split() if searched else []
        try:
            page = list_as_of(
                self.model, moment, after=self._after(request), words=words, among=searched
            )
        except TookTooLong:
            page = Page(rows=())
            complaint = _(
                "This was given up after %(seconds)d seconds: too much has happened since. Find "
                "the object on the timeline or in the list of today, and open its history."
            ) % {"seconds": LONGEST}
        columns = self._columns(told)
        rows = self._shown(request, page)
        names = names_at(moment, [(self.model, row) for row in rows])
        return self.record_page(
            request,
            "audit/as_of_list.html",
            {
                "title": capfirst(str(self.opts.verbose_name_plural)),
                "moment": moment,
                "complaint": complaint,
                "columns": heads(columns),
                "rows": [
                    (
                        f"{self.record_url('as_of', quote(str(key)))}?{_query(moment)}",
                        values_of(row, columns, names),
                    )
                    for row in rows
                    if (key := getattr(row, self.opts.pk.attname)) is not None
                ],
                "searched": ", ".join(
                    str(field.verbose_name) for field in self._searched() if field in told
                ),
                "words": " ".join(words),
                "unfinished": page.unfinished,
                "at": _as_input(moment),
                "more_url": f"?{_query(moment, q=' '.join(words), after=page.next)}"
                if page.next is not None
                else "",
                "first_url": f"?{_query(moment, q=' '.join(words))}"
                if "after" in request.GET
                else "",
                "today_url": self.record_url("changelist"),
            },
        )

    def _after(self, request: HttpRequest) -> Any:
        try:
            return self.opts.pk.to_python(request.GET.get("after") or None)
        except ValidationError:
            return None

    def _shown(self, request: HttpRequest, page: Page) -> list[Any]:
        """Without those that live on where this viewer must not see them."""
        keys = [getattr(row, self.opts.pk.attname) for row in page.rows]
        living = set(self.model._base_manager.filter(pk__in=keys).values_list("pk", flat=True))
        open_to_viewer = self.get_queryset(request).filter(pk__in=living).order_by()
        hidden = living - set(open_to_viewer.values_list("pk", flat=True))
        return [row for key, row in zip(keys, page.rows, strict=True) if key not in hidden]

    def _searched(self) -> list[models.Field]:
        """Of what the list of today searches, the fields of the object itself."""
        names = {str(name).lstrip("^=@") for name in self.search_fields}
        return [field for field in tracked_fields(self.model) if field.name in names]

    def _columns(self, told: list[models.Field]) -> list[models.Field]:
        if self.as_of_columns:
            by_name = {field.name: field for field in told}
            return [by_name[name] for name in self.as_of_columns if name in by_name]
        short = [f for f in told if not isinstance(f, models.TextField | models.JSONField)]
        return short[:COLUMNS]

    def _columns_of(self, model: type[models.Model]) -> tuple[str, ...]:
        known = self.admin_site.is_registered(model)
        return getattr(self.admin_site.get_model_admin(model), "as_of_columns", ()) if known else ()

    def _groups(
        self, request: HttpRequest, obj: models.Model, row: Any, moment: datetime
    ) -> list[Group]:
        """The fields as the form arranges them, then those that no form has."""
        told = {field.name: field for field in fields_told(self.model, request.user)}
        names = names_at(moment, [(self.model, row)])
        groups = []
        for title, options in self.get_fieldsets(request, obj):
            fields = [told[n] for n in flatten_fieldsets([(title, options)]) if n in told]
            if fields:
                values = labelled(row, fields, names)
                groups.append(Group(title=str(title or ""), values=values))
        # What the form leaves out for this viewer only is no longer among those left.
        on_forms = set(flatten_fieldsets(self.fieldsets or ()))
        rest = [field for name, field in told.items() if self.fieldsets and name not in on_forms]
        if rest:
            groups.append(Group(title=_("Further"), values=labelled(row, rest, names)))
        return groups

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        return [*super().check(**kwargs), *self._check_as_of_columns()]

    def _check_as_of_columns(self) -> Iterator[checks.CheckMessage]:
        for name in self.as_of_columns:
            try:
                known = self.opts.get_field(name) in tracked_fields(self.model)
            except FieldDoesNotExist:
                known = False
            if not known:
                yield checks.Error(
                    f"'as_of_columns' names {name!r}, which the history of {self.opts.label} "
                    "does not keep.",
                    hint="Name fields of the model that its Trail does not exclude.",
                    obj=type(self),
                    id="audit.E011",
                )


def _moment(request: HttpRequest) -> tuple[datetime, str]:
    """The moment that the address asks for, and a complaint where it names none.

    In the shop's time zone unless it says otherwise; a day without a time is the end of it. There
    is nothing to see of the future.
    """
    text = request.GET.get("at", "").strip()
    now = timezone.now()
    if not text:
        return now, ""
    try:
        found = parse_datetime(text) if len(text) > len("2026-01-01") else None
        if found is None and (day := parse_date(text)):
            found = datetime.combine(day, time.max)
        if found is not None:
            if timezone.is_naive(found):
                found = timezone.make_aware(found)
            return min(found.astimezone(UTC), now), ""
    except (ValueError, OverflowError):
        pass
    return now, _("“%(text)s” is no date. Choose a day and a time.") % {"text": text}


def _as_input(moment: datetime) -> str:
    """The moment as an input of type datetime-local takes it: to the second."""
    return timezone.localtime(moment).strftime("%Y-%m-%dT%H:%M:%S")


def _query(moment: datetime, **more: Any) -> str:
    return urlencode({"at": moment.isoformat(), **{k: v for k, v in more.items() if v}})
