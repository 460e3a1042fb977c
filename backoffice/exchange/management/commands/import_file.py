import json
import sys
import time
from argparse import ArgumentParser
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from backoffice.audit.reasons import said
from backoffice.exchange.choices import decide
from backoffice.exchange.exceptions import ExchangeError, ReasonMissing, RowsInvalid
from backoffice.exchange.models import ImportJob
from backoffice.exchange.preview import preview_rows
from backoffice.exchange.read_as import ReadAs
from backoffice.exchange.reading import ENCODINGS
from backoffice.exchange.resources import get_resource, resource_names
from backoffice.exchange.services import apply_import, import_file, keep_failed_rows
from backoffice.progress import TerminalTeller

_SHOWN = 20


class Command(BaseCommand):
    help = (
        "Checks a file against the data and says what importing it would do; with --apply, does "
        "it. Exit status 1 if the file is refused or rows are invalid."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("resource", help=f"what it holds: {', '.join(resource_names())}")
        parser.add_argument("file", type=Path)
        parser.add_argument("--apply", action="store_true", help="write what the check finds")
        parser.add_argument("--reason", default="", help="why; needed with --apply")
        parser.add_argument(
            "--valid-rows-only", action="store_true", help="write the valid rows, leave the others"
        )
        parser.add_argument(
            "--overwrite-conflicts",
            action="store_true",
            help="write rows too that somebody changed since the file was exported",
        )
        parser.add_argument(
            "--confirm-deactivation",
            action="store_true",
            help="deactivate what is not in a full list, even if that is more than half",
        )
        reading = parser.add_argument_group("how to read the file, where that is not found out")
        reading.add_argument("--encoding", default="", metavar="NAME", help=", ".join(ENCODINGS))
        reading.add_argument("--delimiter", default="", metavar="SIGN", help="\\t is a tab")
        reading.add_argument("--sheet", default="", metavar="NAME", help="of a workbook")
        header = reading.add_mutually_exclusive_group()
        header.add_argument("--no-header", action="store_true", help="the first row is data")
        header.add_argument("--header-line", type=int, default=0, metavar="LINE")
        reading.add_argument("--decimal-sign", default="", choices=["", ".", ","])
        reading.add_argument(
            "--date-order", default="", choices=["", *ImportJob.DateOrder.values[1:]]
        )
        parser.add_argument("--profile", default="", metavar="NAME", help="whose choices to use")
        parser.add_argument("--user", help="e-mail address of whom to act as, with their rights")
        parser.add_argument("--json", action="store_true", help="one JSON object, for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        # Only for whoever looks on: in a log or a pipe it would be noise.
        with TerminalTeller(sys.stderr) if sys.stderr.isatty() else nullcontext():
            job, seconds = self._bring_in(options)
        self._tell(job, seconds, options)

    def _bring_in(self, options: Any) -> tuple[ImportJob, float]:
        started = time.monotonic()
        try:
            if options["apply"] and not said(options["reason"]):
                raise ReasonMissing
            job = import_file(
                resource=options["resource"],
                path=options["file"],
                user=self._user(options["user"]),
                apply=False,
                profile=options["profile"],
                read_as=ReadAs(
                    encoding=options["encoding"],
                    delimiter=options["delimiter"],
                    sheet=options["sheet"],
                    has_header=False if options["no_header"] else None,
                    header_line=options["header_line"],
                    decimal_sign=options["decimal_sign"],
                    date_order=options["date_order"],
                ),
            )
            decisions = {
                name: options[name] for name in ("overwrite_conflicts", "confirm_deactivation")
            }
            if any(decisions.values()):
                job = decide(job=job, **decisions)
            if options["apply"] and (options["valid_rows_only"] or not job.invalid):
                job = apply_import(
                    job=job,
                    reason=options["reason"],
                    valid_rows_only=options["valid_rows_only"],
                )
            elif job.left:
                job = keep_failed_rows(job=job)
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}.") from error
        except ExchangeError as error:
            if options["json"]:
                self.stdout.write(json.dumps({"error": str(error)}, ensure_ascii=False))
                raise SystemExit(1) from error
            raise CommandError(str(error)) from error
        return job, round(time.monotonic() - started, 3)

    def _tell(self, job: ImportJob, seconds: float, options: Any) -> None:
        report = self._report(job, seconds)
        if options["apply"] and job.state != ImportJob.State.APPLIED:
            report["error"] = str(RowsInvalid(job.invalid))
        if options["json"]:
            self.stdout.write(json.dumps(report, ensure_ascii=False))
        else:
            self._write(job, report)
            if "error" in report:
                raise CommandError(report["error"])
        if job.invalid:
            raise SystemExit(1)

    @staticmethod
    def _user(email: str | None) -> Any:
        if not email:
            return None
        try:
            return get_user_model().objects.get_by_natural_key(email)
        except get_user_model().DoesNotExist:
            raise CommandError(f"There is no user {email}.") from None

    @staticmethod
    def _report(job: ImportJob, seconds: float) -> dict[str, Any]:
        return {
            "job": job.pk,
            "state": job.state,
            "rows": job.rows,
            "new": job.new,
            "changed": job.changed,
            "unchanged": job.unchanged,
            "invalid": job.invalid,
            "conflicts": job.conflicts,
            "change_set": job.change_set_id,
            "seconds": seconds,
            "errors_file": job.errors_file.path if job.errors_file else None,
        }

    def _write(self, job: ImportJob, report: dict[str, Any]) -> None:
        done = "Applied" if job.state == ImportJob.State.APPLIED else "Checked, nothing written"
        in_conflict = f", {job.conflicts} in conflict" if job.conflicts else ""
        self.stdout.write(
            f"{done}: {job.rows} rows, {job.new} new, {job.changed} changed, "
            f"{job.unchanged} unchanged, {job.invalid} invalid{in_conflict} "
            f"({report['seconds']} s)."
        )
        if job.state == ImportJob.State.CHECKED:
            resource = get_resource(job.resource)
            for row in preview_rows(job, resource, status="invalid", limit=_SHOWN):
                for problem in row.problems:
                    where = f"line {row.line}, {problem.column or 'row'}"
                    self.stderr.write(f"  {where}: {problem.message}")
            if job.invalid > _SHOWN:
                self.stderr.write(f"  ... and {job.invalid - _SHOWN} more invalid rows.")
        if report["errors_file"]:
            self.stdout.write(
                f"The rows that were left out, with the reasons: {report['errors_file']}"
            )
