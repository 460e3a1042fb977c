"""Tells of the newest seal outside the machine, where nobody can take it back."""

import os
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar, Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.audit.models import Seal, SealEvent

from .checkpoints import Checkpoint, note, read
from .exceptions import SealError

# One publisher at a time; another has nothing to add.
_LOCK = 0x5EA1ED + 1
_PATIENCE = 10  # seconds that a server has to answer
# Where it failed, a sealer that runs every few seconds waits so long with the next attempt.
AGAIN_AFTER = timedelta(minutes=1)


class Destination(Protocol):
    """A place that keeps checkpoints."""

    # A newer seal vouches for those before it, so one in a while is enough.
    at_most_every: ClassVar[timedelta]

    def send(self, seal: Seal) -> None:
        """Raises OSError, or whatever the transport raises, if the place did not take it."""


@dataclass(frozen=True)
class FileDestination:
    """A file that only grows: on another machine's disk, or one that is written once."""

    path: Path
    at_most_every: ClassVar[timedelta] = timedelta(0)

    def send(self, seal: Seal) -> None:
        with self.path.open("a") as file:
            file.write(f"{note(seal)}\n")
            file.flush()
            os.fsync(file.fileno())


@dataclass(frozen=True)
class MailDestination:
    """Somebody's mailbox, which is not flooded."""

    address: str
    at_most_every: ClassVar[timedelta] = timedelta(hours=1)

    def send(self, seal: Seal) -> None:
        EmailMessage(
            subject=_("Seal %(number)d of the record of %(shop)s")
            % {"number": seal.pk, "shop": settings.SHOP_NAME},
            body=_(
                "Keep this message. It proves what the record held, for as long as you have it: "
                "save it to a file and give that to `manage.py audit_verify --checkpoints FILE`."
            )
            + f"\n\n{note(seal)}",
            to=[self.address],
        ).send()


@dataclass(frozen=True)
class WebDestination:
    """A server that takes the note by POST and answers with success once it has kept it."""

    url: str
    at_most_every: ClassVar[timedelta] = timedelta(0)

    def send(self, seal: Seal) -> None:
        parts = urlsplit(self.url)
        who, _at, host = parts.netloc.rpartition("@")
        headers = {"Content-Type": "text/plain; charset=utf-8", "User-Agent": "Stockbook"}
        if who:
            headers["Authorization"] = f"Basic {b64encode(unquote(who).encode()).decode()}"
        request = Request(  # noqa: S310 - destination_of() lets nothing but HTTP through
            parts._replace(netloc=host).geturl(), data=note(seal).encode(), headers=headers
        )
        with build_opener(_NoRedirects).open(request, timeout=_PATIENCE):
            pass


class _NoRedirects(HTTPRedirectHandler):
    """A note goes where the setting says, or nowhere: elsewhere it would arrive without its text.

    Nor may whoever answers there send our server to addresses inside our network.
    """

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def destination_of(url: str) -> Destination:
    """What an address in AUDIT_PUBLISH stands for. Raises SealError for one of another kind."""
    parts = urlsplit(url)
    match parts.scheme:
        case "file" if parts.netloc in ("", "localhost") and parts.path:
            return FileDestination(Path(unquote(parts.path)))
        case "mailto" if "@" in parts.path:
            return MailDestination(unquote(parts.path))
        case "http" | "https" if parts.netloc:
            return WebDestination(url)
    raise SealError(
        _(
            "AUDIT_PUBLISH names %(url)s. It takes file:///folder/file, mailto:address and "
            "https://server/path, separated by commas."
        )
        % {"url": url}
    )


def publish_newest(*, patient: bool = False) -> list[SealEvent]:
    """Send the newest seal to every place in AUDIT_PUBLISH that has not got it.

    What fails is noted, and tried again at the next run, with the seal that is the newest then:
    it vouches for the others; a patient run waits a minute before. Returns what happened. A crash
    in between can send one twice.
    """
    events: list[SealEvent] = []
    for url in settings.AUDIT_PUBLISH:
        destination = destination_of(url)
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            # Held while the other side is waited for, since nobody waits for this lock.
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
            seal = Seal.objects.order_by("-id").first() if cursor.fetchone()[0] else None
            if seal and _is_due(seal, url, destination) and not (patient and _failed_just_now(url)):
                events.append(_publish(seal, url, destination))
    return events


def _is_due(seal: Seal, url: str, destination: Destination) -> bool:
    published = SealEvent.objects.filter(kind=SealEvent.Kind.PUBLISHED, where=_shown(url))
    last = published.order_by("-id").first()
    if last is None:
        return True
    return last.seal_id != seal.pk and last.at <= timezone.now() - destination.at_most_every


def _failed_just_now(url: str) -> bool:
    return SealEvent.objects.filter(
        kind=SealEvent.Kind.PUBLICATION_FAILED,
        where=_shown(url),
        at__gt=timezone.now() - AGAIN_AFTER,
    ).exists()


def _publish(seal: Seal, url: str, destination: Destination) -> SealEvent:
    kind, facts = SealEvent.Kind.PUBLISHED, {"hash": seal.hash}
    try:
        destination.send(seal)
    # Whatever a mail server or a disk has to say: the record must know that it was not published.
    except Exception as error:  # noqa: BLE001
        kind = SealEvent.Kind.PUBLICATION_FAILED
        facts["error"] = _in_words(error)
    return SealEvent.objects.create(kind=kind, seal=seal, where=_shown(url), facts=facts)


def _in_words(error: Exception) -> str:
    if isinstance(error, HTTPError) and 300 <= error.code < 400:
        return _("the server sends us elsewhere (%d): name that address instead") % error.code
    reason = error.reason if isinstance(error, URLError) else error
    return str(reason) or type(error).__name__


def _shown(url: str) -> str:
    """The address without what may be secret in it: a password, or a token in the query."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    shown = parts._replace(netloc=host, query="", fragment="").geturl()
    # Two addresses that differ in their secret alone are two places all the same.
    return shown if shown == url else f"{shown}#{sha256(url.encode()).hexdigest()[:8]}"


def checkpoints_at_hand() -> Iterable[Checkpoint]:
    """Those in the files of AUDIT_PUBLISH that are there."""
    for url in settings.AUDIT_PUBLISH:
        destination = destination_of(url)
        if isinstance(destination, FileDestination) and destination.path.exists():
            yield from read(destination.path.read_text(errors="replace"))
