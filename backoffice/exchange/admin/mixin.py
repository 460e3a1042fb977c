from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from import_export.admin import ImportExportModelAdmin

from backoffice.exchange.compiling import open_columns
from backoffice.exchange.exceptions import ExchangeError
from backoffice.exchange.exporting import export_rows
from backoffice.exchange.forms import UploadForm
from backoffice.exchange.resources import Resource, get_resource
from backoffice.exchange.services import start_import


class ExchangeAdmin(ImportExportModelAdmin):
    """Import and export on a list: django-import-export's buttons and rights, our engine.

    `exchange_resource` is the name of the resource; without one there is neither.
    """

    exchange_resource = ""

    @property
    def resource(self) -> Resource:
        return get_resource(self.exchange_resource)

    def get_urls(self) -> list[URLPattern]:
        """Without the library's own confirmation, which trusts a file name from the form."""
        urls: list[URLPattern] = super().get_urls()
        unwanted = {"{}_{}_process_import", *(() if self.exchange_resource else _PAGES)}
        names = {name.format(*self.get_model_info()) for name in unwanted}
        return [pattern for pattern in urls if pattern.name not in names]

    def has_import_permission(self, request: HttpRequest) -> bool:
        return bool(self.exchange_resource) and bool(super().has_import_permission(request))

    def has_export_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(self.exchange_resource) and bool(super().has_export_permission(request))

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Take a file, stage and check it; all further steps are on the page of its job."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        form = UploadForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            uploaded = form.cleaned_data["file"]
            try:
                job = start_import(
                    resource=self.exchange_resource,
                    file=uploaded,
                    file_name=uploaded.name,
                    user=request.user,
                    encoding=form.cleaned_data["encoding"],
                )
            except ExchangeError as error:
                form.add_error("file", str(error))
            else:
                return HttpResponseRedirect(
                    reverse("admin:exchange_importjob_change", args=[job.pk])
                )
        context = {
            **self.admin_site.each_context(request),
            "title": _("Import %(what)s") % {"what": self.opts.verbose_name_plural},
            "opts": self.opts,
            "form": form,
            "columns": [
                (name, column.label, column.model_field.help_text, column.default() is None)
                for name, column in open_columns(self.resource, request.user).items()
            ],
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "exchange/upload.html", context)

    def export_action(self, request: HttpRequest) -> HttpResponse:
        """The rows that the list's filters find, streamed."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        try:
            rows = self.get_export_queryset(request)
        except IncorrectLookupParameters:
            # As the list itself does: back to all of it, with a word of warning.
            changelist = reverse("admin:{}_{}_changelist".format(*self.get_model_info()))
            return HttpResponseRedirect(f"{changelist}?{ERROR_FLAG}=1")
        return self._streamed(request, rows, {})  # type: ignore[return-value]

    @admin.action(description=gettext_lazy("Export selected"), permissions=["export"])
    def export_selected(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse:
        chosen = {"selected": queryset.count()}
        return self._streamed(request, queryset, chosen)  # type: ignore[return-value]

    def _streamed(
        self, request: HttpRequest, queryset: QuerySet, chosen: dict[str, Any]
    ) -> StreamingHttpResponse:
        chosen |= {name: ", ".join(values) for name, values in request.GET.lists()}
        response = StreamingHttpResponse(
            export_rows(self.resource, queryset, user=request.user, chosen=chosen),
            content_type="text/csv; charset=utf-8",
        )
        name = f"{self.exchange_resource}-{timezone.localdate():%Y-%m-%d}.csv"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response


_PAGES = ("{}_{}_import", "{}_{}_export")
