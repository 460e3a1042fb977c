"""What a worker does. The argument is a key: the job says what there is to do."""

from django.tasks import task

from .working import work


@task
def work_on_bulk_job(job_id: int, request_id: str = "") -> None:
    """Carry out a bulk action. To run it twice does nothing the second time."""
    work(job_id, request_id)
