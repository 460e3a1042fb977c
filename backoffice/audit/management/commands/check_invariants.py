import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.audit.invariants import invariants


class Command(BaseCommand):
    help = "Searches for whatever must never be. Names each case; exit status 1 if there is one."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object, for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        found: dict[str, list[str]] = {}
        for invariant in invariants():
            found[invariant.code] = list(invariant.search())
            if not options["json"]:
                self._write(f"{invariant.code}: {invariant.promise}", found[invariant.code])
        if options["json"]:
            self.stdout.write(json.dumps(found, ensure_ascii=False))
        if any(found.values()):
            raise SystemExit(1)

    def _write(self, promise: str, broken: list[str]) -> None:
        if not broken:
            self.stdout.write(f"{promise}: {_('holds')}")
            return
        cases = ngettext("broken by %d case", "broken by %d cases", len(broken)) % len(broken)
        self.stdout.write(self.style.ERROR(f"{promise}: {cases}"))
        for line in broken:
            self.stdout.write(f"  {line}")
