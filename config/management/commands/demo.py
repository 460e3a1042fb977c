import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from backoffice.accounts.models import User
from backoffice.audit.models import Seal, SealEvent
from config import sample_shop
from config.serving import Server, ServerError, Worker, free_port
from inventory.models import Product

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Command(BaseCommand):
    help = "Set up the sample shop with one user per role, and serve it on this machine."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to serve on")
        parser.add_argument("--port", type=int, default=8000, help="the next free one if taken")
        parser.add_argument("--no-serve", action="store_true", help="prepare the shop only")

    def handle(self, *, host: str, port: int, no_serve: bool, **_: Any) -> None:
        if not settings.DEMO_ALLOWED:
            raise CommandError(
                "The demo makes users whose password is published, so it does not run under "
                "these settings. Use DJANGO_SETTINGS_MODULE=config.settings.development."
            )
        with _stopping_in_order():
            people = self._prepare()
            if not no_serve:
                self._serve(host, port, people)

    def _prepare(self) -> list[User]:
        if os.environ.get("DATABASE_URL") and sample_shop.is_somebody_elses_database():
            raise CommandError(
                "People work with the database in DATABASE_URL already, and the demo would add "
                "users whose password is published. Name an empty one, or none at all."
            )
        self.stdout.write("Preparing the database ...")
        call_command("migrate", verbosity=0, interactive=False)
        people = sample_shop.make_people()
        self.stdout.write("Looking for the sample catalogue ...")
        if sample_shop.fill_catalogue(actor=people[0]):
            self.stdout.write(f"Brought in; it has {Product.objects.count()} products.")
        else:
            self.stdout.write("It is here already; nothing was changed.")
        self._seal()
        return people

    def _seal(self) -> None:
        """So that the page of the seals and the dashboard have something to show."""
        self.stdout.write("Sealing and verifying the record ...")
        try:
            call_command("audit_seal", stdout=StringIO())
            verified = SealEvent.objects.filter(kind=SealEvent.Kind.VERIFIED)
            if not verified.filter(seal=Seal.objects.latest("pk")).exists():
                call_command("audit_verify", stdout=StringIO())
        # The shop can be looked at all the same.
        except CommandError as error:
            self.stdout.write(str(error))
        except SystemExit:
            self.stdout.write("It is not what was sealed: see manage.py audit_verify.")

    def _serve(self, host: str, wanted_port: int, people: list[User]) -> None:
        try:
            port = free_port(host, wanted_port)
            if port != wanted_port:
                self.stdout.write(f"Port {wanted_port} is in use; taking {port} instead.")
            with Server(host, port) as server, Worker(server.address):
                sign_ins = self._sign_ins(people)
                server.wait_until_up()
                self.stdout.write(
                    f"\nStockbook is ready at {self.style.SUCCESS(server.address)}\n\n"
                    f"{sign_ins}\n\n"
                    "Press Ctrl-C to stop. What you change is kept for the next time.\n"
                )
                self.stdout.flush()
                server.wait_until_down()
        except (OSError, ServerError) as error:
            raise CommandError(str(error)) from error

    def _sign_ins(self, people: list[User]) -> str:
        rows = [("E-mail", "Password", "Role")]
        for person, user in zip(sample_shop.PEOPLE, people, strict=True):
            known = sample_shop.still_signs_in(user)
            password = sample_shop.PASSWORD if known else "(changed since)"
            rows.append((person.email, password, person.role.value))
        widths = [max(len(row[column]) for row in rows) for column in range(2)]
        return "\n".join(f"  {row[0]:{widths[0]}}  {row[1]:{widths[1]}}  {row[2]}" for row in rows)


@contextmanager
def _stopping_in_order() -> Iterator[None]:
    """Let SIGTERM and a closed terminal stop us as Ctrl-C does, and none of them by a traceback."""
    handlers = {number: signal.signal(number, _stop) for number in STOPS}
    try:
        yield
    except KeyboardInterrupt:
        # The handlers stay: the embedded database is stopped at the very end of this process.
        raise SystemExit(0) from None
    except BaseException:
        _restore(handlers)
        raise
    _restore(handlers)


def _stop(*_: object) -> None:
    for number in STOPS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _restore(handlers: dict[signal.Signals, Any]) -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler)
