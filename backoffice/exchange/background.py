"""Large files are read and applied by a worker: handed over, cancelled, taken up again.

The job's row is the truth, not the task's: who works on a job holds an advisory lock in the
transaction that does the work, so a job that is at work while the lock is free has lost its
worker. Locks are taken in this order: the advisory lock, the job, its progress.
"""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.audit.context import Source, audit_context, current_context
from backoffice.audit.language import on_record
from backoffice.audit.reasons import said

from . import services
from .exceptions import PlanStale, ReasonMissing, RowsInvalid, WrongState
from .liveness import hold, is_lost, is_worked_on
from .models import ImportJob, ImportProfile, ImportProgress
from .notices import tell_of_import
from .read_as import ReadAs
from .staging import is_staged
from .tasks import work_on_import
from .working import go_back, source_if_none

State = ImportJob.State
# A job whose worker died is taken up so often by itself; then its user is asked.
RESTARTS = 1


def is_large(*, size: int = 0, rows: int = 0) -> bool:
    """Whether a file is a worker's; smaller ones are done in the request, without any."""
    return bool(
        size > settings.EXCHANGE_BACKGROUND_BYTES or rows > settings.EXCHANGE_BACKGROUND_ROWS
    )


@transaction.atomic
def bring_in(*, size: int, **facts: Any) -> ImportJob:
    """start_import(), whose rows a worker reads if there are many."""
    job = services.start_import(later=is_large(size=size), **facts)
    return hand_over_reading(job=job) if job.state == State.READING else job


@transaction.atomic
def read_again(*, job: ImportJob, read_as: ReadAs) -> ImportJob:
    """read_again(), whose rows a worker reads if there are many."""
    later = is_large(size=job.size, rows=job.rows)
    job = services.read_again(job=job, read_as=read_as, later=later)
    return hand_over_reading(job=job) if job.state == State.READING else job


@transaction.atomic
def read_by_format(*, job: ImportJob, source_format: str) -> ImportJob:
    """read_by_format(), whose rows a worker reads if there are many."""
    later = is_large(size=job.size, rows=job.rows)
    job = services.read_by_format(job=job, source_format=source_format, later=later)
    return hand_over_reading(job=job) if job.state == State.READING else job


@transaction.atomic
def map_columns(*, job: ImportJob, **said: Any) -> ImportJob:
    """map_columns(), planned by a worker if there are many rows."""
    job = services.map_columns(job=job, later=is_large(rows=job.rows), **said)
    return hand_over_reading(job=job) if job.state == State.READING else job


@transaction.atomic
def do_without_profile(*, job: ImportJob) -> ImportJob:
    """do_without_profile(), planned by a worker if there are many rows."""
    job = services.do_without_profile(job=job, later=is_large(rows=job.rows))
    return hand_over_reading(job=job) if job.state == State.READING else job


@transaction.atomic
def map_and_keep(*, job: ImportJob, **said: Any) -> ImportProfile:
    """map_and_keep(), planned by a worker if there are many rows."""
    later = is_large(rows=job.rows)
    profile = services.map_and_keep(job=job, later=later, **said)
    if later:
        hand_over_reading(job=job)
    return profile


@transaction.atomic
def choose_in_conflicts(*, job: ImportJob, **said: Any) -> ImportJob:
    """choose_in_conflicts(), planned by a worker if there are many rows."""
    job = services.choose_in_conflicts(job=job, later=is_large(rows=job.rows), **said)
    return hand_over_reading(job=job) if job.state == State.READING else job


def check_again(*, job: ImportJob) -> ImportJob:
    """plan_again(), by a worker if there are many rows."""
    if is_large(rows=job.rows):
        return hand_over_reading(job=job)
    return services.plan_again(job=job)


def apply(*, job: ImportJob, **said: Any) -> ImportJob:
    """apply_import(), by a worker if there are many rows."""
    if is_large(rows=job.rows):
        return hand_over_applying(job=job, **said)
    return services.apply_import(job=job, **said)


@transaction.atomic
def hand_over_reading(*, job: ImportJob) -> ImportJob:
    """Have a worker stage and plan a file, for the first time or anew."""
    services.refuse_at_work(ImportJob.objects.get(pk=job.pk), but=State.READING)
    job = ImportJob.objects.select_for_update().get(pk=job.pk)
    services.refuse_at_work(job, but=State.READING)
    services.refuse_what_is_over(job)
    if is_worked_on(job):
        return job
    if job.state != State.READING:
        job.state = State.READING
        job.save(update_fields=["state"])
    _hand_over(job)
    return job


