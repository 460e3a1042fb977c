from typing import Any

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
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from backoffice.exchange.exceptions import ExchangeError
from backoffice.exchange.exporting.jobs import is_alive, write_again
from backoffice.exchange.models import ExportJob
from backoffice.exchange.resources import get_resource, resource_names

from .export_tasks import write_export, write_now
from .replaying import Selection

State = ExportJob.State


@admin.register(ExportJob)
class ExportJobAdmin(ModelAdmin):
    """The large files that a user asked for, each with its page and, for a time, its link."""

    list_display = ["what", "format", "state_label", "user", "rows", "created_at", "expires_at"]
    list_filter = [("state", ChoicesDropdownFilter)]
    list_filter_submit = True
    list_select_related = ["user"]
    list_fullwidth = True
    list_per_page = 50
    ordering = ["-id"]
    empty_state = (
        gettext_lazy("No large exports yet"),
        gettext_lazy(
            "Open a list, such as Products, and press Export: a small file comes at once."
        ),
    )

    # Who may see what

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may export anything sees their own; who may view exports sees that all were made."""
        user = request.user
        if user.has_perm("exchange.view_exportjob"):
            return True
        return _exports_anything(user) and (obj is None or obj.user_id == user.pk)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[ExportJob]:
        jobs: QuerySet[ExportJob] = super().get_queryset(request)
        user: Any = request.user
        return jobs if user.has_perm("exchange.view_exportjob") else jobs.filter(user=user)

    def get_urls(self) -> list[URLPattern]:
        def page(suffix: str, view: Any) -> URLPattern:
            wrapped = self.admin_site.admin_view(view)
            name = f"exchange_exportjob_{suffix}"
            pattern: URLPattern = path(f"<int:job_id>/{suffix}/", wrapped, name=name)
            return pattern

        kept = [
            pattern for pattern in super().get_urls() if not str(pattern.name).endswith("_history")
        ]
        return [
            page("file", self.file_view),
            page("now", self.now_view),
            page("again", self.again_view),
            *kept,
        ]

    # The page of an export

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        job = self._job(request, object_id)
        options = get_resource(job.resource).model()._meta
        is_over = job.expires_at is not None and job.expires_at <= timezone.now()
        context = {
            **self.admin_site.each_context(request),
            "title": _("Export of %(what)s") % {"what": options.verbose_name_plural},
            "opts": self.opts,
            "job": job,
            "what": options.verbose_name_plural,
            "list_url": reverse(f"admin:{options.app_label}_{options.model_name}_changelist"),
            "told": Selection.of(job).shown(),
            "is_own": job.user_id == request.user.pk,
            "is_under_way": job.state in {State.WAITING, State.RUNNING},
            "is_lost": job.state == State.RUNNING and not is_alive(job),
            "is_there": job.state == State.DONE and not is_over,
            "is_over": job.state == State.EXPIRED or is_over,
        }
        request.current_app = self.admin_site.name
        part = "hx-request" in {name.lower() for name in request.headers}
        name = "exchange/export_job_state.html" if part else "exchange/export_job.html"
        return TemplateResponse(request, name, context)

    def file_view(self, request: HttpRequest, job_id: int) -> HttpResponse:
        """The file, for its user alone and until it expires."""
        job = self._own_job(request, job_id)
        is_over = job.expires_at is None or job.expires_at <= timezone.now()
        if job.state != State.DONE or is_over or not job.file.storage.exists(str(job.file.name)):
            raise Http404
        return FileResponse(  # type: ignore[return-value]
            job.file.open("rb"),
            as_attachment=True,
            filename=f"{job.resource}-{timezone.localtime(job.created_at):%Y-%m-%d}.{job.format}",
            content_type="application/octet-stream",
        )

    def now_view(self, request: HttpRequest, job_id: int) -> HttpResponse:
        """Write the file in this request: there may be no worker."""
        job = self._own_job(request, job_id, "POST")
        write_now(job.pk)
        return self._back(job)

    def again_view(self, request: HttpRequest, job_id: int) -> HttpResponse:
        job = self._own_job(request, job_id, "POST")
        try:
            write_again(job=job)
        except ExchangeError as error:
            messages.error(request, str(error))
        else:
            write_export.enqueue(job.pk)
        return self._back(job)

    def _job(self, request: HttpRequest, job_id: Any) -> ExportJob:
        """The job, if it is there for this user; 404 otherwise, as if there were none."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if not str(job_id).isdecimal() or len(str(job_id)) > 18:
            raise Http404
        job = self.get_queryset(request).filter(pk=job_id).first()
        if job is None:
            raise Http404
        return job

    def _own_job(self, request: HttpRequest, job_id: int, method: str = "GET") -> ExportJob:
        if request.method != method:
            raise Http404
        job = self._job(request, job_id)
        if job.user_id != request.user.pk:
            raise Http404
        options = get_resource(job.resource).model()._meta
        if not request.user.has_perm(f"{options.app_label}.export_{options.model_name}"):
            raise PermissionDenied
        return job

    @staticmethod
    def _back(job: ExportJob) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:exchange_exportjob_change", args=[job.pk]))

    # The list

    @display(description=gettext_lazy("what"), ordering="resource")
    def what(self, job: ExportJob) -> str:
        return str(capfirst(str(get_resource(job.resource).model()._meta.verbose_name_plural)))

    @display(
        description=gettext_lazy("state"),
        ordering="state",
        label={"waiting": "info", "running": "info", "done": "success", "failed": "danger"},
    )
    def state_label(self, job: ExportJob) -> tuple[str, str]:
        return job.state, job.get_state_display()


def _exports_anything(user: Any) -> bool:
    models = [get_resource(name).model()._meta for name in resource_names()]
    return any(user.has_perm(f"{each.app_label}.export_{each.model_name}") for each in models)
