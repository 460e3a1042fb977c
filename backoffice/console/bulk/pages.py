"""The pages of bulk actions that a worker carries out: how far they are, and what came of them."""

from typing import Any

from django.apps import apps
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    JsonResponse,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from backoffice.audit.admin.undo_now import undo_button
from backoffice.audit.undo.services import undone_by
from backoffice.console.displays import number, number_column
from backoffice.console.models import BulkJob
from backoffice.exchange.admin.replaying import Selection
from backoffice.exchange.admin.work import progress_context, progress_json

from .access import may_have_jobs
from .jobs import begin_again, cancel, page_of, reap
from .refusals import JobRefused
from .undoing import undo_context
from .words import result_in_words, title_in_words, told_of
from .working import work

State = BulkJob.State


@admin.register(BulkJob)
class BulkJobAdmin(ModelAdmin):
    """Each is its user's; to others, but for those who may view all, it is not there."""

    list_display = ["what", "state_label", "user", "changed_rows", "created_at"]
    list_filter = [("state", ChoicesDropdownFilter)]
    list_filter_submit = True
    list_select_related = ["user", "undoes"]
    list_fullwidth = True
    list_per_page = 50
    ordering = ["-id"]
    empty_state = (
        gettext_lazy("No large bulk changes yet"),
        gettext_lazy("Select all rows of a long list, and choose what to do with them."),
    )

    # Who may see what

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may change many rows, or undo that, has a list, if only an empty one."""
        user = request.user
        if user.has_perm("console.view_bulkjob"):
            return True
        return may_have_jobs(user) and (obj is None or obj.user_id == user.pk)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[BulkJob]:
        return super().get_queryset(request).visible_to(request.user)  # type: ignore[no-any-return]

    def get_urls(self) -> list[URLPattern]:
        views = {
            "progress": self.progress_view,
            "cancel": self.cancel_view,
            "again": self.again_view,
            "here": self.here_view,
        }
        pages = [
            path(
                f"<int:job_id>/{name}/",
                self.admin_site.admin_view(view),
                name=f"console_bulkjob_{name}",
            )
            for name, view in views.items()
        ]
        kept = [
            pattern for pattern in super().get_urls() if not str(pattern.name).endswith("_history")
        ]
        return [*pages, *kept]

    # The page of a job

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        job = self._taken_up(self._job(request, object_id))
        rows = Selection.of_json(job.selection)
        options = apps.get_model(job.model)._meta
        back = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
        # An undo that was undone itself counts no more.
        undone = job.change_set is not None and any(
            not undone_by(undo).exists() for undo in undone_by(job.change_set)
        )
        context = {
            **self.admin_site.each_context(request),
            **progress_context(job),
            "title": title_in_words(told_of(job)),
            "opts": self.opts,
            "job": job,
            "is_own": job.user_id == request.user.pk,
            "is_under_way": job.state == State.WORKING,
            "is_nothing": job.state in {State.FAILED, State.CANCELLED},
            "result": result_in_words(told_of(job)) if job.state == State.DONE else job.problem,
            "is_undone": undone,
            "undo": undo_button(request, job.change_set, back=request.get_full_path())
            if job.change_set is not None and not undone
            else "",
            "may_see_record": request.user.has_perm("audit.view_changeset"),
            "told": rows.shown(),
            "what": options.verbose_name_plural,
            "list_url": f"{back}?{rows.query}" if rows.query else back,
            **(undo_context(job) if job.undoes else {}),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "console/bulk/job.html", context)

    def progress_view(self, request: HttpRequest, job_id: int) -> HttpResponse:
        """How far the work is, for the script of the page."""
        job = self._taken_up(self._job(request, job_id))
        if job.state != State.WORKING:
            return JsonResponse({"ended": True})
        return JsonResponse(progress_json(progress_context(job)))

    def cancel_view(self, request: HttpRequest, job_id: int) -> HttpResponse:
        job = self._own_job(request, job_id)
        try:
            ended = cancel(job=job)
        except JobRefused as refusal:
            messages.error(request, str(refusal))
        else:
            if not ended:
                messages.info(request, _("The work is being cancelled."))
        return HttpResponseRedirect(page_of(job))

    def again_view(self, request: HttpRequest, job_id: int) -> HttpResponse:
        """Have it done after all, if the rows are still what its user saw."""
        job = self._own_job(request, job_id)
        try:
            begin_again(job=job)
        except JobRefused as refusal:
            messages.error(request, str(refusal))
        return HttpResponseRedirect(page_of(job))

    def here_view(self, request: HttpRequest, job_id: int) -> HttpResponse:
        """Do in this request what no worker does."""
        job = self._own_job(request, job_id)
        if work(job.pk, getattr(request, "id", "")) is None:
            messages.info(request, _("A worker has begun with it meanwhile."))
        return HttpResponseRedirect(page_of(job))

    def _taken_up(self, job: BulkJob) -> BulkJob:
        """The job as it is now, taken up again if its worker died."""
        if job.state == State.WORKING and reap(job):
            job.refresh_from_db()
        return job

    def _job(self, request: HttpRequest, job_id: Any) -> BulkJob:
        """The job, if it is there for this user; 404 otherwise, as if there were none."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if not str(job_id).isdecimal() or len(str(job_id)) > 18:
            raise Http404
        job = (
            self.get_queryset(request)
            .select_related("user", "change_set", "undoes")
            .filter(pk=job_id)
        )
        if (found := job.first()) is None:
            raise Http404
        return found

    def _own_job(self, request: HttpRequest, job_id: int) -> BulkJob:
        if request.method != "POST":
            raise Http404
        job = self._job(request, job_id)
        if job.user_id != request.user.pk:
            raise Http404
        return job

    # The list

    @display(description=gettext_lazy("what"))
    def what(self, job: BulkJob) -> str:
        return title_in_words(told_of(job))

    @number_column(gettext_lazy("changed"))
    def changed_rows(self, job: BulkJob) -> Any:
        return number(job.changed)

    @display(
        description=gettext_lazy("state"),
        ordering="state",
        label={"working": "info", "done": "success", "failed": "danger"},
    )
    def state_label(self, job: BulkJob) -> tuple[str, str]:
        return job.state, job.get_state_display()
