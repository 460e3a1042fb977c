"""A supplier's file from an address, without letting the address reach into our own network.

A name is resolved once for each hop; every address that it stands for must be public, and the
connection goes to the one that was looked at, so that no second answer can lead elsewhere.
"""

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from threading import Timer
from typing import IO, Any
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from .exceptions import FeedRefused

type Resolve = Callable[[str, int], Sequence[str]]

_REDIRECTS = 5
_CHUNK = 1 << 16
_PATIENCE = 20  # seconds without a word from the server
_REDIRECTING = frozenset({301, 302, 303, 307, 308})
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_IPV4_COMPATIBLE = ipaddress.ip_network("::/96")


@dataclass(frozen=True)
class _Place:
    """Where one hop goes, its name in the form that certificates and headers have it."""

    url: str
    scheme: str
    host: str
    port: int
    path: str


def check_url(url: str) -> None:
    """Raises FeedRefused for what is no address of a file on the web."""
    _place(url)


def fetch(url: str, into: IO[bytes], resolve: Resolve | None = None) -> str:
    """Write what the address holds into a file, and return the file's name.

    Raises FeedRefused, with what to do about it.
    """
    place, deadline = _place(url), time.monotonic() + settings.EXCHANGE_FEED_SECONDS
    for _hop in range(_REDIRECTS + 1):
        address = _checked_address(place.host, place.port, resolve or _resolve)
        try:
            with _answer(place, address, deadline) as response:
                if response.status not in _REDIRECTING:
                    _keep(response, into, deadline)
                    return unquote(PurePosixPath(urlsplit(place.url).path).name) or "feed.csv"
                target = urljoin(place.url, response.headers.get("Location", ""))
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise FeedRefused(
                _(
                    "%(host)s did not give the file: %(error)s. Try again later, or ask the "
                    "supplier."
                )
                % {"host": place.host, "error": _in_words(error, deadline)}
            ) from error
        following = _place(target)
        if place.scheme == "https" and following.scheme == "http":
            raise FeedRefused(
                _("%(host)s leads from https to http, which is not followed.")
                % {"host": place.host}
            )
        place = following
    raise FeedRefused(_("%(host)s leads elsewhere again and again.") % {"host": place.host})


def _place(url: str) -> _Place:
    try:
        parts = urlsplit(url)
        port, host = parts.port, (parts.hostname or "").encode("idna").decode()
    except ValueError as error:  # which UnicodeError is one of
        raise FeedRefused(_("“%(url)s” is not an address.") % {"url": url}) from error
    if parts.scheme not in {"http", "https"} or not host:
        raise FeedRefused(_("An address begins with https:// (or http://) and names a server."))
    if parts.username or parts.password:
        raise FeedRefused(
            _("Leave user name and password out of the address: it is shown and kept on record.")
        )
    return _Place(
        url, parts.scheme, host, port or (443 if parts.scheme == "https" else 80), _path(parts)
    )


def _path(parts: SplitResult) -> str:
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.isascii() or any(not sign.isprintable() or sign == " " for sign in path):
        raise FeedRefused(_("Write spaces and special signs of an address as %20 and the like."))
    return path


def _resolve(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_rest, address in found]


def _checked_address(host: str, port: int, resolve: Resolve) -> str:
    try:
        addresses = resolve(host, port)
    except (OSError, UnicodeError) as error:
        raise FeedRefused(
            _("There is no server %(host)s. Check the address.") % {"host": host}
        ) from error
    if host.lower() not in {name.lower() for name in settings.EXCHANGE_FEED_ALLOWED_HOSTS} and (
        not addresses or not all(is_public(address) for address in addresses)
    ):
        raise FeedRefused(
            _(
                "%(host)s is in a private network, from which nothing is fetched. If it is meant, "
                "name it in EXCHANGE_FEED_ALLOWED_HOSTS."
            )
            % {"host": host}
        )
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet, also where it hides another."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            return is_public(str(found.ipv4_mapped))
        if found in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)))
        if found.sixtofour or found.teredo or found in _IPV4_COMPATIBLE:
            return False
    return found.is_global and not found.is_multicast


class _Connection(http.client.HTTPConnection):
    """To an address that was looked at; Host and certificate are those of the name."""

    def __init__(self, place: _Place, address: str) -> None:
        super().__init__(place.host, place.port, timeout=_PATIENCE)
        self.place, self.address = place, address
        if place.scheme == "https":
            self.default_port = http.client.HTTPS_PORT

    def connect(self) -> None:
        self.sock: Any = socket.create_connection((self.address, self.port), self.timeout)
        if self.place.scheme == "https":
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self.host)


@contextmanager
def _answer(place: _Place, address: str, deadline: float) -> Iterator[http.client.HTTPResponse]:
    connection = _Connection(place, address)

    def cut() -> None:
        """A server whose headers come byte by byte would hold us for ever."""
        with suppress(OSError, AttributeError):  # not connected yet, or not any more
            connection.sock.shutdown(socket.SHUT_RDWR)

    timer = Timer(max(0.0, deadline - time.monotonic()), cut)
    timer.daemon = True
    timer.start()
    try:
        headers = {"User-Agent": "Stockbook", "Accept": "*/*", "Accept-Encoding": "identity"}
        connection.request("GET", place.path, headers=headers)
        with connection.getresponse() as response:
            yield response
    finally:
        timer.cancel()
        connection.close()


def _keep(response: http.client.HTTPResponse, into: IO[bytes], deadline: float) -> None:
    if response.status != http.HTTPStatus.OK:
        raise http.client.HTTPException(f"{response.status} {response.reason}")
    told, size = response.length, 0
    while chunk := response.read1(_CHUNK):
        size += len(chunk)
        if size > settings.EXCHANGE_MAX_BYTES:
            raise too_large()
        if time.monotonic() > deadline:
            raise TimeoutError
        into.write(chunk)
    # What is cut off by the deadline or the network must not be taken for the whole list.
    if (told is not None and size < told) or time.monotonic() > deadline:
        raise http.client.IncompleteRead(b"", (told or size) - size)


def too_large() -> FeedRefused:
    return FeedRefused(
        _("The file is larger than %(limit)s MB. Split it, or raise EXCHANGE_MAX_BYTES.")
        % {"limit": settings.EXCHANGE_MAX_BYTES // 10**6}
    )


def _in_words(error: Exception, deadline: float) -> str:
    if isinstance(error, TimeoutError) or time.monotonic() > deadline:
        return _("it took too long")
    if isinstance(error, ssl.SSLCertVerificationError):
        return _("its certificate is not valid (%(why)s)") % {"why": error.verify_message}
    if isinstance(error, http.client.IncompleteRead):
        return _("the connection broke off")
    return str(error) or type(error).__name__
