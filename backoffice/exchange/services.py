"""An import from the file to the record: store, map, check, apply; for pages and commands."""

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from django.core.files import File
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from backoffice.audit.context import Source, audit_context, current_context

from .applying import Applier
from .choices import Choices, checked_choices
from .compiling import hidden_columns
from .errors_file import write_errors_file
from .exceptions import (
    FileRefused,
    MappingRefused,
    PlanStale,
    ReasonMissing,
    RowsInvalid,
    WrongState,
)
from .guessing import drop_false_version, guess
from .mapping import check_mapping, propose_mapping
from .models import ImportJob, ImportProfile
from .planning import Rights, make_plan
from .profiles import (
    forget_profile,
    keep_profile,
    matching_profile,
    named_profile,
    remember_use,
    use_profile,
)
from .progress import report
from .read_as import FIND_OUT, ReadAs, put_reading, settle_reading
from .reading import fingerprint, read_rows, unpacked
from .resources import Resource, get_resource
from .staging import (
    dialect_of,
    drop_old_stages,
    drop_stage,
    is_staged,
    open_file,
)
from .translating import choose_format, refuse_foreign, stage_translated

State = ImportJob.State
AT_WORK = frozenset({State.READING, State.APPLYING})


@transaction.atomic
def start_import(
    *,
    resource: str,
    file: IO[bytes],
    file_name: str,
    user: Any,
    read_as: ReadAs = FIND_OUT,
    profile: ImportProfile | None = None,
    later: bool = False,
) -> ImportJob:
    """Store a file, find out how to read it, stage its rows, and plan it if its key is clear.

    A profile is used if it is given, or if it is of files with this header. With `later` the rows
    are left to read_import(). Raises FileRefused if it cannot be read; then
    nothing is kept.
    """
    declared = get_resource(resource)
    size, sha256 = fingerprint(file)
    job = ImportJob(
        user=user,
        resource=resource,
        file_name=_shown_name(file_name),
        size=size,
        sha256=sha256,
    )
    with unpacked(file, read_as.sheet) as source:
        put_reading(job, source, declared, read_as)
    job.mapping = propose_mapping(declared, job.header, user)
    refuse_foreign(declared, job)
    if profile := profile or matching_profile(job):
        use_profile(job, declared, profile)
    file.seek(0)
    job.file.save(job.file_name, File(file), save=False)
    try:
        with _at_work(job, declared, source=None):
            job.state = State.READING if later else State.UPLOADED
            job.save()
            if not later:
                _read(job, declared)
                job.save()
    except Exception:
        job.file.delete(save=False)  # the rows go with the transaction; the file would stay
        raise
    drop_old_stages()
    return job


@transaction.atomic
def read_import(*, job: ImportJob) -> ImportJob:
    """Stage and plan what was left to be done later, by a worker."""
    declared, job = get_resource(job.resource), _locked(job, being=State.READING)
    with _at_work(job, declared, source=None, action=_("%(what)s: %(file)s read")):
        job.state = State.UPLOADED
        _read(job, declared)
        job.save()
    return job


@transaction.atomic
def read_again(*, job: ImportJob, read_as: ReadAs, later: bool = False) -> ImportJob:
    """Read the file anew, as its user says; what they leave open is found out.

    Columns that are still there stay mapped; otherwise they are proposed anew. Raises FileRefused
    if the file cannot be read so, and WrongState; then all stays as it was.
    """
    declared, job = get_resource(job.resource), _locked(job)
    before, left_out = dialect_of(job), job.left_out
    with open_file(job) as file, unpacked(file, read_as.sheet) as source:
        put_reading(job, source, declared, read_as)
    if dialect_of(job).header != before.header:
        forget_profile(job, declared)
    job.state = State.READING if later else State.UPLOADED
    with _at_work(job, declared, source=None, action=_("%(what)s: %(file)s read anew")):
        if dialect_of(job) == before:
            job.left_out = left_out  # only the signs and orders are others; the rows stay
        else:
            drop_stage(job)
        if not later:
            _read(job, declared)
        job.save()
    return job


@transaction.atomic
def read_by_format(*, job: ImportJob, source_format: str) -> ImportJob:
    """Read the file anew, as what its user says that it is; PLAIN is a plain table.

    The columns are proposed anew. Raises WrongState if the file is no such thing.
    """
    declared, job = get_resource(job.resource), _locked(job)
    choose_format(job, declared, job.source_header, source_format)
    job.reading["said"] = {**job.reading.get("said", {}), "source_format": source_format}
    forget_profile(job, declared)
    job.state = State.UPLOADED
    with _at_work(job, declared, source=None, action=_("%(what)s: %(file)s read anew")):
        drop_stage(job)
        _read(job, declared)
        job.save()
    return job


@transaction.atomic
def do_without_profile(*, job: ImportJob, later: bool = False) -> ImportJob:
    """Go back to what the headers alone tell, and plan anew if that has the key."""
    declared, job = get_resource(job.resource), _locked(job)
    forget_profile(job, declared)
    if is_staged(job):
        _look_at_content(job, declared)
    job.state = State.UPLOADED
    with _at_work(job, declared, source=None, action=_("%(what)s: columns of %(file)s chosen")):
        if later:
            job.state, job.summary = State.READING, {}
        else:
            _read(job, declared)
        job.save()
    return job


