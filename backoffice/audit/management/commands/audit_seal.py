import signal
import threading
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, close_old_connections
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.audit.models import SealEvent
from backoffice.audit.seals.exceptions import SealError
from backoffice.audit.seals.publishing import publish_newest
from backoffice.audit.seals.sealing import Outcome, seal_new_entries

# So often a sealer that keeps running looks for what transactions of more than a day left.
THOROUGH_EVERY = timedelta(days=1)


class Command(BaseCommand):
    help = "Seals what is new on the record, signs it and publishes the newest seal."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--every", type=float, metavar="SECONDS", help="keep running, and seal so often"
        )

    def handle(self, *args: Any, every: float | None, **options: Any) -> None:
        if every is None:
            if not self._run(thorough=True):
                raise CommandError(
                    _("A seal was not published. It is tried again at the next run.")
                )
            return
        if every <= 0:
            raise CommandError("--every takes a number of seconds above 0.")
        self._keep_running(every)

    def _keep_running(self, every: float) -> None:
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        searched = None
        while not stop.is_set():
            close_old_connections()
            started = timezone.now()
            thorough = searched is None or started - searched >= THOROUGH_EVERY
            try:
                self._run(thorough=thorough, quiet=True)
                searched = started if thorough else searched
            except DatabaseError as error:
                self.stderr.write(_("The database does not answer; trying again: %s") % error)
            stop.wait(every)

    def _run(self, *, thorough: bool, quiet: bool = False) -> bool:
        """Seal and publish. Returns whether all that was to be published was.

        A quiet run says nothing where nothing was new.
        """
        try:
            outcome = seal_new_entries(thorough=thorough)
            events = publish_newest(patient=quiet)
        except SealError as error:
            raise CommandError(str(error)) from error
        if outcome.last or not quiet:
            self.stdout.write(_in_words(outcome))
            self.stdout.flush()
        for event in events:
            if event.kind == SealEvent.Kind.PUBLISHED:
                self.stdout.write(_("Published to %s.") % event.where)
            else:
                self.stderr.write(
                    _("Not published to %(where)s: %(error)s")
                    % {"where": event.where, "error": event.facts["error"]}
                )
        return all(event.kind == SealEvent.Kind.PUBLISHED for event in events)


def _in_words(outcome: Outcome) -> str:
    if outcome.last:
        entries = ngettext("%d entry", "%d entries", outcome.entries) % outcome.entries
        seals = ngettext("%d seal", "%d seals", outcome.seals) % outcome.seals
        return _("%(entries)s sealed by %(seals)s; the newest is %(seal)s.") % {
            "entries": entries,
            "seals": seals,
            "seal": outcome.last,
        }
    if outcome.busy:
        return _("Another sealer is at work; nothing was done.")
    return _("Nothing is new on the record since the last seal.")
