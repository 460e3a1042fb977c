"""What a worker does for exports. The argument is a key: the job says what there is to do."""

from django.tasks import task

from backoffice.exchange.exporting.jobs import write_job
from backoffice.exchange.models import ExportJob
from backoffice.exchange.notices import tell_of_export

from .replaying import Selection, find_rows_of_job


@task(queue_name="exchange")
def write_export(job_id: int) -> None:
    """Write the file of an export. To run it twice does nothing the second time."""
    write_job(job_id=job_id, find_rows=find_rows_of_job, told=_told, ended=tell_of_export)


def write_now(job_id: int) -> None:
    """Write it while its user waits, who needs not be told."""
    write_job(job_id=job_id, find_rows=find_rows_of_job, told=_told)


def _told(job: ExportJob) -> dict[str, object]:
    return Selection.of(job).told()
