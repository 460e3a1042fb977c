from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import FieldError, ValidationError
from django.core.management.base import BaseCommand, CommandError

from backoffice.exchange.exceptions import ExchangeError
from backoffice.exchange.exporting import export_rows
from backoffice.exchange.resources import get_resource, resource_names


class Command(BaseCommand):
    help = "Writes rows to a CSV file that import_file takes back as it is."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("resource", help=f"what to write: {', '.join(resource_names())}")
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--filter",
            action="append",
            default=[],
            metavar="KEY=VALUE",
            help="only rows that match, such as brand=Contoso or price__gte=10; repeatable",
        )
        parser.add_argument("--json", action="store_true", help="one JSON object, for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            resource = get_resource(options["resource"])
            chosen = self._filters(options["filter"])
            rows = resource.model()._default_manager.filter(**chosen)
            count = rows.count()
            with options["file"].open("wb") as file:
                for block in export_rows(resource, rows, user=None, chosen=chosen):
                    file.write(block)
        except ExchangeError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}.") from error
        except (FieldError, ValidationError, ValueError) as error:
            reasons = getattr(error, "messages", [str(error)])
            raise CommandError(f"--filter: {' '.join(reasons)}") from error
        if options["json"]:
            self.stdout.write(f'{{"rows": {count}}}')
        else:
            self.stdout.write(f"{count} rows written to {options['file']}.")

    @staticmethod
    def _filters(pairs: list[str]) -> dict[str, str]:
        filters = {}
        for pair in pairs:
            key, equals, value = pair.partition("=")
            if not equals:
                raise CommandError(f"--filter {pair}: write it as KEY=VALUE.")
            filters[key] = value
        return filters
