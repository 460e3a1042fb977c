"""Markup and odd names in files: shown as text, stored in their place, given back as they came."""

from typing import Any

import pytest
from django.test import Client

from backoffice.accounts.models import User
from backoffice.exchange.models import ImportJob
from tests.console.pages import page, signed_in

from .files import bring
from .pages import the_page, upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(catalogue_manager: User) -> Client:
    return signed_in(catalogue_manager)


NASTY = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


def test_markup_in_files_is_shown_as_text_everywhere(
    client: Client, catalogue_manager: User, auditor: User
) -> None:
    quoted = '"' + NASTY.replace('"', '""') + '"'
    job = bring(
        f"sku,name,price,category,tags,options,{quoted}\n"
        f"A,{quoted},1,,{quoted},,{quoted}\nB,{quoted},{quoted},{quoted},,{quoted},{quoted}\n",
        user=catalogue_manager,
        name=f"{NASTY.replace('/', '')}.csv",
    )
    pages = [the_page(client, job)]
    pages.append(client.post(page("exchange_importjob_map", job.pk), {"column_0": NASTY}))
    pages.append(client.get(page("exchange_importjob_changelist")))
    pages.append(
        client.post(
            page("exchange_importjob_apply", job.pk),
            {"reason": NASTY, "rows": "valid"},
            follow=True,
        )
    )
    job.refresh_from_db()
    assert job.state == ImportJob.State.APPLIED
    pages.append(the_page(client, job))
    pages.append(signed_in(auditor).get(page("audit_changeset_change", job.change_set_id)))
    pages.append(upload(client, "\n", name=f"{NASTY.replace('/', '')}.csv"))
    for response in pages:
        assert response.status_code == 200
        assert b"<script>alert(1)" not in response.content
        assert b"<img src=x" not in response.content


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("'; DROP TABLE inventory_product; --.csv", "'; DROP TABLE inventory_product; --.csv"),
        ("a\nb\r\n.csv", "a_b__.csv"),
        ("Preisliste März 🙂.csv", "Preisliste März 🙂.csv"),
        ("x" * 300 + ".csv", "x" * 255),
        ("", "file"),
        ("..", "file"),
        (".", "file"),
        ("caf\udce9.csv", "caf?.csv"),
        ("a\0b.csv", "a_b.csv"),
        ('quote".csv', 'quote".csv'),
        ("🙂", "🙂"),
        ("\\.", "\\."),
    ],
)
def test_odd_file_names_are_stored_safely_and_come_back(
    client: Client, catalogue_manager: User, name: str, shown: str, settings: Any
) -> None:
    job = bring("sku,name,price\nA,Cup,1\n", user=catalogue_manager, name=name)
    assert job.file_name == shown
    stored = settings.MEDIA_ROOT / job.file.name
    assert stored.resolve().is_relative_to(settings.MEDIA_ROOT.resolve())
    response: Any = client.get(page("exchange_importjob_file", job.pk))
    assert response.status_code == 200
    assert b"".join(response.streaming_content) == b"sku,name,price\nA,Cup,1\n"


def test_a_stored_file_that_is_gone_is_404(client: Client, catalogue_manager: User) -> None:
    job = bring("sku,name,price\nA,Cup,1\n", user=catalogue_manager)
    job.file.delete(save=False)
    job.refresh_from_db()
    assert client.get(page("exchange_importjob_file", job.pk)).status_code == 404
    assert client.get(page("exchange_importjob_errors", job.pk)).status_code == 404
    the_page(client, job)
