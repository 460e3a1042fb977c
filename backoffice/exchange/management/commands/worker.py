from argparse import ArgumentParser
from typing import Any

from django_tasks_db.management.commands.db_worker import Command as DatabaseWorker

from backoffice.exchange.housekeeping import Housekeeper


class Command(DatabaseWorker):
    help = (
        "Works on background tasks of all queues, takes up imports whose worker died, runs feeds "
        "that are due, and deletes what is past its time. Takes the options of db_worker."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        # A task can take minutes: to reload in its middle would kill it.
        parser.set_defaults(queue_name="*", reload=False)

    def handle(self, **options: Any) -> None:
        with Housekeeper():
            super().handle(**options)
