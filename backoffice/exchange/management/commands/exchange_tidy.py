from typing import Any

from django.core.management.base import BaseCommand

from backoffice.exchange.tidying import tidy


class Command(BaseCommand):
    help = "Deletes files past EXCHANGE_KEEP_FILES_DAYS, expired exports and forgotten staged rows."

    def handle(self, *args: Any, **options: Any) -> None:
        tidied = tidy()
        self.stdout.write(
            f"Deleted: files of {tidied.files} imports, staged rows of {tidied.stages} imports, "
            "exports that had expired."
        )
