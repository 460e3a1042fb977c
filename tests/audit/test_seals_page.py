"""How the seals stand, for those who may see them."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client

from backoffice.accounts.models import User
from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import Seal, SealEvent
from backoffice.audit.seals import state
from backoffice.audit.seals.checkpoints import note
from backoffice.audit.seals.publishing import publish_newest
from backoffice.audit.seals.sealing import seal_new_entries
from inventory.models import Product

from .conftest import a_product
from .pages import words
from .tampering import tamper

PAGE = "/admin/audit/seal/"


def verify() -> None:
    with suppress(SystemExit):
        call_command("audit_verify", "--json")


def test_before_the_first_seal_the_page_says_so(as_auditor: Client, settings: Any) -> None:
    text = words(as_auditor.get(PAGE))
    assert "Last sealed never" in text
    assert "Last verified never" in text
    assert "nowhere: whoever holds the key" in text
    assert "The record was never verified." in words(as_auditor.get("/admin/"))


def test_the_page_says_what_is_sealed_published_and_verified(
    product: Product, as_auditor: Client, settings: Any, tmp_path: Any
) -> None:
    seal_new_entries()
    url = f"file://{tmp_path}/checkpoints.log"
    settings.AUDIT_PUBLISH = [url]
    publish_newest()
    verify()
    with audit_context(source=Source.SHELL, reason="new"):
        a_product("new").save()
    settings.AUDIT_PUBLISH = [url, f"file://{tmp_path}/none/checkpoints.log"]
    publish_newest()

    seal = Seal.objects.get()
    response = as_auditor.get(PAGE)
    text = words(response)
    assert "Not sealed yet 1 entry, the oldest for 0 minutes" in text
    assert f"Seal 1 to {url}, " in text
    assert f"Not to file://{tmp_path}/none/checkpoints.log (" in text
    assert "No such file or directory" in text
    assert " ".join(note(seal).split()) in text
    assert f"{seal.hash[:16]}… {seal.key_id}" in text
    assert "verified 0 minutes ago: all is as it was sealed." in words(as_auditor.get("/admin/"))


def test_what_was_found_altered_is_on_the_page_and_on_the_dashboard(
    product: Product, as_auditor: Client
) -> None:
    seal_new_entries()
    tamper("UPDATE inventory_historicalproduct SET brand = '<b>'")
    verify()
    assert SealEvent.objects.get().kind == "tampered"
    line = f"Product {product.pk}: history row "
    assert line in words(as_auditor.get(PAGE))
    assert "is not what was sealed." in words(as_auditor.get("/admin/"))


def test_the_dashboard_says_nothing_of_it_to_others(catalogue_manager: User) -> None:
    client = Client()
    client.force_login(catalogue_manager)
    text = words(client.get("/admin/"))
    assert "Proof of the record" not in text
    assert "Seals" not in text
    assert client.get(PAGE).status_code == 403


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_the_page_is_read_only(method: str, product: Product, administrator: User) -> None:
    seal_new_entries()
    client = Client()
    client.force_login(administrator)
    assert getattr(client, method)(PAGE).status_code == 405
    for page in ("add/", "1/change/", "1/delete/", "1/history/"):
        assert client.get(f"{PAGE}{page}").status_code in (302, 404)
    assert Seal.objects.count() == 1


def test_the_page_counts_no_further_than_it_must(
    db: None, as_auditor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        with audit_context(source=Source.SHELL, reason=str(number)):
            a_product(f"S-{number}").save()
    monkeypatch.setattr(state, "_COUNTED", 3)
    assert "Not sealed yet more than 3 entries, the oldest for" in words(as_auditor.get(PAGE))


def test_the_number_of_queries_does_not_grow(
    product: Product, as_auditor: Client, django_assert_max_num_queries: Any
) -> None:
    def queries() -> int:
        with django_assert_max_num_queries(40) as captured:
            as_auditor.get(PAGE)
        return len(captured.captured_queries)

    seal_new_entries()
    few = queries()
    for number in range(5):
        with audit_context(source=Source.SHELL, reason=str(number)):
            a_product(f"T-{number}").save()
        seal_new_entries()
    assert queries() <= few


@pytest.mark.django_db(transaction=True)
def test_a_sealer_that_keeps_running_ends_in_order_when_it_is_told_to() -> None:
    a_product().save()
    name = str(connection.settings_dict["NAME"])
    code = (
        "import sys, django; django.setup();"
        "from django.db import connection;"
        "connection.settings_dict['NAME'] = sys.argv[1];"
        "from django.core.management import call_command;"
        "call_command('audit_seal', every=0.2)"
    )
    running = subprocess.Popen(
        [sys.executable, "-c", code, name],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.test"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert within_seconds(lambda: Seal.objects.count() == 1)
        with audit_context(source=Source.SHELL, reason="later"):
            a_product("later").save()
        assert within_seconds(lambda: Seal.objects.count() == 2)
        running.send_signal(signal.SIGTERM)
        said, _err = running.communicate(timeout=20)
    finally:
        running.kill()
        running.wait()
    assert running.returncode == 0
    assert len(said.splitlines()) == 2
    assert "1 entry sealed by 1 seal; the newest is 2: " in said


def within_seconds(condition: Any, limit: float = 30) -> bool:
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return False