@transaction.atomic
def map_columns(
    *,
    job: ImportJob,
    mapping: Mapping[str, int] | None = None,
    choices: Choices | None = None,
    later: bool = False,
) -> ImportJob:
    """Choose which columns feed which fields, and how, and plan anew.

    A mapping alone leaves the other choices as they are. With `later` the plan is left to
    read_import(). Raises MappingRefused, WrongState.
    """
    declared, job = get_resource(job.resource), _locked(job)
    if choices is None:
        choices = replace(Choices.of(job), mapping=job.mapping if mapping is None else mapping)
    checked_choices(declared, choices, job.header, job.user).put_on(job)
    job.guesses = {}  # what was not taken of them is not wanted
    with _at_work(job, declared, source=None, action=_("%(what)s: columns of %(file)s chosen")):
        if later:
            job.state, job.summary = State.READING, {}
        else:
            _plan(job, declared)
        job.save()
    return job


@transaction.atomic
def map_and_keep(
    *,
    job: ImportJob,
    choices: Choices,
    name: str,
    is_shared: bool,
    user: Any,
    later: bool = False,
) -> ImportProfile:
    """Plan with these choices, and keep them as a profile; both or neither.

    Raises what map_columns() raises, and ProfileRefused.
    """
    job = map_columns(job=job, choices=choices, later=later)
    declared = get_resource(job.resource)
    with _at_work(job, declared, source=None, action=_("%(what)s: profile of %(file)s kept")):
        return keep_profile(job=job, name=name, is_shared=is_shared, user=user)


@transaction.atomic
def plan_again(*, job: ImportJob, being: State | None = None) -> ImportJob:
    """Look again at what the file would do to the data as they are now."""
    declared, job = get_resource(job.resource), _locked(job, being=being)
    with _at_work(job, declared, source=None, action=_("%(what)s: %(file)s checked again")):
        _plan(job, declared)
        job.save()
    return job


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
    if not reason.strip():
        raise ReasonMissing
    declared, started = get_resource(job.resource), time.monotonic()
    with transaction.atomic():
        job = _locked(job, being=being)
        if job.state != being:
            raise WrongState(_("Choose the columns first; then look at the preview and apply."))
        if not is_staged(job) or (seen_plan is not None and seen_plan != job.summary["plan"]):
            raise PlanStale([])
        if job.invalid and not valid_rows_only:
            raise RowsInvalid(job.invalid)
        job.reason, job.valid_rows_only = reason.strip(), valid_rows_only
        with _at_work(job, declared, source=Source.IMPORT):
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
    read_as: ReadAs = FIND_OUT,
    profile: str = "",
) -> ImportJob:
    """Bring a file in without a page: store, map by header, check, and apply if asked to.

    `profile` is the name of one whose choices are used. Raises what the steps raise;
    MappingRefused if no column is the key.
    """
    named = named_profile(profile, resource, user) if profile else None
    if named:
        kept = ReadAs.from_choices(named.choices).choices()
        read_as = ReadAs.from_choices({**kept, **read_as.choices()})
    with path.open("rb") as file:
        job = start_import(
            resource=resource,
            file=file,
            file_name=path.name,
            user=user,
            read_as=read_as,
            profile=named,
        )
    if named and job.profile != named:
        raise MappingRefused([_("The file has not the columns of this profile.")])
    check_mapping(get_resource(resource), job.mapping, job.header, user)
    if apply:
        job = apply_import(job=job, reason=reason, valid_rows_only=valid_rows_only)
    return job


def _read(job: ImportJob, declared: Resource) -> None:
    """Stage the rows unless they are there, and plan them if it is clear which is the key."""
    is_new = not is_staged(job)
    _stage(job)
    if not job.rows:
        raise FileRefused(
            _("The file has a header and no rows below it. Export it again, with rows.")
        )
    if is_new:
        _look_at_content(job, declared)
    if declared.key() in job.mapping:
        _plan(job, declared)


def _look_at_content(job: ImportJob, declared: Resource) -> None:
    """What the cells tell of the columns, where nobody has chosen them yet."""
    if job.profile is None:
        drop_false_version(job)
        job.guesses = guess(job, declared)


def _stage(job: ImportJob) -> None:
    # A crash of the database empties unlogged tables; the file is still there.
    if is_staged(job):
        return
    with open_file(job) as file, unpacked(file, job.sheet) as source:
        dialect = dialect_of(job)
        report(_("Reading the file"), total=job.size, probe=lambda _cursor: file.tell())
        job.rows = stage_translated(job, get_resource(job.resource), read_rows(source, dialect))


def _plan(job: ImportJob, declared: Resource) -> None:
    _stage(job)
    # A right to see a column may have been taken away since it was mapped.
    hidden = hidden_columns(declared, job.user)
    job.mapping = {target: i for target, i in job.mapping.items() if target not in hidden}
    job.constants = {target: v for target, v in job.constants.items() if target not in hidden}
    settle_reading(job, declared)
    make_plan(job, declared)
    job.state = State.CHECKED


def _locked(job: ImportJob, *, being: State | None = None) -> ImportJob:
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
