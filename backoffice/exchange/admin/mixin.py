from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.translation import gettext as _

from backoffice.exchange.background import bring_in
from backoffice.exchange.compiling import open_columns
from backoffice.exchange.exceptions import ExchangeError
from backoffice.exchange.forms import UploadForm
from backoffice.exchange.models import ImportJob
from backoffice.exchange.news import tell_what_became_of
from backoffice.exchange.read_as import ReadAs

from .export_page import ExportPageAdmin
from .job_list import ImportedFilter


class ExchangeAdmin(ExportPageAdmin):
    """Import and export on a list: django-import-export's buttons and rights, our engine.

    `exchange_resource` is the name of the resource; without one there is neither.
    """

    def get_urls(self) -> list[URLPattern]:
        """Without the library's own confirmation, which trusts a file name from the form."""
        urls: list[URLPattern] = super().get_urls()
        unwanted = {"{}_{}_process_import", *(() if self.exchange_resource else _PAGES)}
        names = {name.format(*self.get_model_info()) for name in unwanted}
        return [pattern for pattern in urls if pattern.name not in names]

    def has_import_permission(self, request: HttpRequest) -> bool:
        return bool(self.exchange_resource) and bool(super().has_import_permission(request))

    def get_list_filter(self, request: HttpRequest) -> Any:
        """With the filter that the page of an import links to, while it is in use."""
        found = super().get_list_filter(request)
        is_used = ImportedFilter.parameter_name in request.GET
        return [*found, ImportedFilter] if is_used else found

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Take a file, stage and check it; all further steps are on the page of its job."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        form = UploadForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            uploaded = form.cleaned_data["file"]
            try:
                job = bring_in(
                    size=uploaded.size,
                    resource=self.exchange_resource,
                    file=uploaded,
                    file_name=uploaded.name,
                    user=request.user,
                    read_as=ReadAs(encoding=form.cleaned_data["encoding"]),
                )
            except ExchangeError as error:
                form.add_error("file", str(error))
            else:
                if job.state == ImportJob.State.READING:
                    tell_what_became_of(request, job)
                return HttpResponseRedirect(
                    reverse("admin:exchange_importjob_change", args=[job.pk])
                )
        context = {
            **self.admin_site.each_context(request),
            "title": _("Import %(what)s") % {"what": self.opts.verbose_name_plural},
            "opts": self.opts,
            "form": form,
            "columns": [
                (name, column.label, column.help_text, column.default() is None)
                for name, column in open_columns(self.resource, request.user).items()
            ],
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "exchange/upload.html", context)


_PAGES = ("{}_{}_import", "{}_{}_export")
