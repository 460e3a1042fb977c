"""Who handed an import over to a worker is told on the next page when it has ended."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .models import ImportJob
from .services import AT_WORK

_KEY = "imports_at_work"
State = ImportJob.State


def tell_what_became_of(request: HttpRequest, job: ImportJob) -> None:
    """A message on the next page; if a worker has the job, once that has ended."""
    if job.state in AT_WORK:
        request.session[_KEY] = [*request.session.get(_KEY, []), job.pk]
        return
    _tell(request, job, job.file_name)


def _tell(request: HttpRequest, job: ImportJob, link: str) -> None:
    progress = getattr(job, "progress", None)
    problem = progress.problem if progress else ""
    if job.state == State.APPLIED:
        done = job.new + job.changed
        text = ngettext(
            "{file} was imported: {count} change.", "{file} was imported: {count} changes.", done
        )
        messages.success(
            request, format_html(text, file=link, count=number_format(done, force_grouping=True))
        )
    elif problem:
        messages.warning(request, format_html("{}: {}", link, problem))
    elif job.state != State.DISCARDED:
        messages.info(
            request, format_html(_("{file} was read: look at what it would do."), file=link)
        )


class ImportNewsMiddleware:
    """Looks for ended imports only while the session waits for some. Stands after messages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_page = request.method == "GET" and request.accepts("text/html")
        if is_page and (waiting := request.session.get(_KEY)):
            ended = ImportJob.objects.filter(pk__in=waiting, user=request.user.pk).exclude(
                state__in=AT_WORK
            )
            for job in ended.select_related("progress"):
                page = reverse("admin:exchange_importjob_change", args=[job.pk])
                _tell(request, job, format_html('<a href="{}">{}</a>', page, job.file_name))
                waiting = [number for number in waiting if number != job.pk]
            request.session[_KEY] = waiting
        return self.get_response(request)
