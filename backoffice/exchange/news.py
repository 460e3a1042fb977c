"""What became of an import that was done in the request is said on the next page."""

from django.contrib import messages
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .models import ImportJob
from .services import AT_WORK

State = ImportJob.State


def tell_what_became_of(request: HttpRequest, job: ImportJob) -> None:
    """A message on the next page. What a worker has to do is told by a notification, once done."""
    if job.state in AT_WORK:
        return
    progress = getattr(job, "progress", None)
    problem = progress.problem if progress else ""
    if job.state == State.APPLIED:
        done = job.new + job.changed
        text = ngettext(
            "%(file)s was imported: %(count)s change.",
            "%(file)s was imported: %(count)s changes.",
            done,
        )
        count = number_format(done, force_grouping=True)
        messages.success(request, text % {"file": job.file_name, "count": count})
    elif problem:
        messages.warning(
            request, _("%(file)s: %(problem)s") % {"file": job.file_name, "problem": problem}
        )
    elif job.state != State.DISCARDED:
        messages.info(
            request, _("%(file)s was read: look at what it would do.") % {"file": job.file_name}
        )
