"""Who is alive: an advisory lock that lives and dies with the transaction that does the work."""

from datetime import timedelta
from typing import Any

from django.db import connection, models
from django.tasks import TaskResultStatus
from django.tasks.exceptions import TaskResultDoesNotExist
from django.utils import timezone

from .models.work import Work

_KEY = "hashtextextended(%s, 0)"
# So long after a task began, its job must be held by its worker.
_BEGINNING_TAKES_AT_MOST = timedelta(minutes=1)


def hold(job: models.Model) -> bool:
    """Become the one who works on a job until the transaction ends; False if somebody is."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory_xact_lock({_KEY})", [_name(job)])
        return bool(cursor.fetchone()[0])


def is_worked_on(job: models.Model) -> bool:
    """Whether somebody else holds a job; asking takes it from nobody."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted "
            "AND pid <> pg_backend_pid() "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
            f"AND objsubid = 1 AND (classid::bigint << 32 | objid::bigint) = {_KEY})",
            [_name(job)],
        )
        return bool(cursor.fetchone()[0])


def is_lost(work: Work, task: Any) -> bool:
    """Whether nobody is going to go on with a job that nobody works on."""
    if work.backend_pid is not None:
        return True
    try:
        found = task.get_result(work.task_id)
    except (TaskResultDoesNotExist, NotImplementedError):
        return timezone.now() - work.started_at > _BEGINNING_TAKES_AT_MOST
    since = found.started_at or found.enqueued_at or work.started_at
    return (
        found.status != TaskResultStatus.READY and timezone.now() - since > _BEGINNING_TAKES_AT_MOST
    )


def _name(job: models.Model) -> str:
    return f"{job._meta.label_lower}/{job.pk}"
