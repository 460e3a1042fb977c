"""The list of imports, and the filters that lead to and from it."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from backoffice.exchange.models import ImportJob
from backoffice.exchange.resources import get_resource, resource_names


def name_of(resource: str) -> str:
    return str(capfirst(str(get_resource(resource).model()._meta.verbose_name_plural)))


class ResourceFilter(DropdownFilter):
    title = gettext_lazy("what")
    parameter_name = "resource"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(name, name_of(name)) for name in resource_names()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(resource=self.value()) if self.value() else queryset


class WhoFilter(DropdownFilter):
    """Whoever brought a file in; nobody else needs to be offered."""

    title = gettext_lazy("user")
    parameter_name = "user"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        jobs = ImportJob.objects.visible_to(request.user).order_by().values("user")
        people = get_user_model()._default_manager.filter(pk__in=jobs)
        return [(str(user.pk), str(user)) for user in people]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        chosen = str(self.value() or "")
        return queryset.filter(user=chosen) if chosen.isdecimal() else queryset


class ImportedFilter(DropdownFilter):
    """On the list of what was imported: the objects that one import wrote."""

    title = gettext_lazy("import")
    parameter_name = "import"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        job = self._job(request, str(request.GET.get("import", "")))
        return [(str(job.pk), str(job))] if job else [("", _("unknown"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        job = self._job(request, str(self.value() or ""))
        if job is None:
            return queryset.none() if self.value() else queryset
        model: Any = queryset.model
        written = model.history.filter(change_set_id=job.change_set_id)
        return queryset.filter(pk__in=written.values(model._meta.pk.attname))

    @staticmethod
    def _job(request: HttpRequest, number: str) -> ImportJob | None:
        if not number.isdecimal() or len(number) > 18:
            return None
        jobs = ImportJob.objects.visible_to(request.user)
        return jobs.filter(pk=number, change_set__isnull=False).first()


def _number(name: str, description: Any) -> Callable[..., SafeString]:
    @display(
        description=description,
        ordering=name,
        formatting="price",
        wrapper_class="number-column",
    )
    def column(self: Any, job: ImportJob) -> SafeString:
        shown = number_format(getattr(job, name), force_grouping=True)
        return format_html('<span class="number">{}</span>', shown)

    return column  # type: ignore[no-any-return]


class JobColumns:
    """Mixed into the admin of imports."""

    rows_count = _number("rows", gettext_lazy("rows"))
    new_count = _number("new", gettext_lazy("new"))
    changed_count = _number("changed", gettext_lazy("changed"))
    unchanged_count = _number("unchanged", gettext_lazy("unchanged"))
    invalid_count = _number("invalid", gettext_lazy("invalid"))

    @display(description=gettext_lazy("what"), ordering="resource")
    def what(self, job: ImportJob) -> str:
        return name_of(job.resource)

    @display(description=gettext_lazy("profile"), ordering="profile__name")
    def by_profile(self, job: ImportJob) -> str:
        if job.feed:
            return _("%(feed)s (feed)") % {"feed": job.feed}
        return str(job.profile or "—")

    @display(
        description=gettext_lazy("state"),
        ordering="state",
        label={
            "reading": "info", "uploaded": "info", "checked": "warning", "applying": "info",
            "applied": "success", "failed": "danger",
        },
    )  # fmt: skip
    def state_label(self, job: ImportJob) -> tuple[str, str]:
        return job.state, job.get_state_display()
