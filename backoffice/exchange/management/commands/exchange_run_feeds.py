from typing import Any

from django.core.management.base import BaseCommand

from backoffice.exchange.scheduling import hand_over_due_feeds


class Command(BaseCommand):
    help = "Has workers run the feeds that are due; `manage.py worker` does so by itself."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"Feeds handed to workers: {hand_over_due_feeds()}.")
