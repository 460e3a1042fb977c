from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from backoffice.audit.context import Source, audit_context
from backoffice.audit.seals.archiving import archive_history
from backoffice.audit.seals.exceptions import SealError
from backoffice.audit.seals.retention import retention


class Command(BaseCommand):
    help = (
        "Takes sealed history away that is older than AUDIT_RETENTION says: writes it to files, "
        "verifies them against the seals, puts that on the record, and only then deletes it. The "
        "newest row of each object stays. Needs the owner of the tables."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="where the files go; none is overwritten")
        parser.add_argument("--reason", required=True, help="why, for the record")

    def handle(self, *args: Any, folder: Path, reason: str, **options: Any) -> None:
        if not reason.strip():
            raise CommandError(_("--reason takes a text that says why."))
        if not folder.is_dir():
            raise CommandError(_("%s is no folder.") % folder)
        found = False
        try:
            if not retention():
                raise CommandError(
                    _("AUDIT_RETENTION names no model: all history is kept for ever.")
                )
            with audit_context(source=Source.COMMAND, reason=reason):
                for one in archive_history(folder):
                    found = True
                    self.stdout.write(
                        _(
                            "%(rows)d rows of %(model)s: in %(file)s (SHA-256 %(sha256)s), "
                            "%(gone)d of them gone from here; change set %(number)d."
                        )
                        % {
                            "rows": one.rows,
                            "model": one.model._meta.label,
                            "file": one.file,
                            "sha256": one.sha256,
                            "gone": one.removed,
                            "number": one.change_set,
                        }
                    )
        except SealError as error:
            raise CommandError(str(error)) from error
        if not found:
            self.stdout.write(_("Nothing that is sealed is old enough to go."))
