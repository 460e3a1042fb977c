"""Who has a job just now, and whether anything may be done to it still."""

from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.audit.context import Source, audit_context, current_context
from backoffice.audit.language import on_record
from backoffice.exchange.exceptions import WrongState
from backoffice.exchange.models import ImportJob
from backoffice.exchange.resources import Resource

State = ImportJob.State
AT_WORK = frozenset({State.READING, State.APPLYING})


def locked(job: ImportJob, *, being: State | None = None) -> ImportJob:
    """The job as it is now, locked until the transaction ends, so that it ends once.

    What a worker has is refused, except for the worker (`being`): to wait for the lock would be
    to wait for the end of the work.
    """
    refuse_at_work(ImportJob.objects.get(pk=job.pk), but=being)
    job = ImportJob.objects.select_for_update().get(pk=job.pk)
    refuse_at_work(job, but=being)
    refuse_what_is_over(job)
    return job


def refuse_what_is_over(job: ImportJob) -> None:
    """Raises WrongState if a job was applied or given up."""
    if job.state in {State.APPLIED, State.DISCARDED}:
        raise WrongState(
            _("This import is over (%(state)s). Upload the file again to repeat it.")
            % {"state": job.get_state_display()}
        )


def refuse_at_work(job: ImportJob, but: State | None = None) -> None:
    """Raises WrongState if a worker has the job, or if it waits for one."""
    if job.state in AT_WORK and job.state != but:
        raise WrongState(
            _("The import is %(state)s. Wait for its end, or cancel that.")
            % {"state": job.get_state_display()}
        )


_IMPORT = gettext_lazy("%(what)s: import of %(file)s")
_UPLOAD = gettext_lazy("%(what)s: upload of %(file)s")


def work_context(
    job: ImportJob, declared: Resource, *, source: Source | None, action: Any = ""
) -> Any:
    """The audit context of a job: an import says so, an upload is of whoever uploads."""
    facts: dict[str, Any] = {"reason": job.reason} if job.reason else {}
    if job.user is not None:
        facts["actor"] = job.user
    if source or current_context() is None:  # no context: someone at a Python prompt
        facts["source"] = source or Source.SHELL
    if source:
        facts["reference"] = f"{job._meta.label_lower}/{job.pk}"
    what = capfirst(declared.model()._meta.verbose_name_plural)
    if not action:
        action = _IMPORT if source else _UPLOAD
    return audit_context(action=on_record(action, {"what": what, "file": job.file_name}), **facts)
