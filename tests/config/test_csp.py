"""Every answer says what its page may load and run; what is no page of the admin may do less."""

import re
from pathlib import Path
from typing import Any

from django.conf import settings
from django.test import Client

from backoffice.accounts.models import User
from tests.personas import Persona
from tests.test_every_page import PAGES, address_of, objects, people  # noqa: F401 - fixtures

HEADER = "Content-Security-Policy"


def policy(response: Any) -> dict[str, set[str]]:
    """What a response allows, by directive, with the nonce's own value left out."""
    directives = (each.split() for each in response[HEADER].split("; "))
    return {
        name: {"nonce" if value.startswith("'nonce-") else value for value in values}
        for name, *values in directives
    }


STRICT = {
    "default-src": {"'none'"},
    "script-src": {"'self'"},
    "style-src": {"'self'"},
    "img-src": {"'self'"},
    "font-src": {"'self'"},
    "form-action": {"'self'"},
    "object-src": {"'none'"},
    "base-uri": {"'none'"},
    "frame-ancestors": {"'none'"},
}
PAGE = {
    **STRICT,
    "script-src": {"'self'", "'unsafe-eval'"},
    "style-src": {"'self'", "nonce"},
    "img-src": {"'self'", "https:", "data:"},
    "connect-src": {"'self'"},
}


def test_every_page_says_what_it_may_load(
    people: dict[Persona, User],  # noqa: F811
    objects: dict[str, Any],  # noqa: F811
) -> None:
    clients = {persona: Client() for persona in (Persona.ADMINISTRATOR, Persona.CATALOGUE_MANAGER)}
    for persona, client in clients.items():
        client.force_login(people[persona])
    said: dict[str, Any] = {}
    for page, let_in in PAGES.items():
        for persona in clients.keys() & let_in:
            response = clients[persona].get(address_of(page, objects))
            if response.streaming:
                response.getvalue()  # which closes the file
            said[page] = policy(response)
            if response["Content-Type"].startswith("text/html"):
                # A fragment has no style sheet of its own, and so no nonce.
                said[page]["style-src"] |= {"nonce"}
                assert said[page] == PAGE, page
            else:
                assert said[page] == STRICT, page
    assert said.keys() == {page for page, let_in in PAGES.items() if clients.keys() & let_in}


def test_the_sign_in_says_it_too_and_each_answer_has_a_nonce_of_its_own(db: None) -> None:
    first, second = (Client().get("/admin/login/") for _ in range(2))
    assert policy(first) == policy(second) == PAGE
    assert first[HEADER] != second[HEADER]
    (nonce,) = (
        value.removeprefix("'nonce-").rstrip("';")
        for value in first[HEADER].split()
        if value.startswith("'nonce-")
    )
    assert f'<style id="unfold-theme-colors" nonce="{nonce}">' in first.content.decode()


def test_what_is_refused_or_not_there_runs_nothing(warehouse: User) -> None:
    client = Client()
    client.force_login(warehouse)
    missing, refused = client.get("/nothing/here/"), client.get("/admin/audit/changeset/")
    assert (missing.status_code, refused.status_code) == (404, 403)
    assert policy(missing) == policy(refused) == STRICT
    assert policy(Client().get("/admin/inventory/product/"))["script-src"] == {"'self'"}


def test_a_file_runs_nothing(administrator: User) -> None:
    client = Client()
    client.force_login(administrator)
    response = client.get("/admin/inventory/product/import/template/csv/")
    assert response.status_code == 200
    assert policy(response) == STRICT


# A style attribute or an event handler; a script or a style sheet in the text.
ATTRIBUTE = r"""\sstyle=["']|\son[a-z]+=["']"""
ELEMENT = r"<script(?![^>]*\bsrc=)(?![^>]*json)|<style(?![^>]*nonce)"
INLINE = {".py": re.compile(ATTRIBUTE), ".html": re.compile(f"{ATTRIBUTE}|{ELEMENT}")}


def test_nothing_of_ours_runs_or_styles_in_the_text_of_a_page() -> None:
    """Parts too that no test opens in a browser."""
    found = {
        f"{path}: {match[0]}"
        for room in ("backoffice", "inventory", "config")
        for path in Path(settings.BASE_DIR / room).rglob("*")
        if path.suffix in INLINE
        for match in INLINE[path.suffix].finditer(path.read_text())
    }
    assert found == set()
    for planted in ("<script>x()</script>", "<style>", '<p style="x">', '<p onclick="x()">'):
        assert INLINE[".html"].search(planted)
    for harmless in ('<script src="x"></script>', '<style nonce="x">', """<p x-on:click="x()">"""):
        assert not INLINE[".html"].search(harmless)
