"""An import from the file to the record: store, map, check, apply; for pages and commands."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from django.core.files import File
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from backoffice.audit.context import Source, audit_context, current_context
from backoffice.audit.reasons import said

from .applying import Applier
from .compiling import hidden_columns
from .errors_file import write_errors_file
from .exceptions import FileRefused, PlanStale, ReasonMissing, RowsInvalid, WrongState
from .mapping import check_mapping, propose_mapping
from .models import ImportJob
from .planning import Rights, make_plan
from .reading import detect, fingerprint, read_rows
from .resources import Resource, get_resource
from .staging import (
    dialect_of,
    drop_old_stages,
    drop_stage,
    is_staged,
    open_file,
    stage_rows,
)

State = ImportJob.State


@transaction.atomic
def start_import(
    *,
    resource: str,
    file: IO[bytes],
    file_name: str,
    user: Any,
    encoding: str = "",
    delimiter: str = "",
) -> ImportJob:
    """Store a file, find out how to read it, stage its rows, and plan it if its key is clear.

    Raises FileRefused if it cannot be read; then nothing is kept.
    """
    declared = get_resource(resource)
    size, sha256 = fingerprint(file)
    dialect = detect(file, encoding, delimiter)
    job = ImportJob(
        user=user,
        resource=resource,
        file_name=_shown_name(file_name),
        size=size,
        sha256=sha256,
        encoding=dialect.encoding,
        delimiter=dialect.delimiter,
        header=dialect.header,
        header_line=dialect.header_line,
        mapping=propose_mapping(declared, dialect.header, user),
    )
    file.seek(0)
    job.file.save(job.file_name, File(file), save=False)
    try:
        with _at_work(job, declared, source=None):
            job.save()
            job.rows = stage_rows(job, read_rows(file, dialect), len(dialect.header))
            if not job.rows:
                raise FileRefused(
                    _("The file has a header and no rows below it. Export it again, with rows.")
                )
            if declared.key() in job.mapping:
                _plan(job, declared)
            job.save()
    except Exception:
        job.file.delete(save=False)  # the rows go with the transaction; the file would stay
        raise
    drop_old_stages()
    return job


@transaction.atomic
def map_columns(*, job: ImportJob, mapping: Mapping[str, int]) -> ImportJob:
    """Choose which columns feed which fields, and plan anew. Raises MappingRefused, WrongState."""
    declared, job = get_resource(job.resource), _locked(job)
    check_mapping(declared, mapping, job.header, job.user)
    job.mapping = dict(mapping)
    with _at_work(job, declared, source=None, action=_("%(what)s: columns of %(file)s chosen")):
        _plan(job, declared)
        job.save()
    return job


@transaction.atomic
def plan_again(*, job: ImportJob) -> ImportJob:
    """Look again at what the file would do to the data as they are now."""
    declared, job = get_resource(job.resource), _locked(job)
    with _at_work(job, declared, source=None, action=_("%(what)s: %(file)s checked again")):
        _plan(job, declared)
        job.save()
    return job


def apply_import(
    *, job: ImportJob, reason: str, valid_rows_only: bool = False, seen_plan: str | None = None
) -> ImportJob:
    """Write what the preview showed, in one transaction and one change set.

    `seen_plan` is the name of the plan that the user saw (`job.summary["plan"]`). Raises
    ReasonMissing, RowsInvalid (unless `valid_rows_only`), PlanStale if data changed since the
    preview or the plan was made anew, WrongState if this job was applied or given up already.
    Nothing is written then.
    """
    reason = said(reason)
    if not reason:
        raise ReasonMissing
    declared, started = get_resource(job.resource), time.monotonic()
    with transaction.atomic():
        job = _locked(job)
        if job.state != State.CHECKED:
            raise WrongState(_("Choose the columns first; then look at the preview and apply."))
        if not is_staged(job) or (seen_plan is not None and seen_plan != job.summary["plan"]):
            raise PlanStale([])
        if job.invalid and not valid_rows_only:
            raise RowsInvalid(job.invalid)
        job.reason, job.valid_rows_only = reason, valid_rows_only
        with _at_work(job, declared, source=Source.IMPORT):
            try:
                Applier(job, declared).run(Rights.of(job.user, declared))
            except IntegrityError as error:
                # What the check found free or fitting was taken or changed meanwhile.
                raise PlanStale([]) from error
            job.state, job.applied_at = State.APPLIED, timezone.now()
            job.seconds = time.monotonic() - started
            job.save()
            job.change_set_id = _change_set_of_this_transaction()
            if job.invalid:
                write_errors_file(job, declared)
            job.save()
        drop_stage(job)
    return job


@transaction.atomic
def discard_import(*, job: ImportJob) -> ImportJob:
    """Give an import up: its staged rows go, the file and the job stay on the record."""
    declared, job = get_resource(job.resource), _locked(job)
    job.state = State.DISCARDED
    with _at_work(job, declared, source=None, action=_("%(what)s: import of %(file)s given up")):
        job.save()
    drop_stage(job)
    return job


@transaction.atomic
def keep_failed_rows(*, job: ImportJob) -> ImportJob:
    """Store the invalid rows of a checked job as a file, with what is wrong with each."""
    declared, job = get_resource(job.resource), _locked(job)
    with _at_work(job, declared, source=None):
        write_errors_file(job, declared)
        job.save()
    return job


def import_file(
    *,
    resource: str,
    path: Path,
    user: Any = None,
    reason: str = "",
    apply: bool = True,
    valid_rows_only: bool = False,
    encoding: str = "",
) -> ImportJob:
    """Bring a file in without a page: store, map by header, check, and apply if asked to.

    Raises what the steps raise; MappingRefused if no column is the key.
    """
    with path.open("rb") as file:
        job = start_import(
            resource=resource, file=file, file_name=path.name, user=user, encoding=encoding
        )
    check_mapping(get_resource(resource), job.mapping, job.header, user)
    if apply:
        job = apply_import(job=job, reason=reason, valid_rows_only=valid_rows_only)
    return job


def _plan(job: ImportJob, declared: Resource) -> None:
    if not is_staged(job):
        # A crash of the database empties unlogged tables; the file is still there.
        with open_file(job) as file:
            dialect = dialect_of(job)
            job.rows = stage_rows(job, read_rows(file, dialect), len(dialect.header))
    # A right to see a column may have been taken away since it was mapped.
    hidden = hidden_columns(declared, job.user)
    job.mapping = {target: i for target, i in job.mapping.items() if target not in hidden}
    make_plan(job, declared)
    job.state = State.CHECKED


def _locked(job: ImportJob) -> ImportJob:
    """The job as it is now, locked until the transaction ends, so that it ends once."""
    job = ImportJob.objects.select_for_update().get(pk=job.pk)
    if job.state in {State.APPLIED, State.DISCARDED}:
        raise WrongState(
            _("This import is over (%(state)s). Upload the file again to repeat it.")
            % {"state": job.get_state_display()}
        )
    return job


def _at_work(job: ImportJob, declared: Resource, *, source: Source | None, action: str = "") -> Any:
    """The audit context of a job: an import says so, an upload is of whoever uploads."""
    facts: dict[str, Any] = {"reason": job.reason} if job.reason else {}
    if job.user is not None:
        facts["actor"] = job.user
    if source or current_context() is None:  # no context: someone at a Python prompt
        facts["source"] = source or Source.SHELL
    if source:
        facts["reference"] = f"{job._meta.label_lower}/{job.pk}"
    what = capfirst(str(declared.model()._meta.verbose_name_plural))
    if not action:
        action = _("%(what)s: import of %(file)s") if source else _("%(what)s: upload of %(file)s")
    return audit_context(action=action % {"what": what, "file": job.file_name}, **facts)


def _shown_name(name: str) -> str:
    """A file's name without its folders, as it can be stored, shown and sent."""
    bare = Path(name).name.encode("utf-8", "replace").decode()
    printable = "".join(sign if sign.isprintable() else "_" for sign in bare)[:255]
    return printable if printable.strip(" .") else "file"


def _change_set_of_this_transaction() -> int | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT split_part(current_setting('audit.change_set', true), ':', 1)")
        (remembered,) = cursor.fetchone()
    return int(remembered) if remembered else None
