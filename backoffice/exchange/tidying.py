"""What is kept for a set time only: files, staged rows, results of tasks, what TIDYING names."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from backoffice.audit.context import Source, audit_context
from backoffice.audit.language import on_record

from .exporting.jobs import drop_expired
from .models import ImportJob
from .services import AT_WORK
from .staging import drop_old_stages, drop_stage

logger = logging.getLogger(__name__)
_RESULTS_KEPT = timedelta(days=14)


@dataclass(frozen=True)
class Tidied:
    files: int
    stages: int


def tidy() -> Tidied:
    """Delete what is past its time. The jobs stay, and say that their files are gone."""
    with audit_context(
        source=Source.TASK, actor=None, actor_name="", action=on_record(_("Old files were deleted"))
    ):
        drop_expired()
        tidied = Tidied(_drop_files(), _drop_stages())
        for name in settings.TIDYING:
            import_string(name)()
    call_command(
        "prune_db_task_results", queue_name="*", min_age_days=_RESULTS_KEPT.days, verbosity=0
    )
    return tidied


def _drop_files() -> int:
    """The file of a job that was not given up goes only once the job has ended or waits no more."""
    kept_since = timezone.now() - timedelta(days=settings.EXCHANGE_KEEP_FILES_DAYS)
    old = ImportJob.objects.filter(created_at__lt=kept_since).exclude(state__in=AT_WORK)
    count = 0
    for key in old.filter(~Q(file="") | ~Q(errors_file="")).values_list("pk", flat=True):
        with transaction.atomic():
            job = ImportJob.objects.select_for_update().get(pk=key)
            if job.state in AT_WORK:
                continue
            gone = [(f.storage, str(f.name)) for f in (job.file, job.errors_file) if f]
            job.file, job.errors_file = "", ""
            if job.state not in {ImportJob.State.APPLIED, ImportJob.State.DISCARDED}:
                job.state = ImportJob.State.DISCARDED  # without its file it leads nowhere
                drop_stage(job)
            job.save(update_fields=["file", "errors_file", "state"])
        # After the commit: a row without a file is what the page expects, the reverse is not.
        for storage, name in gone:
            storage.delete(name)
        count += 1
    return count


def _drop_stages() -> int:
    """Staged rows of jobs that have ended, or that nobody went on with for a day."""
    drop_old_stages()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT substring(tablename FROM '_([0-9]+)$')::bigint FROM pg_tables "
            "WHERE schemaname = 'exchange' AND tablename ~ '_[0-9]+$'"
        )
        staged = {number for (number,) in cursor.fetchall()}
    open_jobs = ImportJob.objects.filter(
        pk__in=staged, state__in=[*AT_WORK, ImportJob.State.UPLOADED, ImportJob.State.CHECKED]
    )
    left = staged - {*open_jobs.values_list("pk", flat=True)}
    for number in left:
        drop_stage(ImportJob(pk=number))
    return len(left)
