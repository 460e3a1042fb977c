"""Large exports: asked for in a request, written by a worker, fetched until they expire.

The job's row is the truth, not the task's. Who writes a file holds an advisory lock: a job that
is being written while the lock is free has lost its worker, and is written again from the start.
"""

import hashlib
import logging
import tempfile
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.files import File
from django.db import connection, models, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.accounts.language import in_language_of
from backoffice.audit.context import Source, audit_context, current_context
from backoffice.exchange.exceptions import ExchangeError, WrongState
from backoffice.exchange.models import ExportJob
from backoffice.exchange.resources import get_resource

from .rows import export_rows

logger = logging.getLogger(__name__)
State = ExportJob.State

# Finds the rows of a job with the rights that its user has now. Raises ExchangeError.
type FindRows = Callable[[ExportJob], models.QuerySet[Any]]

_KEY = "hashtextextended('exchange.exportjob/' || %s, 0)"


def make_job(
    *,
    user: Any,
    resource: str,
    columns: Sequence[str],
    file_format: str,
    filters: dict[str, Any],
) -> ExportJob:
    """Put down what is to be written; the caller hands it to a worker."""
    drop_expired()
    return ExportJob.objects.create(
        user=user, resource=resource, columns=[*columns], format=file_format, filters=filters
    )


def write_job(
    *,
    job_id: int,
    find_rows: FindRows,
    told: Callable[[ExportJob], Any],
    ended: Callable[[ExportJob], None] = lambda _job: None,
) -> None:
    """Write the file of a job that waits. Nothing happens if somebody else does, or did.

    `told` says of a job how its rows were found, for the record. `ended` is called in the
    transaction in which the job is done or has failed.
    """
    if not ExportJob.objects.filter(pk=job_id, state=State.WAITING).update(state=State.RUNNING):
        return
    try:
        with transaction.atomic():
            _hold(job_id)
            job = ExportJob.objects.select_related("user").get(pk=job_id)
            with audit_context(**_work_of(job)), in_language_of(job.user):
                _write(job, find_rows(job), told(job))
            ended(job)
    except ExchangeError as error:
        _fail(job_id, ended, str(error))
    except Exception:
        logger.exception("The export %s failed", job_id)
        _fail(job_id, ended)


def write_again(*, job: ExportJob) -> ExportJob:
    """Let a job wait anew whose worker died, or that failed. Raises WrongState."""
    with transaction.atomic():
        job = ExportJob.objects.select_for_update().get(pk=job.pk)
        if not (job.state == State.FAILED or (job.state == State.RUNNING and not is_alive(job))):
            raise WrongState(_("This export is not to be written again. Export the list anew."))
        job.state, job.problem = State.WAITING, ""
        job.save(update_fields=["state", "problem"])
    return job


def is_alive(job: ExportJob) -> bool:
    """Whether somebody is writing its file."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
            f"AND objsubid = 1 AND (classid::bigint << 32 | objid::bigint) = {_KEY})",
            [str(job.pk)],
        )
        return bool(cursor.fetchone()[0])


def drop_expired() -> None:
    """Delete the files whose time is over; their jobs stay, and say so."""
    for job in ExportJob.objects.filter(state=State.DONE, expires_at__lte=Now()):
        job.file.delete(save=False)
        job.state = State.EXPIRED
        job.save(update_fields=["state", "file"])


def _hold(job_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock({_KEY})", [str(job_id)])


def _work_of(job: ExportJob) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "actor": job.user,
        "reference": f"{job._meta.label_lower}/{job.pk}",
    }
    return facts if current_context() else {**facts, "source": Source.TASK}


def _write(job: ExportJob, rows: models.QuerySet[Any], told: Any) -> None:
    digest = hashlib.sha256()
    blocks = export_rows(
        get_resource(job.resource),
        rows,
        user=job.user,
        columns=job.columns,
        file_format=job.format,
        chosen=told,
        count=lambda more: setattr(job, "rows", job.rows + more),
    )
    job.rows = job.size = 0
    with tempfile.TemporaryFile() as file:
        for block in blocks:
            digest.update(block)
            file.write(block)
        job.size, job.sha256 = file.tell(), digest.hexdigest()
        job.file.save(f"{job.resource}.{job.format}", File(file), save=False)
    job.state = State.DONE
    job.expires_at = timezone.now() + timedelta(days=settings.EXCHANGE_EXPORT_DAYS)
    try:
        job.save()
    except BaseException:
        job.file.delete(save=False)
        raise


@transaction.atomic
def _fail(job_id: int, ended: Callable[[ExportJob], None], problem: str = "") -> None:
    job = ExportJob.objects.select_related("user").get(pk=job_id)
    with in_language_of(job.user):
        job.state = State.FAILED
        job.problem = problem or _(
            "Something went wrong that nobody foresaw. Try again; if it happens again, tell an "
            "administrator the number of the export: %(number)d."
        ) % {"number": job_id}
    job.save(update_fields=["state", "problem"])
    ended(job)
