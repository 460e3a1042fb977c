"""Who handed a bulk action over to a worker is told what became of it."""

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.accounts.notifications.kinds import Kind, Parameters, register
from backoffice.accounts.notifications.services import notify
from backoffice.console.models import BulkJob

from .words import result_in_words, title_in_words


def _title(told: Parameters) -> str:
    return title_in_words(told["model"], told["action"])


BULK_DONE = register(
    Kind(
        name="bulk_done",
        label=gettext_lazy("A large bulk change is done"),
        text=lambda told: _("%(title)s: done.") % {"title": _title(told)},
        details=lambda told: result_in_words(
            told["model"], told["action"], told["changed"], told["skipped"]
        ),
        icon="task_alt",
        by_email=True,
    )
)
BULK_FAILED = register(
    Kind(
        name="bulk_failed",
        label=gettext_lazy("A large bulk change was not done"),
        text=lambda told: _("%(title)s: not done.") % {"title": _title(told)},
        details=lambda told: str(told["problem"]),
        icon="error",
        by_email=True,
    )
)


def tell_of_bulk_job(job: BulkJob) -> None:
    """Tell the user of a job what became of it, in the transaction in which it ended."""
    if job.state == BulkJob.State.CANCELLED:
        return  # by this very user
    notify(
        to=[job.user],
        kind=BULK_DONE if job.state == BulkJob.State.DONE else BULK_FAILED,
        parameters={
            "model": job.model,
            "action": job.action,
            "changed": job.changed,
            "skipped": job.skipped,
            "problem": job.problem,
        },
        link=reverse("admin:console_bulkjob_change", args=[job.pk]),
        about=job,
    )
