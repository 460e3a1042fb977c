"""The newest seal is told outside the machine, after it is committed, until it has arrived."""

import base64
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import Seal, SealEvent
from backoffice.audit.seals import checkpoints, keys
from backoffice.audit.seals.checkpoints import note
from backoffice.audit.seals.exceptions import SealError
from backoffice.audit.seals.publishing import destination_of, publish_newest
from backoffice.audit.seals.sealing import seal_new_entries
from inventory.models import Product

from .conftest import a_product

pytestmark = pytest.mark.django_db


def make_seal() -> Seal:
    with audit_context(source=Source.SHELL, reason=str(Seal.objects.count())):
        a_product(f"S-{Product.objects.count()}").save()
    last = seal_new_entries().last
    assert last is not None
    return last


def events() -> list[tuple[str, int | None, str]]:
    return list(SealEvent.objects.order_by("pk").values_list("kind", "seal_id", "where"))


def test_a_note_is_a_short_text_that_can_be_read_back(settings: Any) -> None:
    settings.SHOP_NAME = "The\n Shop"
    seal = make_seal()
    lines = note(seal).splitlines()
    assert lines == [
        "The Shop record",
        "seal 1",
        f"hash {seal.hash}",
        f"entries {seal.count}",
        f"time {seal.at:%Y-%m-%dT%H:%M:%S.%f}Z",
        f"key {seal.key_id}",
        f"signature {seal.signature}",
    ]
    (read,) = checkpoints.read(f"> x\n{note(seal)}\nseal 7\n")
    assert (read.origin, read.seal, read.hash) == ("The Shop", 1, seal.hash)
    assert keys.is_signed(keys.signing_key().public_key(), read.statement, read.signature)


def test_a_file_grows_by_every_seal(settings: Any, tmp_path: Path) -> None:
    path = tmp_path / "a b.log"
    path.write_text("kept\n\n")
    settings.AUDIT_PUBLISH = [f"file://{tmp_path}/a%20b.log"]
    first = make_seal()
    publish_newest()
    publish_newest()
    second = make_seal()
    publish_newest()
    assert path.read_text() == f"kept\n\n{note(first)}\n{note(second)}\n"
    url = settings.AUDIT_PUBLISH[0]
    assert events() == [("published", 1, url), ("published", 2, url)]


def test_a_mailbox_is_not_flooded(settings: Any) -> None:
    settings.AUDIT_PUBLISH = ["mailto:auditor@example.com"]
    first = make_seal()
    publish_newest()
    (message,) = mail.outbox
    assert message.to == ["auditor@example.com"]
    assert note(first) in message.body
    second = make_seal()
    publish_newest()
    assert len(mail.outbox) == 1

    an_hour_ago = timezone.now() + timedelta(hours=1, seconds=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timezone, "now", lambda: an_hour_ago)
        publish_newest()
    assert len(mail.outbox) == 2
    assert note(second) in mail.outbox[1].body


