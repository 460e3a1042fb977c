"""A file stored and read: for the first time, as its user says, or by a worker."""

from pathlib import Path
from typing import IO, Any

from django.core.files import File
from django.db import transaction
from django.utils.translation import gettext_lazy

from backoffice.exchange.mapping import propose_mapping
from backoffice.exchange.models import ImportJob, ImportProfile
from backoffice.exchange.profiles import forget_profile, matching_profile, use_profile
from backoffice.exchange.read_as import FIND_OUT, ReadAs, put_reading
from backoffice.exchange.reading import fingerprint, unpacked
from backoffice.exchange.recovery import as_it_is, begin_anew, remember
from backoffice.exchange.resources import Resource, get_resource
from backoffice.exchange.staging import (
    dialect_of,
    drop_old_stages,
    drop_stage,
    is_staged,
    open_file,
)
from backoffice.exchange.translating import choose_format, refuse_foreign

from .custody import locked, work_context
from .steps import read_and_plan

State = ImportJob.State


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
        with work_context(job, declared, source=None):
            job.state = State.READING if later else State.UPLOADED
            job.save()
            if not later:
                read_and_plan(job, declared)
                job.save()
    except Exception:
        job.file.delete(save=False)  # the rows go with the transaction; the file would stay
        raise
    drop_old_stages()
    return job


@transaction.atomic
def read_import(*, job: ImportJob) -> ImportJob:
    """Stage and plan what was left to be done later, by a worker."""
    declared, job = get_resource(job.resource), locked(job, being=State.READING)
    with work_context(job, declared, source=None, action=gettext_lazy("%(what)s: %(file)s read")):
        job.state = State.UPLOADED
        if begin_anew(job):
            drop_stage(job)
        read_and_plan(job, declared)
        job.save()
    return job


@transaction.atomic
def read_again(*, job: ImportJob, read_as: ReadAs, later: bool = False) -> ImportJob:
    """Read the file anew, as its user says; what they leave open is found out.

    Columns that are still there stay mapped; otherwise they are proposed anew. Raises FileRefused
    if the file cannot be read so, and WrongState; then all stays as it was.
    """
    declared, job = get_resource(job.resource), locked(job)
    before, left_out, so_far = dialect_of(job), job.left_out, as_it_is(job)
    with open_file(job) as file, unpacked(file, read_as.sheet) as source:
        put_reading(job, source, declared, read_as)
    if dialect_of(job).header != before.header:
        forget_profile(job, declared)
    job.state = State.READING if later else State.UPLOADED
    action = gettext_lazy("%(what)s: %(file)s read anew")
    with work_context(job, declared, source=None, action=action):
        is_other = dialect_of(job) != before
        if is_other:
            job.conflict_choices = {}
        else:
            job.left_out = left_out  # only the signs and orders are others; the rows stay
        _begin(job, declared, so_far, restage=is_other, later=later)
    return job


@transaction.atomic
def read_by_format(*, job: ImportJob, source_format: str, later: bool = False) -> ImportJob:
    """Read the file anew, as what its user says that it is; PLAIN is a plain table.

    The columns are proposed anew. With `later` the rows are left to read_import(). Raises
    WrongState if the file is no such thing.
    """
    declared, job = get_resource(job.resource), locked(job)
    so_far = as_it_is(job)
    choose_format(job, declared, job.source_header, source_format)
    said = {**job.reading.get("said", {}), "source_format": source_format}
    job.reading = {**job.reading, "said": said}
    forget_profile(job, declared)
    job.conflict_choices = {}
    job.state = State.READING if later else State.UPLOADED
    action = gettext_lazy("%(what)s: %(file)s read anew")
    with work_context(job, declared, source=None, action=action):
        _begin(job, declared, so_far, restage=True, later=later)
    return job


def _begin(
    job: ImportJob, declared: Resource, so_far: dict[str, Any], *, restage: bool, later: bool
) -> None:
    """Read and plan a job as it says now, or leave that to a worker, who may have to give up."""
    if later:
        if is_staged(job):
            remember(job, so_far, restage=restage)
    else:
        if restage:
            drop_stage(job)
        read_and_plan(job, declared)
    job.save()


def _shown_name(name: str) -> str:
    """A file's name without its folders, as it can be stored, shown and sent."""
    bare = Path(name).name.encode("utf-8", "replace").decode()
    printable = "".join(sign if sign.isprintable() else "_" for sign in bare)[:255]
    return printable if printable.strip(" .") else "file"
