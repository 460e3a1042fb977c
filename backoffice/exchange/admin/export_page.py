from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from backoffice.exchange.exceptions import ExportRefused, TemplateRefused
from backoffice.exchange.export_form import ExportForm
from backoffice.exchange.exporting import (
    CONTENT_TYPES,
    Counted,
    count_rows,
    export_rows,
    exportable_columns,
)
from backoffice.exchange.exporting.jobs import make_job
from backoffice.exchange.exporting.saved import (
    delete_template,
    may_delete,
    may_share,
    save_template,
)
from backoffice.exchange.models import ExportTemplate, FileFormat
from backoffice.exchange.resources import Resource, get_resource

from .export_tasks import write_export
from .replaying import Selection, as_keys, find_rows, may_export
from .template_file_page import TemplateFileAdmin


class ExportPageAdmin(TemplateFileAdmin):
    """The page between a list and its file: format, columns and their order, templates.

    All of it is one form, sent by POST; `do` says which of its buttons was pressed.
    """

    @property
    def resource(self) -> Resource:
        return get_resource(self.exchange_resource)

    def has_export_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(self.exchange_resource) and bool(super().has_export_permission(request))

    def export_action(self, request: HttpRequest) -> HttpResponse:
        """GET shows the page for the list's query; POST makes the file, or keeps a template."""
        if not may_export(self, request):
            raise PermissionDenied
        sent = request.method == "POST"
        selection = Selection.sent(request.POST) if sent else Selection(request.GET.urlencode())
        try:
            rows = find_rows(self, request.user, selection)
        except IncorrectLookupParameters:
            # As the list itself does: back to all of it, with a word of warning.
            return HttpResponseRedirect(f"{self._list_address()}?{ERROR_FLAG}=1")
        if not sent:
            return self._export_page(request, selection, rows)
        match request.POST.get("do", "export"):
            case "use":
                return self._use_template(request, selection, rows)
            case "save":
                return self._save_template(request, selection, rows)
            case "delete":
                return self._delete_template(request, selection, rows)
        return self._export(request, selection, rows)

    @admin.action(description=gettext_lazy("Export selected"), permissions=["export"])
    def export_selected(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse:
        if not may_export(self, request):
            raise PermissionDenied
        query = request.GET.urlencode()
        if request.POST.get("select_across") == "1":
            address = reverse("admin:{}_{}_export".format(*self.get_model_info()))
            return HttpResponseRedirect(f"{address}?{query}")
        keys = as_keys(request.POST.getlist(ACTION_CHECKBOX_NAME))
        selection = Selection(query, keys)
        return self._export_page(request, selection, find_rows(self, request.user, selection))

    # What the buttons do

    def _export(self, request: HttpRequest, selection: Selection, rows: QuerySet) -> HttpResponse:
        form = self._form(request, request.POST)
        if not form.is_valid():
            return self._export_page(request, selection, rows, form)
        names, file_format = form.names(), form.cleaned_data["file_format"]
        try:
            if not _count(rows).is_exact:
                job = make_job(
                    user=request.user,
                    resource=self.exchange_resource,
                    columns=names,
                    file_format=file_format,
                    filters=selection.as_json(),
                )
                write_export.enqueue(job.pk)
                return HttpResponseRedirect(
                    reverse("admin:exchange_exportjob_change", args=[job.pk])
                )
            blocks = export_rows(
                self.resource,
                rows,
                user=request.user,
                columns=names,
                file_format=file_format,
                chosen=selection.told(),
            )
        except ExportRefused as refusal:
            form.add_error(None, str(refusal))
            return self._export_page(request, selection, rows, form)
        response = StreamingHttpResponse(
            blocks, content_type=CONTENT_TYPES[FileFormat(file_format)]
        )
        name = f"{self.exchange_resource}-{timezone.localdate():%Y-%m-%d}.{file_format}"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response  # type: ignore[return-value]

    def _use_template(
        self, request: HttpRequest, selection: Selection, rows: QuerySet
    ) -> HttpResponse:
        template = self._chosen_template(request)
        if template is None:
            messages.warning(request, _("Choose a template first."))
            return self._export_page(request, selection, rows, self._form(request, request.POST))
        there = exportable_columns(self.resource, request.user)
        names = [name for name in template.columns if name in there]
        gone = [name for name in template.columns if name not in there]
        if gone:
            messages.warning(
                request,
                ngettext(
                    "A column of “%(name)s” is left out, for it is gone or not yours to see: "
                    "%(columns)s.",
                    "Columns of “%(name)s” are left out, for they are gone or not yours to see: "
                    "%(columns)s.",
                    len(gone),
                )
                % {"name": template.name, "columns": ", ".join(gone)},
            )
        form = self._form(request, names=names, template=template)
        return self._export_page(request, selection, rows, form, template)

    def _save_template(
        self, request: HttpRequest, selection: Selection, rows: QuerySet
    ) -> HttpResponse:
        form, template = self._form(request, request.POST), None
        if form.is_valid():
            try:
                template = save_template(
                    name=form.cleaned_data["save_as"],
                    resource=self.exchange_resource,
                    user=request.user,
                    columns=form.names(),
                    file_format=form.cleaned_data["file_format"],
                    is_shared=form.cleaned_data.get("is_shared", False),
                )
            except TemplateRefused as refusal:
                form.add_error("save_as", str(refusal))
            else:
                messages.success(
                    request, _("Template “%(name)s” is saved.") % {"name": template.name}
                )
        return self._export_page(request, selection, rows, form, template)

    def _delete_template(
        self, request: HttpRequest, selection: Selection, rows: QuerySet
    ) -> HttpResponse:
        template = self._chosen_template(request)
        if template is None:
            messages.warning(request, _("Choose a template first."))
        else:
            try:
                delete_template(template=template, user=request.user)
            except TemplateRefused as refusal:
                messages.error(request, str(refusal))
            else:
                messages.success(
                    request, _("Template “%(name)s” is deleted.") % {"name": template.name}
                )
        return self._export_page(request, selection, rows, self._form(request, request.POST))

    # What they need

    def _form(
        self, request: HttpRequest, data: Any = None, *, template: Any = None, **more: Any
    ) -> ExportForm:
        if template is not None:
            is_own = template.user_id == request.user.pk
            more["initial"] = {
                "file_format": template.format,
                "save_as": template.name if is_own else "",
                "is_shared": template.is_shared and is_own,
            }
        return ExportForm(
            data,
            columns=exportable_columns(self.resource, request.user),
            may_share=may_share(request.user),
            **more,
        )

    def _templates(self, request: HttpRequest) -> QuerySet[ExportTemplate]:
        return ExportTemplate.objects.usable_by(request.user, self.exchange_resource)

    def _chosen_template(self, request: HttpRequest) -> ExportTemplate | None:
        chosen = request.POST.get("template", "")
        if not chosen.isdecimal() or len(chosen) > 18:
            return None
        return self._templates(request).filter(pk=chosen).first()

    def _list_address(self) -> str:
        return reverse("admin:{}_{}_changelist".format(*self.get_model_info()))

    def _export_page(
        self,
        request: HttpRequest,
        selection: Selection,
        rows: QuerySet,
        form: ExportForm | None = None,
        template: ExportTemplate | None = None,
    ) -> HttpResponse:
        number = _count(rows)
        templates = list(self._templates(request))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Export %(what)s") % {"what": self.opts.verbose_name_plural},
            "opts": self.opts,
            "form": form or self._form(request),
            "selection": selection,
            "keys": ",".join(str(key) for key in selection.keys or ()),
            "told": [
                (name, value)
                for name, value in Selection(selection.query).told().items()
                if value and name not in _ABOUT_THE_LIST
            ],
            "what": _in_words(number, self.opts),
            "is_large": not number.is_exact,
            "days": settings.EXCHANGE_EXPORT_DAYS,
            "key": self.resource.key(),
            "templates": templates,
            "template": template,
            "may_delete": any(may_delete(each, request.user) for each in templates),
            "list_url": f"{self._list_address()}?{selection.query}",
            "export_url": reverse("admin:{}_{}_export".format(*self.get_model_info())),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "exchange/export.html", context)


# Of a list's query, what says how it looks and not which rows it has.
_ABOUT_THE_LIST = {"o", "p", "all", "_changelist_filters", ERROR_FLAG}


def _count(rows: QuerySet) -> Counted:
    return count_rows(rows, at_most=settings.EXCHANGE_BACKGROUND_ROWS + 1)


def _in_words(number: Counted, opts: Any) -> str:
    shown = number_format(number.number, force_grouping=True)
    if not number.is_exact:
        # The first two digits: the rest would feign to be known.
        shown = number_format(
            int(round(number.number, 2 - len(str(number.number)))), force_grouping=True
        )
        return _("About %(number)s %(what)s") % {"number": shown, "what": opts.verbose_name_plural}
    what = opts.verbose_name if number.number == 1 else opts.verbose_name_plural
    return f"{shown} {what}"
