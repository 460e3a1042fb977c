"""How an import ends: applied or given up; and what comes back of it as a file."""

import time

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.audit.context import Source
from backoffice.audit.reasons import said
from backoffice.exchange.applying import Applier
from backoffice.exchange.currencies import rates_in_words
from backoffice.exchange.errors_file import write_errors_file
from backoffice.exchange.exceptions import PlanStale, ReasonMissing, RowsInvalid, WrongState
from backoffice.exchange.models import ImportJob
from backoffice.exchange.planning import Rights
from backoffice.exchange.profiles import remember_use
from backoffice.exchange.resources import get_resource
from backoffice.exchange.staging import drop_stage, is_staged

from .custody import locked, work_context

State = ImportJob.State


def apply_import(
    *,
    job: ImportJob,
    reason: str,
    valid_rows_only: bool = False,
    seen_plan: str | None = None,
    being: State = State.CHECKED,
) -> ImportJob:
    """Write what the preview showed, in one transaction and one change set.

    `seen_plan` is the name of the plan that the user saw (`job.summary["plan"]`); `being` is
    APPLYING for the worker that the job was handed to. Raises
    ReasonMissing, RowsInvalid (unless `valid_rows_only`), PlanStale if data changed since the
    preview or the plan was made anew, WrongState if this job was applied or given up already.
    Nothing is written then.
    """
    reason = said(reason)
    if not reason:
        raise ReasonMissing
    declared, started = get_resource(job.resource), time.monotonic()
    with transaction.atomic():
        job = locked(job, being=being)
        if job.state != being:
            raise WrongState(_("Choose the columns first; then look at the preview and apply."))
        if not is_staged(job) or (seen_plan is not None and seen_plan != job.summary["plan"]):
            raise PlanStale([])
        if job.invalid and not valid_rows_only:
            raise RowsInvalid(job.invalid)
        job.reason, job.valid_rows_only = reason, valid_rows_only
        rates = rates_in_words(job).replace("%", "%%")
        action = _("%(what)s: import of %(file)s") + (f" ({rates})" if rates else "")
        with work_context(job, declared, source=Source.IMPORT, action=action):
            try:
                Applier(job, declared).run(Rights.of(job.user, declared))
            except IntegrityError as error:
                # What the check found free or fitting was taken or changed meanwhile.
                raise PlanStale([]) from error
            if job.profile:
                remember_use(job.profile)
            job.state, job.applied_at = State.APPLIED, timezone.now()
            job.seconds = time.monotonic() - started
            job.save()
            job.change_set_id = _change_set_of_this_transaction()
            if job.left:
                write_errors_file(job, declared)
            job.save()
        drop_stage(job)
    return job


@transaction.atomic
def discard_import(*, job: ImportJob) -> ImportJob:
    """Give an import up: its staged rows go, the file and the job stay on the record."""
    declared, job = get_resource(job.resource), locked(job)
    job.state = State.DISCARDED
    with work_context(
        job, declared, source=None, action=gettext_lazy("%(what)s: import of %(file)s given up")
    ):
        job.save()
    drop_stage(job)
    return job


@transaction.atomic
def keep_failed_rows(*, job: ImportJob) -> ImportJob:
    """Store the rows that a checked job leaves as a file, with what is wrong with each."""
    declared, job = get_resource(job.resource), locked(job)
    with work_context(job, declared, source=None):
        write_errors_file(job, declared)
        job.save()
    return job


def _change_set_of_this_transaction() -> int | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT split_part(current_setting('audit.change_set', true), ':', 1)")
        (remembered,) = cursor.fetchone()
    return int(remembered) if remembered else None
