from collections.abc import Callable, Mapping
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    QueryDict,
    StreamingHttpResponse,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import (
    ChoicesDropdownFilter,
    RangeDateFilter,
    RelatedDropdownFilter,
)

from backoffice.audit.admin import HistoryAdmin
from backoffice.exchange.apply_form import ApplyForm
from backoffice.exchange.background import (
    apply,
    check_again,
    choose_in_conflicts,
    read_again,
    read_by_format,
)
from backoffice.exchange.choices import decide, keep_answers
from backoffice.exchange.errors_file import errors_csv
from backoffice.exchange.exceptions import ExchangeError, PlanStale
from backoffice.exchange.models import ImportJob, ImportJobQuerySet
from backoffice.exchange.news import tell_what_became_of
from backoffice.exchange.reading_form import ReadAsForm
from backoffice.exchange.resources import get_resource, resource_names
from backoffice.exchange.services import discard_import
from backoffice.exchange.staging import is_staged

from .conflict_page import chosen_in, has_new_choices
from .job_list import JobColumns, ResourceFilter, WhoFilter
from .job_page import job_context, may_import, may_see_file_of
from .mapping_pages import MappingPages
from .preview_page import place_in
from .work import WorkPages, result_context, taken_up, work_context


@admin.register(ImportJob)
class ImportJobAdmin(
    JobColumns, MappingPages, WorkPages, HistoryAdmin, SimpleHistoryAdmin, ModelAdmin
):
    """The jobs of a user, each with its page: columns, preview, apply, result."""

    list_display = [
        "file_name", "what", "state_label", "user", "created_at", "by_profile", "rows_count",
        "new_count", "changed_count", "unchanged_count", "invalid_count",
    ]  # fmt: skip
    list_filter = [
        ("state", ChoicesDropdownFilter),
        ResourceFilter,
        WhoFilter,
        ("created_at", RangeDateFilter),
        ("feed", RelatedDropdownFilter),
    ]
    list_filter_submit = True
    list_select_related = ["user", "profile", "feed"]
    search_fields = ["file_name", "reason"]
    list_fullwidth = True
    list_per_page = 50
    ordering = ["-id"]
    empty_state = (
        gettext_lazy("No files yet"),
        gettext_lazy("Open a list, such as Products, and press Import."),
    )

    # Who may see what

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may import anything sees their own jobs; who may view jobs sees all."""
        user = request.user
        if user.has_perm("exchange.view_importjob"):
            return True
        importer = any(may_import(user, get_resource(name)) for name in resource_names())
        return importer and (obj is None or obj.user_id == user.pk)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImportJob]:
        return cast(ImportJobQuerySet, super().get_queryset(request)).visible_to(request.user)

    def get_urls(self) -> list[URLPattern]:
        def page(suffix: str, view: Callable[..., HttpResponse]) -> URLPattern:
            wrapped = self.admin_site.admin_view(view)
            name = f"exchange_importjob_{suffix}"
            pattern: URLPattern = path(f"<int:job_id>/{suffix}/", wrapped, name=name)
            return pattern

        return [
            page("again", self.again_view),
            page("read", self.read_view),
            page("format", self.format_view),
            page("resolve", self.resolve_view),
            page("apply", self.apply_view),
            page("discard", self.discard_view),
            page("errors", self.errors_view),
            page("file", self.file_view),
            *self.mapping_urls(),
            *self.work_urls(),
            *super().get_urls(),
        ]

    # The page of a job

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        job = taken_up(self._job(request, object_id))
        return self._page(request, job)

    def _page(self, request: HttpRequest, job: ImportJob, **forms: Any) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            **job_context(request, job, **forms),
            **work_context(job),
            **result_context(job),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "exchange/job.html", context)

    # What is done to a job: by its user, by POST

    def again_view(self, request: HttpRequest, job_id: int) -> HttpResponse:
        job = self._own_job(request, job_id)
        keep_answers(job=job, **ApplyForm(request.POST, job=job).answers)
        self._try(request, check_again, job=job)
        return self._back(job, place_in(QueryDict(request.POST.get("place", ""))))

    def read_view(self, request: HttpRequest, job_id: int) -> HttpResponse:
        job = self._own_job(request, job_id)
        form = ReadAsForm(request.POST, job=job)
        if form.is_valid():
            try:
                read_again(job=job, read_as=form.read_as())
            except ExchangeError as error:
                form.add_error(None, str(error))
            else:
                return self._back(job)
        return self._page(request, job, reading_form=form)

    def format_view(self, request: HttpRequest, job_id: int) -> HttpResponse:
        job = self._own_job(request, job_id)
        said = request.POST.get("source_format", "")
        self._try(request, read_by_format, job=job, source_format=said)
        return self._back(job)

    def resolve_view(self, request: HttpRequest, job_id: int) -> HttpResponse:
        """What becomes of single cells in conflict, and what that makes of the preview."""
        job = self._own_job(request, job_id)
        keep_answers(job=job, **ApplyForm(request.POST, job=job).answers)
        try:
            choose_in_conflicts(
                job=job, chosen=chosen_in(request.POST), seen_plan=request.POST.get("plan", "")
            )
        except PlanStale:
            if self._try(request, check_again, job=job):
                messages.warning(
                    request, _("The preview was made anew meanwhile. Look at it and choose again.")
                )
        except ExchangeError as error:
            messages.error(request, str(error))
        return self._back(job, place_in(QueryDict(request.POST.get("place", ""))))

    def apply_view(self, request: HttpRequest, job_id: int) -> HttpResponse:
        job = self._own_job(request, job_id)
        if has_new_choices(request.POST, job):
            messages.info(
                request, _("What you chose for single cells was taken up. Look at it, then import.")
            )
            return self.resolve_view(request, job_id)
        form = ApplyForm(request.POST, job=job)
        if not form.is_valid():
            return self._page(request, job, apply_form=form)
        try:
            if form.changes_decisions:
                decide(job=job, **form.decisions)
            job = apply(
                job=job,
                reason=form.cleaned_data["reason"],
                valid_rows_only=form.valid_rows_only,
                seen_plan=form.cleaned_data["plan"] or None,
            )
        except PlanStale as error:
            keep_answers(job=job, **form.answers)
            if self._try(request, check_again, job=job):
                messages.warning(request, str(error))
        except ExchangeError as error:
            # On the form, where the reason that was typed still stands.
            form.add_error("rows" if "rows" in form.fields else "reason", str(error))
            return self._page(request, job, apply_form=form)
        else:
            tell_what_became_of(request, job)
        return self._back(job)

    def discard_view(self, request: HttpRequest, job_id: int) -> HttpResponse:
        job = self._own_job(request, job_id)
        if self._try(request, discard_import, job=job):
            messages.info(request, _("The import was given up. Nothing was written."))
        return self._back(job)

    def errors_view(self, request: HttpRequest, job_id: int) -> HttpResponse:
        job = self._job_with_file(request, job_id)
        name = f"{job.file_name}.errors.csv"
        if job.state == ImportJob.State.CHECKED and job.left and is_staged(job):
            lines = errors_csv(job, get_resource(job.resource))
            response = StreamingHttpResponse(lines, content_type="application/octet-stream")
            response.headers["Content-Disposition"] = content_disposition_header(True, name) or ""
            return response  # type: ignore[return-value]
        return self._download(job.errors_file, name)

    def file_view(self, request: HttpRequest, job_id: int) -> HttpResponse:
        job = self._job_with_file(request, job_id)
        return self._download(job.file, job.file_name)

    @staticmethod
    def _download(file: Any, name: str) -> HttpResponse:
        if not file or not file.storage.exists(file.name):
            raise Http404
        # Whatever is in it, the browser saves it.
        return FileResponse(  # type: ignore[return-value]
            file.open("rb"),
            as_attachment=True,
            filename=name,
            content_type="application/octet-stream",
        )

    def _job(self, request: HttpRequest, job_id: Any) -> ImportJob:
        """The job, if it is there for this user; 404 otherwise, as if there were none."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if not str(job_id).isdecimal() or len(str(job_id)) > 18:
            raise Http404
        job = ImportJob.objects.visible_to(request.user).filter(pk=job_id).first()
        if job is None:
            raise Http404
        return job

    def _job_with_file(self, request: HttpRequest, job_id: int) -> ImportJob:
        job = self._job(request, job_id)
        if not may_see_file_of(job, request.user):
            raise PermissionDenied
        return job

    def _own_job(self, request: HttpRequest, job_id: int) -> ImportJob:
        if request.method != "POST":
            raise Http404
        job = self._job(request, job_id)
        if job.user_id != request.user.pk or not may_import(
            request.user, get_resource(job.resource)
        ):
            raise PermissionDenied
        return job

    @staticmethod
    def _try(request: HttpRequest, service: Callable[..., Any], **arguments: Any) -> bool:
        try:
            service(**arguments)
        except ExchangeError as error:
            messages.error(request, str(error))
            return False
        return True

    @staticmethod
    def _back(job: ImportJob, place: Mapping[str, str] | None = None) -> HttpResponse:
        page = reverse("admin:exchange_importjob_change", args=[job.pk])
        return HttpResponseRedirect(f"{page}?{urlencode(place)}#rows" if place else page)
