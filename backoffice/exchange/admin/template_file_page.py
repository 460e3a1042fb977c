from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from import_export.admin import ImportExportModelAdmin

from backoffice.exchange.exporting import CONTENT_TYPES
from backoffice.exchange.exporting.template_files import FORMATS, template_file
from backoffice.exchange.models import FileFormat
from backoffice.exchange.resources import get_resource


class TemplateFileAdmin(ImportExportModelAdmin):
    """A file to fill in, for whoever may bring it back."""

    exchange_resource = ""

    def get_urls(self) -> list[URLPattern]:
        urls: list[URLPattern] = super().get_urls()
        if not self.exchange_resource:
            return urls
        wrapped: Any = self.admin_site.admin_view(self.template_file_view)
        name = "{}_{}_template_file".format(*self.get_model_info())
        return [path("import/template/<str:file_format>/", wrapped, name=name), *urls]

    def template_file_view(self, request: HttpRequest, file_format: str) -> HttpResponse:
        if not self.has_import_permission(request):
            raise PermissionDenied
        if file_format not in FORMATS:
            raise Http404
        name = f"{self.exchange_resource}-template.{file_format}"
        return HttpResponse(
            template_file(get_resource(self.exchange_resource), request.user, file_format),
            content_type=CONTENT_TYPES[FileFormat(file_format)],
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
