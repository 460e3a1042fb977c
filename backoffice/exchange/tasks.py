"""What a worker does. The arguments are keys: the rows that they name say what there is to do."""

from datetime import datetime

from django.db import transaction
from django.tasks import task

from .feeds import run_feed
from .models import ImportFeed
from .notices import tell_of_import
from .services import AT_WORK
from .working import work

QUEUE = "exchange"


@task(queue_name=QUEUE)
def work_on_import(job_id: int, request_id: str = "") -> None:
    """Read or apply an import that was handed over. To run it twice does nothing the second time.

    What is fetched by itself is applied by itself once it is read.
    """
    goes_on = True
    while goes_on:
        with transaction.atomic():
            job = work(job_id, request_id)
            goes_on = job is not None and job.state in AT_WORK
            if job and not goes_on:
                tell_of_import(job)


@task(queue_name=QUEUE)
def fetch_feed(feed_id: int, due: str) -> None:
    """Fetch the file of a feed and import it, if it is another than last time."""
    feed = ImportFeed.objects.select_related("profile", "user").filter(pk=feed_id).first()
    if feed and (job := run_feed(feed, due=datetime.fromisoformat(due))):
        work_on_import.call(job.pk)
