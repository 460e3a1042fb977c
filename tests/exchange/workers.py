"""How tests hand work to a worker, which runs in their own process."""

from typing import Any

from django.test import Client
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from backoffice.exchange.models import ImportJob
from tests.console.pages import page

from .pages import upload

State = ImportJob.State
ROWS = "sku,name,price\nA,Cup,2\nB,Mug,2\n"


def run_worker() -> None:
    """Do what is in the queue, as db_worker does; its loop would close the test's connection."""
    worker = Worker(
        queue_names=["*"], interval=0, batch=True, backend_name="default", startup_delay=False,
        max_tasks=None, worker_id="test", excluded_queue_names=[],
    )  # fmt: skip
    for task in DBTaskResult.objects.ready():
        task.claim("test")
        worker.run_task(task)


def uploaded(client: Client, content: str = ROWS) -> ImportJob:
    assert upload(client, content).status_code == 302
    return ImportJob.objects.latest("pk")


def checked(client: Client, content: str = ROWS) -> ImportJob:
    job = uploaded(client, content)
    run_worker()
    job.refresh_from_db()
    assert job.state == State.CHECKED
    return job


def apply(client: Client, job: ImportJob) -> Any:
    return client.post(page("exchange_importjob_apply", job.pk), {"reason": "March"})


def told(client: Client, job: ImportJob) -> dict[str, Any]:
    response = client.get(page("exchange_importjob_progress", job.pk))
    assert response.status_code == 200
    return dict(response.json())
