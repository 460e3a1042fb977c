from typing import Any

from django.core.management.base import BaseCommand

from backoffice.exchange.background import reap_all


class Command(BaseCommand):
    help = "Takes up imports whose worker died; `manage.py worker` does so every minute."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"Imports that had lost their worker: {reap_all()}.")
