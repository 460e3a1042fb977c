"""The pages about a worker's work on an import: how far it is, cancel it, begin it anew."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.audit.undo.services import undone_by
from backoffice.exchange.background import cancel, hand_over_reading, reap
from backoffice.exchange.exceptions import ExchangeError
from backoffice.exchange.models import ImportJob, ImportProgress
from backoffice.exchange.models.work import Work
from backoffice.exchange.resources import get_resource
from backoffice.exchange.services import AT_WORK
from backoffice.exchange.working import work

from .job_list import ImportedFilter

# So long nobody wonders why nothing happens.
_PATIENCE = 10  # seconds


def work_context(job: ImportJob) -> dict[str, Any]:
    """What the page shows of the work on a job, and what stood in its way the last time."""
    progress = ImportProgress.objects.filter(job=job).first()
    if progress is None:
        return {"is_at_work": job.state in AT_WORK, "progress": None}
    return {"is_at_work": job.state in AT_WORK, **progress_context(progress)}


def progress_context(progress: Work) -> dict[str, Any]:
    """How far work is, in words."""
    elapsed = (timezone.now() - progress.started_at).total_seconds()
    return {
        "progress": progress,
        "progress_text": _text(progress),
        "progress_elapsed": _elapsed(elapsed),
        "is_cancelling": progress.cancel_requested,
        "is_forsaken": progress.backend_pid is None and elapsed > _PATIENCE,
    }


def progress_json(context: dict[str, Any]) -> dict[str, Any]:
    """The same for the script of the page (exchange/progress.js)."""
    progress = context["progress"]
    return {
        "ended": False,
        "text": context["progress_text"],
        "elapsed": context["progress_elapsed"],
        "done": progress.done,
        "total": progress.total,
        "forsaken": context["is_forsaken"],
    }


def _text(progress: Work) -> str:
    if progress.cancel_requested:
        return _("Cancelling …")
    if progress.backend_pid is None:
        return _("Waiting for a worker …")
    step = progress.step or _("Beginning")
    if not progress.total:
        return f"{step} …"
    return f"{step}: {number_format(100 * progress.done // progress.total)} %"


def _elapsed(seconds: float) -> str:
    if seconds < 60:
        return ngettext("%(count)d second", "%(count)d seconds", int(seconds)) % {
            "count": int(seconds)
        }
    return _("%(minutes)d min %(seconds)d s") % {
        "minutes": seconds // 60,
        "seconds": seconds % 60,
    }


def result_context(job: ImportJob) -> dict[str, Any]:
    """What the page shows of what an import wrote, and whether that stands."""
    if job.change_set is None:
        return {}
    options = get_resource(job.resource).model()._meta
    written = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
    return {
        # An undo that was undone itself counts no more.
        "undone_by": [u for u in undone_by(job.change_set) if not undone_by(u).exists()],
        "written_url": f"{written}?{ImportedFilter.parameter_name}={job.pk}",
    }


class WorkPages:
    """Mixed into the admin of imports, which knows whose a job is."""

    admin_site: Any
    _job: Callable[..., ImportJob]
    _own_job: Callable[..., ImportJob]
    _back: Callable[..., HttpResponse]
    _try: Callable[..., bool]

    def work_urls(self) -> list[URLPattern]:
        views = {
            "progress": self.progress_view,
            "cancel": self.cancel_view,
            "resume": self.resume_view,
            "here": self.here_view,
        }
        return [
            path(
                f"<int:job_id>/{name}/",
                self.admin_site.admin_view(view),
                name=f"exchange_importjob_{name}",
            )
            for name, view in views.items()
        ]

    def progress_view(self, request: HttpRequest, job_id: int) -> HttpResponse:
        """How far the work is, for the script of the page."""
        job = taken_up(self._job(request, job_id))
        context = work_context(job)
        if not context["is_at_work"]:
            return JsonResponse({"ended": True})
        return JsonResponse({**progress_json(context), "state": job.state})

    def cancel_view(self, request: HttpRequest, job_id: int) -> HttpResponse:
        job = self._own_job(request, job_id)
        try:
            ended = cancel(job=job)
        except ExchangeError as error:
            messages.error(request, str(error))
        else:
            messages.info(
                request,
                _("The work was cancelled. Nothing was written.")
                if ended
                else _("The work is being cancelled."),
            )
        return self._back(job)

    def resume_view(self, request: HttpRequest, job_id: int) -> HttpResponse:
        """Have a file read again that a worker could not read."""
        job = self._own_job(request, job_id)
        self._try(request, hand_over_reading, job=job)
        return self._back(job)

    def here_view(self, request: HttpRequest, job_id: int) -> HttpResponse:
        """Do in this request what no worker does."""
        job = self._own_job(request, job_id)
        if work(job.pk, getattr(request, "id", "")) is None:
            messages.info(request, _("A worker has begun with it meanwhile."))
        return self._back(job)


def taken_up(job: ImportJob) -> ImportJob:
    """The job as it is now, taken up again if its worker died."""
    if job.state in AT_WORK and reap(job):
        job.refresh_from_db()
    return job
