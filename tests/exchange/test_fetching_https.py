"""Feeds over https: only from who proves by certificate to be the server that was named."""

import io
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from backoffice.exchange.exceptions import FeedRefused
from backoffice.exchange.fetching import fetch

CSV = b"sku,name,price\nA,Cup,1.50\n"
HOST = "supplier.test"


class Authority:
    """Signs certificates, as those do that the system trusts."""

    def __init__(self, folder: Path, name: str) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.folder, self.name = folder, name
        self.certificate = self._signed(name, self.key, days=1, is_authority=True)
        self.path = folder / f"{name}.pem"
        self.path.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def server_files(self, host: str, *, days: int = 1) -> Path:
        """The certificate of a server and its key, in one file; `days` may lie in the past."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._signed(host, key, days=days, is_authority=False)
        path = self.folder / f"{host}-{days}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        return path

    def _signed(
        self, name: str, key: ec.EllipticCurvePrivateKey, *, days: int, is_authority: bool
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)])
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=9))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
                critical=False,
            )
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
            .add_extension(
                x509.KeyUsage(True, False, False, False, False, is_authority, is_authority,
                              False, False),
                critical=True,
            )
            .sign(self.key, hashes.SHA256())
        )  # fmt: skip


class SecureServer:
    """A supplier's server: which names it was asked for before a word was said, and what it got."""

    def __init__(self, files: Path) -> None:
        self.names: list[str | None] = []
        self.asked: list[str] = []
        self.redirect = ""
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(f"{self.headers['Host']}{self.path}")
                self.send_response(302 if server.redirect else 200)
                if server.redirect:
                    self.send_header("Location", server.redirect)
                    server.redirect = ""
                    self.send_header("Content-Length", "0")
                else:
                    self.send_header("Content-Length", str(len(CSV)))
                self.end_headers()
                if self.path.endswith(".csv"):
                    self.wfile.write(CSV)

            def log_message(self, *_: Any) -> None:
                pass

        self.httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files)
        context.sni_callback = lambda _socket, name, _context: self.names.append(name)
        self.httpd.socket = context.wrap_socket(
            self.httpd.socket, server_side=True, do_handshake_on_connect=False
        )
        self.httpd.handle_error = lambda *_: None  # type: ignore[method-assign]  # it hangs up
        self.port = self.httpd.server_port
        threading.Thread(target=self.httpd.serve_forever, daemon=True).start()

    def url(self, path: str = "/march.csv", host: str = HOST) -> str:
        return f"https://{host}:{self.port}{path}"


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Authority:
    """The one that this machine trusts."""
    found = Authority(tmp_path, "Trusted authority")
    monkeypatch.setenv("SSL_CERT_FILE", str(found.path))
    settings.EXCHANGE_FEED_ALLOWED_HOSTS = [HOST, "other.test"]
    return found


@pytest.fixture
def serve() -> Iterator[Callable[[Path], SecureServer]]:
    started: list[SecureServer] = []

    def start(files: Path) -> SecureServer:
        started.append(SecureServer(files))
        return started[-1]

    yield start
    for server in started:
        server.httpd.shutdown()
        server.httpd.server_close()


def here(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


def refusal(server: SecureServer, url: str = "") -> str:
    into = io.BytesIO()
    with pytest.raises(FeedRefused) as refused:
        fetch(url or server.url(), into, here)
    assert into.getvalue() == b""
    return str(refused.value)


def test_the_file_comes_from_who_proves_to_be_the_server_that_was_named(
    authority: Authority, serve: Callable[[Path], SecureServer]
) -> None:
    server = serve(authority.server_files(HOST))
    into = io.BytesIO()
    assert fetch(server.url(), into, here) == "march.csv"
    assert into.getvalue() == CSV
    # The connection goes to the address that was looked at, and asks for the name.
    assert server.names == [HOST]
    assert server.asked == [f"{HOST}:{server.port}/march.csv"]


def test_a_certificate_of_another_name_is_refused(
    authority: Authority, serve: Callable[[Path], SecureServer]
) -> None:
    server = serve(authority.server_files("other.test"))
    said = refusal(server)
    assert said.startswith(f"{HOST} did not give the file: its certificate is not valid (Hostname")
    assert server.asked == []


def test_a_certificate_that_nobody_known_has_signed_is_refused(
    authority: Authority, serve: Callable[[Path], SecureServer]
) -> None:
    unknown = Authority(authority.folder, "Unknown authority")
    server = serve(unknown.server_files(HOST))
    assert "its certificate is not valid (" in refusal(server)
    assert server.asked == []


def test_a_certificate_whose_time_is_over_is_refused(
    authority: Authority, serve: Callable[[Path], SecureServer]
) -> None:
    server = serve(authority.server_files(HOST, days=-1))
    assert "its certificate is not valid (certificate has expired)" in refusal(server)
    assert server.asked == []


def test_where_a_redirect_leads_has_to_prove_itself_as_well(
    authority: Authority, serve: Callable[[Path], SecureServer]
) -> None:
    first, second = (serve(authority.server_files(HOST)) for _ in range(2))
    first.redirect = second.url("/there.csv", "other.test")
    assert "other.test did not give the file: its certificate is not valid" in refusal(first)
    assert (len(first.asked), second.asked) == (1, [])
    first.redirect = second.url("/there.csv")
    into = io.BytesIO()
    assert fetch(first.url(), into, here) == "there.csv"
    assert into.getvalue() == CSV


def test_a_name_is_resolved_once_a_hop_and_a_later_answer_leads_nowhere(
    authority: Authority, serve: Callable[[Path], SecureServer]
) -> None:
    server = serve(authority.server_files(HOST))
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    fetch(server.url(), io.BytesIO(), rebinding)
    assert asked == [HOST]


def test_from_https_nothing_leads_to_http(
    authority: Authority, serve: Callable[[Path], SecureServer]
) -> None:
    server = serve(authority.server_files(HOST))
    server.redirect = server.url().replace("https", "http")
    assert refusal(server) == f"{HOST} leads from https to http, which is not followed."
