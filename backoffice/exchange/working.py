"""The work of a worker on a job that was handed to it: all of it in one transaction, or none."""

import logging
from typing import Any

from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from backoffice.accounts.language import in_language_of
from backoffice.audit.context import Source, audit_context, current_context

from . import services
from .exceptions import ExchangeError, PlanStale
from .feeds import goes_on
from .liveness import hold
from .models import ImportFeed, ImportJob, ImportProgress
from .progress import Watch, is_cancellation
from .recovery import recover
from .staging import drop_stage, is_staged

logger = logging.getLogger(__name__)
State = ImportJob.State


def work(job_id: int, request_id: str = "") -> ImportJob | None:
    """Read or apply a job that was handed over. Nothing happens if another does, or did.

    Returns the job as it is then, or None if there was nothing to do. Work and outcome are one
    transaction: who dies in it leaves nothing behind.
    """
    with transaction.atomic():
        if not hold(ImportJob(pk=job_id)):
            return None
        job = ImportJob.objects.select_related("user").filter(pk=job_id).first()
        if job is None or job.state not in services.AT_WORK:
            return None
        facts = {"actor": job.user} if job.user else {}
        with (
            audit_context(
                source=Source.TASK,
                reason="",
                request_id=request_id,
                reference=f"{job._meta.label_lower}/{job.pk}",
                **facts,
            ),
            in_language_of(job.user),
        ):
            before, problem = job.state, _do(job)
            job = ImportJob.objects.select_related("user", "feed").get(pk=job_id)
            if job.state == before:
                go_back(job, problem)
            else:
                # Whoever goes on with it, as with that of a feed, has yet to begin.
                ImportProgress.objects.filter(job=job).update(
                    problem=problem, backend_pid=None, started_at=Now()
                )
            if problem and job.feed:
                ImportFeed.objects.filter(pk=job.feed.pk).update(last_problem=problem)
    return job


def _do(job: ImportJob) -> str:
    """Do the work, and return what stood in its way, if anything did."""
    with Watch(ImportProgress(pk=job.pk)) as watch:
        try:
            with transaction.atomic():
                if job.state == State.READING:
                    read = services.read_import(job=job)
                    if read.feed_id:
                        return _go_on(read)
                else:
                    services.apply_import(
                        job=job,
                        reason=job.reason,
                        valid_rows_only=job.valid_rows_only,
                        being=State.APPLYING,
                    )
        except PlanStale as error:
            with transaction.atomic():
                services.plan_again(job=job, being=State.APPLYING)
            return str(error)
        except ExchangeError as error:
            return str(error)
        except Exception as error:
            if connection.connection is None or connection.connection.closed:
                raise  # nothing can be said any more; background.reap() will
            if watch.is_cancelled and is_cancellation(error):
                return _("The work was cancelled. Nothing was written.")
            logger.exception("The work on import %s failed", job.pk)
            return _(
                "Something went wrong that nobody foresaw. Nothing was written. Try again; if it "
                "happens again, tell an administrator the number of the import: %(number)d."
            ) % {"number": job.pk}
    return ""


def _go_on(job: ImportJob) -> str:
    """What is fetched by itself is applied by itself."""
    problem = goes_on(job)
    job.save(update_fields=["state", "reason", "valid_rows_only"])
    if job.state == State.DISCARDED:
        drop_stage(job)
    return problem


def go_back(job: ImportJob, problem: str) -> None:
    """Where a job stands whose work did not come to its end: as before it."""
    changed = ["state"]
    if job.state == State.APPLYING:
        job.state = State.CHECKED
    elif recover(job):
        changed = [f.name for f in job._meta.concrete_fields if not f.primary_key]
    elif is_staged(job):
        job.state = State.CHECKED if job.summary.get("plan") else State.UPLOADED
    else:
        job.state = State.FAILED
        drop_stage(job)
    with audit_context(**source_if_none()):
        job.save(update_fields=changed)
    ImportProgress.objects.filter(job=job).update(
        problem=problem, cancel_requested=False, backend_pid=None
    )


def source_if_none() -> dict[str, Any]:
    """Facts of an audit context for what is called by somebody at a Python prompt."""
    return {} if current_context() else {"source": Source.SHELL}
