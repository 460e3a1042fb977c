"""What a worker does. The arguments are keys: the rows that they name say what there is to do."""

from django.tasks import task

from .notices import tell_the_user
from .services import AT_WORK
from .working import work

QUEUE = "exchange"


@task(queue_name=QUEUE)
def work_on_import(job_id: int, request_id: str = "") -> None:
    """Read or apply an import that was handed over. To run it twice does nothing the second time.

    What is fetched by itself is applied by itself once it is read.
    """
    job = work(job_id, request_id)
    while job and job.state in AT_WORK:
        job = work(job_id, request_id)
    if job:
        tell_the_user(job)
