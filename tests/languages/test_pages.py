"""No text of a page stays outside of gettext: a language that puts brackets around its texts.

Whatever a reader sees without brackets is either data or a text that no catalogue has.
"""

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.apps import apps
from django.db import models
from django.test import Client
from django.utils import translation

from backoffice.accounts.models import User
from backoffice.accounts.notifications.services import notify
from backoffice.exchange.notices import IMPORTED
from tests.console.pages import act, signed_in
from tests.personas import Persona
from tests.test_every_page import PAGES, address_of, objects, people

__all__ = ["objects", "people"]  # fixtures

OPEN, CLOSE = "⟦", "⟧"
# A letter alone is a key of the keyboard or an initial.
_WORD = re.compile(r"[^\W\d_]{2,}")
# What is the same in every language, besides what the database holds.
NAMES = {
    "stockbook", "eur", "english", "deutsch", "français", "en-gb", "de", "fr", "esc", "csv",
    "json lines", "excel (xlsx)", "utf-8", "utf-16", "iso 8859-15 (latin-9)",
    "iso 8859-1 (latin-1)", "mac os roman", "sha-256", "test",  # the environment of the tests
}  # fmt: skip
# What is shown besides, of one page each: the cells of a file; initials.
OF_PAGES = {
    "exchange_importjob_change[job]": {"sku", "name", "price", "kettle"},
    "audit_changeset_changelist": {"sku", "format"},
    "accounts_user_changelist": {"so", "aa", "cc", "oo", "ww"},
}
_SHOWN = ("title", "aria-label", "placeholder", "alt", "data-label", "data-failed")


class _Texts(HTMLParser):
    """The texts that a page shows, attributes that are read out included."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.within: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = dict(attrs)
        if tag not in {"input", "br", "img", "meta", "link", "hr", "path", "use", "source"}:
            icon = "material-symbols" in (facts.get("class") or "")
            self.within.append("icon" if icon or facts.get("translate") == "no" else tag)
        self.found += [facts[name] or "" for name in _SHOWN if facts.get(name)]
        if tag == "input" and facts.get("type") in {"submit", "button"}:
            self.found.append(facts.get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        if self.within:
            self.within.pop()

    def handle_data(self, data: str) -> None:
        if not {"script", "style", "icon", "textarea", "pre", "code"} & set(self.within):
            self.found.append(data)


def bare_texts(page: str, data: set[str]) -> list[str]:
    """What stands outside of every bracket and is no data (which is given in small letters)."""
    parser = _Texts()
    parser.feed(page)
    bare, depth = [], 0  # brackets may hold elements: "⟦<b>3</b> rows⟧"
    for text in parser.found:
        outside = ""
        for sign in text:
            depth += (sign == OPEN) - (sign == CLOSE)
            outside += sign if depth == 0 and sign != CLOSE else " "
        outside = " ".join(outside.split())
        rest = outside.casefold()
        for known in sorted((each for each in data if each in rest), key=len, reverse=True):
            rest = rest.replace(known, " ")
        if _WORD.search(rest):
            bare.append(outside)
    return list(dict.fromkeys(bare))


def _texts_of_the_database() -> set[str]:
    """Whatever is stored is data, wherever it is shown."""
    found: set[str] = set()
    for model in apps.get_models():
        names = [
            field.attname
            for field in model._meta.concrete_fields
            if isinstance(field, models.CharField | models.TextField)
        ]
        for row in model._base_manager.values_list(*names) if names else ():
            found |= {" ".join(str(text).casefold().split()) for text in row if text}
    # As accounts.policies names permissions, which are rows of Django's.
    found |= {t.removeprefix("can ").replace("historical ", "history of ") for t in found}
    return {text for text in found if len(text) > 1}


@pytest.fixture
def _in_brackets(monkeypatch: pytest.MonkeyPatch) -> None:
    """gettext as it is, with brackets around what it says."""
    translation.gettext("")  # so that it is there to be replaced
    trans = translation._trans  # type: ignore[attr-defined]
    for name in ("gettext", "pgettext", "ngettext", "npgettext"):
        plain = getattr(trans, name)

        def bracketed(*args: Any, plain: Any = plain) -> str:
            said = plain(*args)
            return f"{OPEN}{said}{CLOSE}" if said.strip() else said

        monkeypatch.setattr(trans, name, bracketed)


def test_what_is_outside_of_brackets_is_found() -> None:
    page = """<p title="Bare title">⟦Kept <i>within</i> it⟧ and <b>bare</b> 1.234
    <i class="material-symbols-x">icon</i></p><input type="submit" value="⟦Save⟧">
    <script>var x</script>"""
    assert bare_texts(page, {"tilt"}) == ["Bare title", "and", "bare"]
    assert bare_texts(page, {"bare title", "and"}) == ["bare"]


@pytest.mark.usefixtures("_in_brackets")
@pytest.mark.parametrize("page", PAGES)
def test_every_text_of_a_page_is_translated(
    page: str, people: dict[Persona, User], objects: dict[str, Any]
) -> None:
    role = Persona.ADMINISTRATOR if Persona.ADMINISTRATOR in PAGES[page] else None
    role = role or next(iter(PAGES[page]), None)
    if role is None:
        pytest.skip("nobody sees it")
    response = signed_in(people[role]).get(address_of(page, objects))
    if response.streaming:
        response.getvalue()  # which closes the file
    if response.streaming or not response["Content-Type"].startswith("text/html"):
        pytest.skip("no page")
    data = NAMES | _texts_of_the_database() | OF_PAGES.get(page, set())
    bare = bare_texts(response.content.decode(), data)
    assert bare == [], repr(bare)


@pytest.fixture
def manager(people: dict[Persona, User]) -> Client:
    return signed_in(people[Persona.CATALOGUE_MANAGER])


def bare(response: Any, *data: str) -> list[str]:
    assert response.status_code == 200
    return bare_texts(response.content.decode(), NAMES | _texts_of_the_database() | {*data})


@pytest.mark.usefixtures("_in_brackets", "objects")
@pytest.mark.parametrize("typed", ["", "ad", "P-1", "pott", "xqzw"])
def test_every_answer_of_the_palette_is_translated(typed: str, manager: Client) -> None:
    response = manager.get("/admin/search/", {"s": typed})
    assert response.content.strip()
    assert bare(response, typed) == []


@pytest.mark.usefixtures("_in_brackets")
def test_every_step_of_a_bulk_change_is_translated(
    manager: Client, objects: dict[str, Any], settings: Any
) -> None:
    settings.BULK_BACKGROUND_ROWS = 0
    rows = [objects["product"]]
    assert bare(act(manager, "bulk_edit", rows)) == []
    asked = {"do_price": "percent", "by_price": "5", "do_is_active": "no"}
    seen = act(manager, "bulk_edit", rows, preview="1", **asked)
    assert bare(seen) == []
    shown = seen.context["preview"].fingerprint
    done = act(manager, "bulk_edit", rows, **asked, apply="1", reason="Sale", previewed=shown)
    assert bare(manager.get(done["Location"])) == []


@pytest.mark.usefixtures("_in_brackets")
def test_what_people_are_told_is_translated(manager: Client, people: dict[Persona, User]) -> None:
    told = {
        "file": "march.csv", "state": "applied", "problem": "",
        "new": 2, "changed": 0, "unchanged": 5, "invalid": 1,
    }  # fmt: skip
    carla = people[Persona.CATALOGUE_MANAGER]
    notify(to=[carla], kind=IMPORTED, parameters=told, link="/admin/")
    page = manager.get("/admin/notifications/")
    assert len(page.context["words"]) == 1
    assert bare(page, "march.csv") == []
