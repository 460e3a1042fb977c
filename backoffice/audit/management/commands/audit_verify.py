import json
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.audit.models import Archive
from backoffice.audit.seals.checkpoints import Checkpoint, read
from backoffice.audit.seals.exceptions import SealError
from backoffice.audit.seals.findings import Finding
from backoffice.audit.seals.publishing import checkpoints_at_hand
from backoffice.audit.seals.state import note_verification
from backoffice.audit.seals.verifying import Verification
from backoffice.audit.wording import moment_in_words

# So many findings --json names one by one; the rest it counts.
_NAMED = 10_000


class Command(BaseCommand):
    help = (
        "Computes everything that was ever sealed once more, compares it with the seals, their "
        "signatures and the published checkpoints, and names what was altered. Exit status 1 if "
        "anything is wrong."
    )
    # A trigger that is off is a finding, with the rest of them, and no reason not to look.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object, for programs")
        parser.add_argument(
            "--checkpoints",
            type=Path,
            action="append",
            default=[],
            metavar="FILE",
            help="checkpoints that were kept outside; those in files of AUDIT_PUBLISH are read too",
        )
        parser.add_argument(
            "--since", type=int, default=1, metavar="SEAL", help="leave out the seals before this"
        )
        parser.add_argument(
            "--archived-before",
            type=int,
            default=0,
            metavar="SEAL",
            help="history under the seals before this may be gone; what is there is verified",
        )
        parser.add_argument(
            "--archive",
            action="append",
            default=[],
            metavar="TABLE=FILE",
            help="history that was copied out to a CSV file and deleted: it is verified as well; "
            "may be given several times",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        if options["since"] < 1:
            raise CommandError("--since takes the number of a seal, from 1 on.")
        findings: list[Finding] = []
        found = 0
        archives: dict[str, list[Path]] = {}
        for table, path in map(_table_and_file, options["archive"]):
            archives.setdefault(table, []).append(path)
        try:
            verification = Verification(
                since=options["since"],
                checkpoints=[*checkpoints_at_hand(), *_from_files(options["checkpoints"])],
                archived_before=options["archived_before"],
                archives=archives,
            )
            for finding in verification.findings():
                found += 1
                if len(findings) < _NAMED:
                    findings.append(finding)
                if not options["json"]:
                    self.stdout.write(finding.message)
        except SealError as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(_("The record cannot be read as it is: %s") % error) from error
        if verification.last is None and not found:
            raise CommandError(
                _("There is no seal, so nothing can be verified. Seal the record: audit_seal.")
            )
        seconds = round(time.monotonic() - started, 3)
        if not note_verification(verification, found, findings, seconds):
            self.stderr.write(_("This verification could not be noted: the database is read-only."))
        if options["json"]:
            report = {
                "verified": not found,
                **_report(verification, seconds),
                "found": found,
                "findings": [finding.as_dict() for finding in findings],
            }
            self.stdout.write(json.dumps(report, ensure_ascii=False))
        else:
            self._conclude(verification, found, seconds)
        if found:
            raise SystemExit(1)

    def _conclude(self, verification: Verification, found: int, seconds: float) -> None:
        self.stdout.write(
            _("%(seals)d seals, %(entries)d entries, %(rows)d history rows; %(seconds)s seconds.")
            % {
                "seals": verification.seals,
                "entries": verification.entries,
                "rows": verification.rows,
                "seconds": seconds,
            }
        )
        if verification.archived:
            text = ngettext(
                "%d archived history row is not here any more.",
                "%d archived history rows are not here any more.",
                verification.archived,
            )
            self.stdout.write(text % verification.archived)
        for archive in verification.archived_by:
            self.stdout.write("  " + _archive_in_words(archive))
        waiting = verification.unsealed
        if waiting.count and waiting.oldest:
            text = ngettext(
                "%(count)d entry is under no seal yet, for %(age)s. Seal it: audit_seal.",
                "%(count)d entries are under no seal yet, the oldest for %(age)s. Seal them: "
                "audit_seal.",
                waiting.count,
            )
            self.stdout.write(text % {"count": waiting.count, "age": timesince(waiting.oldest)})
        if found:
            text = ngettext("%d thing is wrong.", "%d things are wrong.", found)
            self.stdout.write(self.style.ERROR(text % found))
        else:
            self.stdout.write(self.style.SUCCESS(_("All is as it was sealed.")))


def _from_files(paths: list[Path]) -> list[Checkpoint]:
    checkpoints: list[Checkpoint] = []
    for path in paths:
        try:
            read_here = list(read(path.read_text(errors="replace")))
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}.") from error
        if not read_here:
            raise CommandError(_("%s holds no checkpoint.") % path)
        checkpoints += read_here
    return checkpoints


def _table_and_file(text: str) -> tuple[str, Path]:
    table, equals, path = text.partition("=")
    if not equals:
        raise CommandError("--archive takes TABLE=FILE.")
    return table, Path(path)


def _archive_in_words(archive: Archive) -> str:
    event = archive.change_set
    return _(
        "%(action)s (change set %(number)d, %(time)s, by %(who)s: %(reason)s; %(file)s, "
        "SHA-256 %(sha256)s)"
    ) % {
        "action": event.action,
        "number": event.pk,
        "time": moment_in_words(event.at),
        "who": event.who,
        "reason": event.reason,
        "file": event.facts.get("file"),
        "sha256": event.facts.get("sha256"),
    }


def _report(verification: Verification, seconds: float) -> dict[str, Any]:
    waiting = verification.unsealed
    age = (timezone.now() - waiting.oldest).total_seconds() if waiting.oldest else None
    return {
        "since": verification.since,
        "last_seal": verification.last.pk if verification.last else None,
        "seals": verification.seals,
        "entries": verification.entries,
        "rows": verification.rows,
        "archived": verification.archived,
        "archives": [
            {"change_set": archive.change_set_id, **archive.change_set.facts}
            for archive in verification.archived_by
        ],
        "seconds": seconds,
        "unsealed": {
            "entries": waiting.count,
            "oldest": waiting.oldest.isoformat() if waiting.oldest else None,
            "oldest_age_seconds": age,
        },
    }
