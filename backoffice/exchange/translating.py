"""Which format a file has, and its rows staged as that makes them."""

from collections.abc import Iterable, Sequence

from django.db import connection
from django.utils.translation import gettext as _

from .exceptions import FileRefused, WrongState
from .formats import PLAIN, SourceFormat
from .models import ImportJob
from .reading import Row
from .resources import Resource
from .staging import stage_rows


def recognised(formats: Sequence[SourceFormat], header: Sequence[str]) -> SourceFormat | None:
    return next((known for known in formats if known.recognises(header)), None)


def chosen_format(
    formats: Sequence[SourceFormat], header: Sequence[str], said: str
) -> SourceFormat | None:
    """The format to read a file by: what the user said, else what its header tells.

    Raises WrongState if what was said is no format of this file.
    """
    if said == PLAIN:
        return None
    if not said:
        return recognised(formats, header)
    for known in formats:
        if known.name == said and known.recognises(header):
            return known
    raise WrongState(_("The file has not the columns of this format. Read it as a plain table."))


def choose_format(
    job: ImportJob, resource: Resource, header: Sequence[str], said: str = ""
) -> None:
    """Put the header on a new job, as its format makes it, or as it is."""
    known = chosen_format(resource.formats, header, said)
    job.source_format = known.name if known else said  # "" or PLAIN
    job.source_header = list(header)
    job.header = list(known.translation(header).header) if known else list(header)
    job.left_out = []


def stage_translated(job: ImportJob, resource: Resource, rows: Iterable[Row]) -> int:
    """Stage the rows of a file as its format makes them ours; says what had no home."""
    said = job.source_format
    known = chosen_format(resource.formats, job.source_header, said) if said else None
    if known is None:
        return stage_rows(job, rows, len(job.header))
    translation = known.translation(job.source_header)
    count = stage_rows(job, translation.rows(rows), len(job.header))
    columns = {name: f"c{place}" for place, name in enumerate(translation.header)}
    with connection.cursor() as cursor:
        for statement in translation.settled(job.stage("raw"), columns):
            cursor.execute(statement)
    job.left_out = sorted(translation.left_out.items(), key=lambda item: (-item[1], item[0]))
    return count


def refuse_foreign(resource: Resource, job: ImportJob) -> None:
    """Raises FileRefused, in words, for what is a file of something else."""
    if job.source_format:
        return
    has_key = resource.key() in job.mapping
    for kind in resource.foreign_files:
        if (kind.always or not has_key) and (told_by := kind.told_by(job.header)):
            raise FileRefused(kind.refusal(told_by))
