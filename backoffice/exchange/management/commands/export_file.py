import json
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldError, ValidationError
from django.core.management.base import BaseCommand, CommandError

from backoffice.exchange.exceptions import ExchangeError
from backoffice.exchange.exporting import export_rows, exportable_columns
from backoffice.exchange.exporting.template_files import FORMATS, template_file
from backoffice.exchange.models import ExportTemplate, FileFormat
from backoffice.exchange.resources import Resource, get_resource, resource_names


class Command(BaseCommand):
    help = "Writes rows to a file; import_file takes CSV and XLSX back as they are."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("resource", help=f"what to write: {', '.join(resource_names())}")
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--format", choices=FileFormat.values, help="otherwise as the file's name ends, or CSV"
        )
        columns = parser.add_mutually_exclusive_group()
        columns.add_argument(
            "--columns", metavar="NAME,NAME", help="only these, in this order; otherwise all"
        )
        columns.add_argument("--template", metavar="NAME", help="the columns of a saved template")
        columns.add_argument(
            "--template-file", action="store_true", help="no rows, but a file to fill in"
        )
        parser.add_argument(
            "--filter",
            action="append",
            default=[],
            metavar="KEY=VALUE",
            help="only rows that match, such as brand=Contoso or price__gte=10; repeatable",
        )
        parser.add_argument("--user", help="e-mail address of whom to act as, with their rights")
        parser.add_argument("--json", action="store_true", help="one JSON object, for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            resource = get_resource(options["resource"])
            user = self._user(options["user"], resource, for_import=options["template_file"])
            template = self._template(options["template"], resource, user)
            file_format = self._format(options["format"], path, template)
            if options["template_file"]:
                if file_format not in FORMATS:
                    raise CommandError(f"A file to fill in is one of: {', '.join(FORMATS)}.")
                path.write_bytes(template_file(resource, user, file_format))
                self._report(options, 0, f"A file to fill in was written to {path}.")
                return
            rows = self._write(resource, path, file_format, user, template, options)
        except ExchangeError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}.") from error
        except (FieldError, ValidationError, ValueError) as error:
            reasons = getattr(error, "messages", [str(error)])
            raise CommandError(f"--filter: {' '.join(reasons)}") from error
        self._report(options, rows, f"{rows} rows written to {path}.")

    def _write(
        self, resource: Resource, path: Path, file_format: str, user: Any,
        template: ExportTemplate | None, options: dict[str, Any],
    ) -> int:  # fmt: skip
        chosen = self._filters(options["filter"])
        counted: list[int] = []
        blocks = export_rows(
            resource,
            resource.model()._default_manager.filter(**chosen),
            user=user,
            columns=self._columns(options["columns"], resource, user, template),
            file_format=file_format,
            chosen=chosen,
            count=counted.append,
        )
        with path.open("wb") as file:
            file.writelines(blocks)
        return sum(counted)

    def _report(self, options: dict[str, Any], rows: int, text: str) -> None:
        self.stdout.write(json.dumps({"rows": rows}) if options["json"] else text)

    def _columns(
        self, asked: str | None, resource: Resource, user: Any, template: ExportTemplate | None
    ) -> Iterable[str] | None:
        there = exportable_columns(resource, user)
        if template is not None:
            if gone := [name for name in template.columns if name not in there]:
                self.stderr.write(f"Left out, gone or not theirs to see: {', '.join(gone)}.")
            return [name for name in template.columns if name in there]
        if asked is None:
            return None
        names = [name.strip() for name in asked.split(",") if name.strip()]
        if unknown := [name for name in names if name not in there]:
            raise CommandError(
                f"--columns: there is no {', '.join(unknown)}. Choose of: {', '.join(there)}."
            )
        if not names:
            raise CommandError("--columns: name at least one.")
        return names

    @staticmethod
    def _format(asked: str | None, path: Path, template: ExportTemplate | None) -> str:
        by_name = path.suffix.lstrip(".").lower()
        if asked or by_name in FileFormat.values:
            return asked or by_name
        return template.format if template else FileFormat.CSV

    @staticmethod
    def _user(email: str | None, resource: Resource, *, for_import: bool) -> Any:
        if not email:
            return None
        try:
            user = get_user_model().objects.get_by_natural_key(email)
        except get_user_model().DoesNotExist:
            raise CommandError(f"There is no user {email}.") from None
        options = resource.model()._meta
        action = "import" if for_import else "export"
        if not user.has_perm(f"{options.app_label}.{action}_{options.model_name}"):
            raise CommandError(f"{email} may not {action} {options.verbose_name_plural}.")
        return user

    @staticmethod
    def _template(name: str | None, resource: Resource, user: Any) -> ExportTemplate | None:
        if name is None:
            return None
        there = ExportTemplate.objects.filter(resource=resource.name)
        if user is not None:
            there = ExportTemplate.objects.usable_by(user, resource.name)
        found = there.filter(name__iexact=name).first()
        if found is None:
            names = ", ".join(there.values_list("name", flat=True)) or "none yet"
            raise CommandError(f"There is no template “{name}”. There is: {names}.")
        return found

    @staticmethod
    def _filters(pairs: list[str]) -> dict[str, str]:
        filters = {}
        for pair in pairs:
            key, equals, value = pair.partition("=")
            if not equals:
                raise CommandError(f"--filter {pair}: write it as KEY=VALUE.")
            filters[key] = value
        return filters
