"""Bulk actions and undos of many rows: asked for in a request, handed over to a worker.

The job's row is the truth, not the task's. Who works on it holds an advisory lock in the
transaction that does the work; the row itself is written at the end of that, and before by the
connection that tells how far it is.
"""

from typing import Any

from django.conf import settings
from django.contrib.admin import helpers
from django.db import models, transaction
from django.db.models.functions import Now
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from backoffice.audit.context import current_context
from backoffice.audit.undo.large import UndoRequest, Workers, leave_large_undos_to
from backoffice.console.models import BulkJob
from backoffice.exchange.admin.replaying import Selection, as_keys
from backoffice.exchange.housekeeping import every_round
from backoffice.exchange.liveness import hold, is_lost, is_worked_on

from .notices import tell_of_bulk_job
from .refusals import JobRefused
from .tasks import work_on_bulk_job
from .undoing import kept_in_job
from .working import cancelled_in_words

State = BulkJob.State
# A job whose worker died is taken up so often by itself; then its user is asked.
RESTARTS = 1


def is_large(*, rows: int) -> bool:
    """Whether so many rows are a worker's; fewer are changed in the request, without any."""
    return bool(rows > settings.BULK_BACKGROUND_ROWS)


def selection_of(request: HttpRequest) -> Selection:
    """What a list's form posts: all that its query finds, or the rows that were ticked."""
    query = request.GET.urlencode()
    if request.POST.get("select_across") == "1":
        return Selection(query)
    return Selection(query, as_keys(request.POST.getlist(helpers.ACTION_CHECKBOX_NAME)))


def page_of(job: BulkJob) -> str:
    return reverse("admin:console_bulkjob_change", args=[job.pk])


def hand_over(
    *, user: Any, model: type[models.Model], action: str, selection: Selection, sent: str,
    fingerprint: str, reason: str,
) -> BulkJob:  # fmt: skip
    """Have a worker do what was seen. Handed over twice, it is one job."""
    return _hand_over(
        user, fingerprint, model=model._meta.label_lower, action=action, sent=sent, reason=reason,
        selection=selection.as_json(),
    )  # fmt: skip


def hand_over_undo(asked: UndoRequest) -> str:
    """Have a worker undo what was seen; returns the page of the job."""
    kept = kept_in_job(asked)
    return page_of(_hand_over(asked.actor, kept.pop("fingerprint"), **kept))


@transaction.atomic
def _hand_over(user: Any, fingerprint: str, **asked: Any) -> BulkJob:
    job, is_new = BulkJob.objects.get_or_create(
        user=user, fingerprint=fingerprint, state=State.WORKING, defaults=asked
    )
    if is_new:
        _enqueue(job)
    return job


def _enqueue(job: BulkJob, *, problem: str = "", restarts: int = 0) -> None:
    context = current_context()
    BulkJob.objects.filter(pk=job.pk).update(
        state=State.WORKING, step="", done=0, total=0, backend_pid=None, cancel_requested=False,
        started_at=Now(), heartbeat_at=Now(), problem=problem, restarts=restarts, task_id="",
        ended_at=None,
    )  # fmt: skip
    # Our own table, so that it is there if and only if the job is. A queue elsewhere may be faster
    # than this transaction; then `reap` hands the job over again.
    task = work_on_bulk_job.enqueue(job.pk, request_id=context.request_id if context else "")
    BulkJob.objects.filter(pk=job.pk).update(task_id=str(task.id))


def cancel(*, job: BulkJob) -> bool:
    """Stop the work on a job. Returns whether it has ended already, for nobody had begun it."""
    with transaction.atomic():
        working = BulkJob.objects.filter(pk=job.pk, state=State.WORKING)
        if hold(job):
            # Nobody works on it, and nobody can begin before this transaction ends.
            ended = working.update(
                state=State.CANCELLED, problem=cancelled_in_words(), ended_at=Now()
            )
        else:
            ended = 0
            if working.update(cancel_requested=True):
                return False
        if not ended:
            raise JobRefused(_("The work has ended already."))
    return True


@transaction.atomic
def begin_again(*, job: BulkJob) -> None:
    """Have a job carried out that came to nothing, if its rows are still what was seen."""
    job = BulkJob.objects.select_for_update().get(pk=job.pk)
    if job.state not in {State.FAILED, State.CANCELLED}:
        raise JobRefused(_("Only what was not done can be begun again."))
    same = BulkJob.objects.filter(user=job.user_id, fingerprint=job.fingerprint)
    if same.filter(state=State.WORKING).exists():
        raise JobRefused(_("The same was asked for anew, and is under way."))
    _enqueue(job)


def reap(job: BulkJob) -> bool:
    """Take a job up whose worker died, or say so to its user. Returns whether that was so.

    Nothing is half-written by then: the transaction went with its worker.
    """
    with transaction.atomic():
        found = BulkJob.objects.select_for_update(skip_locked=True).filter(
            pk=job.pk, state=State.WORKING
        )
        locked = found.first()
        if locked is None or is_worked_on(locked) or not is_lost(locked, work_on_bulk_job):
            return False
        if locked.backend_pid is None:
            _enqueue(locked, restarts=locked.restarts)  # it was never begun
        elif locked.cancel_requested:
            found.update(state=State.CANCELLED, problem=cancelled_in_words(), ended_at=Now())
        elif locked.restarts < RESTARTS:
            problem = _(
                "The worker died in the middle of the work. Nothing was written, and the work was "
                "begun anew."
            )
            _enqueue(locked, problem=problem, restarts=locked.restarts + 1)
        else:
            problem = _("The worker died again in the middle of the work. Nothing was written.")
            found.update(state=State.FAILED, problem=problem, ended_at=Now())
            tell_of_bulk_job(BulkJob.objects.select_related("user").get(pk=job.pk))
    return True


def reap_all() -> int:
    """Take up every job whose worker died; returns how many there were."""
    return sum(reap(job) for job in BulkJob.objects.filter(state=State.WORKING))


# The exchange, whose workers they are, knows nothing of bulk actions, and the record of workers.
every_round(reap_all)
leave_large_undos_to(Workers(is_large=lambda rows: is_large(rows=rows), take=hand_over_undo))
