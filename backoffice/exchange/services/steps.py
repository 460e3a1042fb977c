"""What stands between a file and its plan; the callers hold the job and save it."""

from django.utils.translation import gettext as _

from backoffice.exchange.compiling import hidden_columns
from backoffice.exchange.currencies import other_currency
from backoffice.exchange.exceptions import FileRefused
from backoffice.exchange.guessing import drop_false_version, guess
from backoffice.exchange.models import ImportJob
from backoffice.exchange.planning import make_plan
from backoffice.exchange.read_as import settle_reading
from backoffice.exchange.reading import read_rows, unpacked
from backoffice.exchange.resources import Resource, get_resource
from backoffice.exchange.staging import dialect_of, is_staged, open_file
from backoffice.exchange.translating import stage_translated
from backoffice.progress import report


def read_and_plan(job: ImportJob, declared: Resource) -> None:
    """Stage the rows unless they are there, and plan them if it is clear which is the key."""
    is_new = not is_staged(job)
    stage(job)
    if not job.rows:
        raise FileRefused(
            _("The file has a header and no rows below it. Export it again, with rows.")
        )
    if is_new:
        look_at_content(job, declared)
    if declared.key() in job.mapping:
        plan(job, declared)


def look_at_content(job: ImportJob, declared: Resource) -> None:
    """What the cells tell of the columns, where nobody has chosen them yet."""
    if job.profile is None:
        drop_false_version(job)
        job.guesses = guess(job, declared)


def stage(job: ImportJob) -> None:
    """Put the rows of the file into a table, unless they are there."""
    # A crash of the database empties unlogged tables; the file is still there.
    if is_staged(job):
        return
    with open_file(job) as file, unpacked(file, job.sheet) as source:
        dialect = dialect_of(job)
        report(_("Reading the file"), total=job.size, probe=lambda _cursor: file.tell())
        job.rows = stage_translated(job, get_resource(job.resource), read_rows(source, dialect))


def plan(job: ImportJob, declared: Resource) -> None:
    """Find what the file would do to the data as they are now."""
    stage(job)
    # A right to see a column may have been taken away since it was mapped.
    hidden = hidden_columns(declared, job.user)
    job.mapping = {target: i for target, i in job.mapping.items() if target not in hidden}
    job.constants = {target: v for target, v in job.constants.items() if target not in hidden}
    settle_reading(job, declared)
    make_plan(job, declared)
    job.summary["currency"] = other_currency(job, declared)
    job.state = ImportJob.State.CHECKED
