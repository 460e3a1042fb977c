from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from backoffice.audit.seals.keys import make_key


class Command(BaseCommand):
    help = "Makes a key pair to sign seals with. Never overwrites a key."
    # A key may be wanted before there is a database, or a setting that names the key.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", type=Path, help="for the private key; the public one is FILE.pub"
        )

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            public = make_key(file)
        except FileExistsError:
            raise CommandError(
                _("%s is there already, and a lost key cannot be had back. Name another file.")
                % file
            ) from None
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}.") from error
        self.stdout.write(
            _(
                "The private key is in %(private)s. Keep it where neither the database nor its "
                "administrators can read it, and set AUDIT_SIGNING_KEY=%(private)s for audit_seal."
                "\nThe public key is in %(public)s. Give it to whoever verifies; they set "
                "AUDIT_PUBLIC_KEYS to it, after those of former keys."
            )
            % {"private": file, "public": public}
        )