@pytest.fixture
def server() -> Iterator[Any]:
    """A web server that keeps what it gets, and answers what it is told to."""
    received: list[tuple[str, str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        answer = 201

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            received.append((self.path, self.headers["Content-Type"], body))
            self.server.asked = self.headers["Authorization"]  # type: ignore[attr-defined]
            self.send_response(self.answer)
            if self.answer in range(300, 400):
                self.send_header("Location", "/elsewhere")
            self.end_headers()

        def do_GET(self) -> None:
            received.append((self.path, "", ""))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    listening = HTTPServer(("127.0.0.1", 0), Handler)
    listening.received = received  # type: ignore[attr-defined]
    thread = threading.Thread(target=listening.serve_forever)
    thread.start()
    yield listening
    listening.shutdown()
    thread.join()
    listening.server_close()


def test_a_web_address_is_posted_to_and_its_secret_is_kept(server: Any, settings: Any) -> None:
    base = f"http://127.0.0.1:{server.server_port}/seals"
    settings.AUDIT_PUBLISH = [f"{base}?token=one", f"{base}?token=two"]
    seal = make_seal()
    publish_newest()
    publish_newest()
    assert server.received == [
        (f"/seals?token={which}", "text/plain; charset=utf-8", note(seal))
        for which in ("one", "two")
    ]
    assert [kind for kind, _seal, _where in events()] == ["published", "published"]
    assert all(where.startswith(f"{base}#") for _kind, _seal, where in events())
    assert "token" not in str(events())


def test_what_failed_is_noted_and_tried_again(
    server: Any, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"http://127.0.0.1:{server.server_port}/"
    settings.AUDIT_PUBLISH = [url]
    server.RequestHandlerClass.answer = 503
    make_seal()
    with pytest.raises(CommandError, match="tried again at the next run"):
        call_command("audit_seal")
    assert f"Not published to {url}: " in capsys.readouterr().err
    server.RequestHandlerClass.answer = 200
    second = make_seal()
    call_command("audit_seal")
    assert f"Published to {url}." in capsys.readouterr().out
    assert events() == [("failed", 1, url), ("published", 2, url)]
    assert SealEvent.objects.get(kind="failed").facts["error"] == "Service Unavailable"
    assert server.received[-1][2] == note(second)
    publish_newest()
    assert len(server.received) == 2


@pytest.mark.parametrize("answer", [301, 302, 303, 307, 308])
def test_a_note_is_not_sent_elsewhere(answer: int, server: Any, settings: Any) -> None:
    """urllib would follow, by a GET without the note, to wherever the answer says."""
    url = f"http://127.0.0.1:{server.server_port}/seals"
    settings.AUDIT_PUBLISH = [url]
    server.RequestHandlerClass.answer = answer
    make_seal()
    publish_newest()
    assert events() == [("failed", 1, url)]
    assert "name that address instead" in SealEvent.objects.get().facts["error"]
    assert [path for path, _type, _body in server.received] == ["/seals"]


def test_a_password_in_an_address_signs_in_and_is_told_to_nobody(
    server: Any, settings: Any
) -> None:
    settings.AUDIT_PUBLISH = [
        f"http://us:s%40cret@127.0.0.1:{port}/seals" for port in (server.server_port, 1)
    ]
    make_seal()
    assert [event.kind for event in publish_newest()] == ["published", "failed"]
    assert server.asked == f"Basic {base64.b64encode(b'us:s@cret').decode()}"
    assert "cret" not in str(list(SealEvent.objects.values()))


def test_a_sealer_that_runs_often_does_not_try_in_vain_as_often(
    settings: Any, tmp_path: Path
) -> None:
    settings.AUDIT_PUBLISH = [f"file://{tmp_path}/none/x.log"]
    make_seal()
    assert [event.kind for event in publish_newest(patient=True)] == ["failed"]
    make_seal()
    assert publish_newest(patient=True) == []
    with pytest.MonkeyPatch.context() as patch:
        a_minute_on = timezone.now() + timedelta(minutes=1, seconds=1)
        patch.setattr(timezone, "now", lambda: a_minute_on)
        assert [event.kind for event in publish_newest(patient=True)] == ["failed"]
    assert [event.kind for event in publish_newest()] == ["failed"]


def test_one_place_that_fails_keeps_no_other_from_being_told(settings: Any, tmp_path: Path) -> None:
    settings.AUDIT_PUBLISH = [f"file://{tmp_path}/none/x.log", f"file://{tmp_path}/x.log"]
    make_seal()
    assert [event.kind for event in publish_newest()] == ["failed", "published"]
    assert (tmp_path / "x.log").exists()


def test_nothing_is_published_where_nothing_is_sealed(settings: Any, tmp_path: Path) -> None:
    settings.AUDIT_PUBLISH = [f"file://{tmp_path}/x.log"]
    assert publish_newest() == []
    assert not (tmp_path / "x.log").exists()


@pytest.mark.parametrize(
    "url", ["", "x", "ftp://example.com/x", "file://server/x", "file://", "mailto:x", "https:///x"]
)
def test_an_address_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(SealError, match="AUDIT_PUBLISH names"):
        destination_of(url)


def test_the_command_says_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    seal_new_entries()
    a_product().save()
    call_command("audit_seal")
    assert capsys.readouterr().out.startswith("1 entry sealed by 1 seal; the newest is ")
    call_command("audit_seal")
    assert capsys.readouterr().out == "Nothing is new on the record since the last seal.\n"
    with pytest.raises(CommandError, match="above 0"):
        call_command("audit_seal", "--every", "0")
