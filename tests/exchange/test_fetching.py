"""Files from addresses, and what an address must not reach."""

import io
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from backoffice.exchange.exceptions import FeedRefused
from backoffice.exchange.fetching import fetch, is_public

CSV = b"sku,name,price\nA,Cup,1.50\n"


class Server:
    """A supplier's server: what it answers, and what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[tuple[str, str]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append((self.headers["Host"], self.path))
                status, headers, body = server.answers.get(self.path, (404, {}, b""))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.httpd.server_port
        threading.Thread(target=self.httpd.serve_forever, daemon=True).start()

    def url(self, path: str, host: str = "supplier.test") -> str:
        return f"http://{host}:{self.port}{path}"


@pytest.fixture
def server(settings: Any) -> Iterator[Server]:
    settings.EXCHANGE_FEED_ALLOWED_HOSTS = ["supplier.test"]
    server = Server()
    yield server
    server.httpd.shutdown()
    server.httpd.server_close()


def to(*addresses: str) -> Callable[[str, int], list[str]]:
    """A resolver that gives one address after the other, as who rebinds a name does."""
    left = [*addresses]
    return lambda host, port: [left.pop(0) if len(left) > 1 else left[0]]


def fetched(url: str, resolve: Any = None) -> bytes:
    into = io.BytesIO()
    fetch(url, into, resolve)
    return into.getvalue()


def refusal(url: str, resolve: Any = None) -> str:
    with pytest.raises(FeedRefused) as refused:
        fetched(url, resolve)
    return str(refused.value)


# Addresses


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
        "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "192.0.0.8", "198.18.0.1",  # noqa: S104
        "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "::127.0.0.1",
    ],
)  # fmt: skip
def test_addresses_within_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"])
def test_addresses_of_the_internet_are(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{}/f.csv", "http://localhost:{}/f.csv", "http://2130706433:{}/f.csv",
        "http://0x7f.1:{}/f.csv", "http://[::ffff:127.0.0.1]:{}/f.csv", "http://0:{}/f.csv",
    ],
)  # fmt: skip
def test_nothing_is_fetched_from_this_machine(server: Server, url: str) -> None:
    assert "private network" in refusal(url.format(server.port))
    assert server.asked == []


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("file:///etc/passwd", "begins with https://"),
        ("ftp://supplier.test/f.csv", "begins with https://"),
        ("gopher://supplier.test/f.csv", "begins with https://"),
        ("https:///f.csv", "begins with https://"),
        ("https://me:secret@supplier.test/f.csv", "Leave user name and password out"),
        ("https://supplier.test:x/f.csv", "is not an address"),
        ("https://supplier.test/a b.csv", "%20"),
        ("https://supplier.test/\r\nX: y", "%20"),
        ("https://" + "a" * 300 + ".test/", "is not an address"),
    ],
)
def test_an_address_of_another_kind_is_refused(url: str, words: str) -> None:
    if "\r" in url:  # which urlsplit takes out
        url = url.replace("\r\n", "\x7f")
    assert words in refusal(url, to("93.184.216.34"))


def test_the_connection_goes_to_the_address_that_was_looked_at(server: Server) -> None:
    server.answers["/f.csv"] = (200, {}, CSV)
    seen: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        seen.append(host)
        return ["127.0.0.1"]

    # No DNS knows this name: a second look-up could not find it.
    assert fetched(server.url("/f.csv"), resolve) == CSV
    assert (seen, server.asked) == (
        ["supplier.test"],
        [(f"supplier.test:{server.port}", "/f.csv")],
    )


def test_a_name_that_is_bound_anew_after_the_look_leads_nowhere(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Public when it is looked at, this machine a moment later: it is asked for once only."""
    tried: list[str] = []

    def connect(address: tuple[str, int], *_: Any) -> Any:
        tried.append(address[0])
        raise ConnectionRefusedError("refused")

    monkeypatch.setattr("backoffice.exchange.fetching.socket.create_connection", connect)
    url = server.url("/f.csv", host="rebinding.test")
    assert "did not give the file" in refusal(url, to("93.184.216.34", "127.0.0.1"))
    assert tried == ["93.184.216.34"]


def test_one_private_address_among_public_ones_is_enough_to_refuse(server: Server) -> None:
    url = server.url("/f.csv", host="mixed.test")
    assert "private network" in refusal(url, lambda *_: ["93.184.216.34", "10.0.0.1"])


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data/", "http://127.0.0.1:{}/secret", "//localhost:{}/",
        "file:///etc/passwd", "http://u:p@supplier.test:{}/f.csv",
    ],
)  # fmt: skip
def test_a_redirect_is_looked_at_like_the_address(server: Server, target: str) -> None:
    server.answers["/f.csv"] = (302, {"Location": target.format(server.port)}, b"")
    server.answers["/secret"] = (200, {}, b"secret")

    def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"] if host in {"supplier.test", "localhost"} else [host]

    refusal(server.url("/f.csv"), resolve)
    assert [path for _host, path in server.asked] == ["/f.csv"]


def test_redirects_are_followed_but_not_for_ever(server: Server) -> None:
    server.answers["/a"] = (302, {"Location": "/b"}, b"")
    server.answers["/b"] = (307, {"Location": "f.csv"}, b"")
    server.answers["/f.csv"] = (200, {}, CSV)
    server.answers["/loop"] = (302, {"Location": "/loop"}, b"")
    assert fetched(server.url("/a"), to("127.0.0.1")) == CSV
    server.asked.clear()
    assert "again and again" in refusal(server.url("/loop"), to("127.0.0.1"))
    assert len(server.asked) == 6


def test_a_file_that_is_too_large_or_cut_off_is_no_file(server: Server, settings: Any) -> None:
    server.answers["/cut"] = (200, {"Content-Length": "1000"}, CSV)
    assert "the connection broke off" in refusal(server.url("/cut"), to("127.0.0.1"))
    settings.EXCHANGE_MAX_BYTES = 10
    server.answers["/large"] = (200, {}, CSV)
    assert "EXCHANGE_MAX_BYTES" in refusal(server.url("/large"), to("127.0.0.1"))
    assert "404" in refusal(server.url("/none"), to("127.0.0.1"))


def test_a_server_that_takes_for_ever_is_left(server: Server, settings: Any) -> None:
    settings.EXCHANGE_FEED_SECONDS = 0.3
    release = threading.Event()

    class Slow(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            release.wait(10)

    slow = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    threading.Thread(target=slow.serve_forever, daemon=True).start()
    try:
        url = f"http://supplier.test:{slow.server_port}/"
        assert "it took too long" in refusal(url, to("127.0.0.1"))
    finally:
        release.set()
        slow.shutdown()
        slow.server_close()
