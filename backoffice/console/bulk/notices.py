"""Who handed a bulk action, or an undo, over to a worker is told what became of it."""

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.accounts.notifications.kinds import Kind, register
from backoffice.accounts.notifications.services import notify
from backoffice.console.models import BulkJob

from .access import may_have_jobs
from .words import result_in_words, title_in_words, told_of

BULK_DONE = register(
    Kind(
        name="bulk_done",
        label=gettext_lazy("A large bulk change is done"),
        text=lambda told: _("%(title)s: done.") % {"title": title_in_words(told)},
        details=result_in_words,
        icon="task_alt",
        by_email=True,
        concerns=may_have_jobs,
    )
)
BULK_FAILED = register(
    Kind(
        name="bulk_failed",
        label=gettext_lazy("A large bulk change was not done"),
        text=lambda told: _("%(title)s: not done.") % {"title": title_in_words(told)},
        details=lambda told: str(told["problem"]),
        icon="error",
        by_email=True,
        concerns=may_have_jobs,
    )
)


def tell_of_bulk_job(job: BulkJob) -> None:
    """Tell the user of a job what became of it, in the transaction in which it ended."""
    if job.state == BulkJob.State.CANCELLED:
        return  # by this very user
    notify(
        to=[job.user],
        kind=BULK_DONE if job.state == BulkJob.State.DONE else BULK_FAILED,
        parameters=told_of(job),
        link=reverse("admin:console_bulkjob_change", args=[job.pk]),
        about=job,
    )