@transaction.atomic
def hand_over_applying(
    *, job: ImportJob, reason: str, valid_rows_only: bool = False, seen_plan: str | None = None
) -> ImportJob:
    """Have a worker apply the plan that was seen. Refuses what apply_import() refuses at once."""
    reason = said(reason)
    if not reason:
        raise ReasonMissing
    services.refuse_at_work(ImportJob.objects.get(pk=job.pk))
    job = ImportJob.objects.select_for_update().get(pk=job.pk)
    services.refuse_at_work(job)
    services.refuse_what_is_over(job)
    if job.state != State.CHECKED:
        raise WrongState(_("Choose the columns first; then look at the preview and apply."))
    if not is_staged(job) or (seen_plan is not None and seen_plan != job.summary["plan"]):
        raise PlanStale([])
    if job.invalid and not valid_rows_only:
        raise RowsInvalid(job.invalid)
    job.state, job.reason, job.valid_rows_only = State.APPLYING, reason, valid_rows_only
    with audit_context(**source_if_none(), reason=job.reason):
        job.save(update_fields=["state", "reason", "valid_rows_only"])
    _hand_over(job)
    return job


def _hand_over(job: ImportJob, *, problem: str = "", restarts: int = 0) -> None:
    ImportProgress.objects.update_or_create(
        job=job,
        defaults={
            "step": "", "done": 0, "total": 0, "backend_pid": None, "cancel_requested": False,
            "started_at": Now(), "heartbeat_at": Now(), "problem": problem, "restarts": restarts,
            "task_id": "",
        },
    )  # fmt: skip
    context = current_context()
    # Our own table, so that it is there if and only if the job is at work. A queue elsewhere may
    # be faster than this transaction; then `reap` hands the job over again.
    task = work_on_import.enqueue(job.pk, request_id=context.request_id if context else "")
    ImportProgress.objects.filter(job=job).update(task_id=str(task.id))


def cancel(*, job: ImportJob) -> bool:
    """Stop the work on a job. Returns whether it has ended already, for nobody had begun it."""
    with transaction.atomic():
        if hold(job):
            # Nobody works on it, and nobody can begin before this transaction ends.
            job = ImportJob.objects.select_for_update().get(pk=job.pk)
            if job.state not in services.AT_WORK:
                raise WrongState(_("The work on this import has ended already."))
            go_back(job, _("The work was cancelled. Nothing was written."))
            return True
        asked = ImportProgress.objects.filter(job=job, job__state__in=services.AT_WORK)
        if not asked.update(cancel_requested=True):
            raise WrongState(_("The work on this import has ended already."))
    return False


def reap(job: ImportJob) -> bool:
    """Take a job up whose worker died, or say so to its user. Returns whether that was so.

    Nothing is half-written by then: the transaction went with its worker.
    """
    context = audit_context(
        source=Source.TASK,
        actor=None,
        actor_name="",
        action=on_record(gettext_lazy("An import lost its worker")),
    )
    with context, transaction.atomic():
        found = ImportJob.objects.select_for_update(skip_locked=True, of=("self",)).filter(
            pk=job.pk, state__in=services.AT_WORK
        )
        locked = found.first()
        progress = ImportProgress.objects.filter(job_id=job.pk).first()
        if (
            locked is None
            or progress is None
            or is_worked_on(locked)
            or not is_lost(progress, work_on_import)
        ):
            return False
        if progress.backend_pid is None:
            _hand_over(locked, restarts=progress.restarts)  # it was never begun
        elif progress.cancel_requested:
            go_back(locked, _("The work was cancelled. Nothing was written."))
        elif progress.restarts < RESTARTS:
            _hand_over(
                locked,
                problem=_(
                    "The worker died in the middle of the work. Nothing was written, and the "
                    "work was begun anew."
                ),
                restarts=progress.restarts + 1,
            )
        else:
            go_back(
                locked,
                _("The worker died again in the middle of the work. Nothing was written."),
            )
            tell_of_import(ImportJob.objects.select_related("user", "progress").get(pk=job.pk))
    return True


def reap_all() -> int:
    """Take up every job whose worker died; returns how many there were."""
    return sum(reap(job) for job in ImportJob.objects.filter(state__in=services.AT_WORK))
