"""The catalogues in backoffice/locale: brought up to date with the code, and compiled."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import django
import polib
from django.apps import apps
from django.conf import settings

from .extracting import OURS, Found, Key, NotAConstant, texts

_HEADER = {
    "Project-Id-Version": "Stockbook",
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=UTF-8",
    "Content-Transfer-Encoding": "8bit",
}
# How many forms a language has beside a number, and which one it takes.
_PLURALS = {
    "de": "nplurals=2; plural=(n != 1);",
    "fr": "nplurals=2; plural=(n > 1);",
}
_ONE_LINE = 1_000_000


def languages() -> list[str]:
    """What is translated into: every language of the settings but that of the code."""
    return [code for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]


def folder(language: str) -> Path:
    (root,) = settings.LOCALE_PATHS
    return Path(root) / language / "LC_MESSAGES"


def read(language: str) -> polib.POFile:
    path = folder(language) / "django.po"
    if path.exists():
        return polib.pofile(str(path), wrapwidth=_ONE_LINE)
    path.parent.mkdir(parents=True, exist_ok=True)
    return polib.POFile(wrapwidth=_ONE_LINE)


def key_of(entry: polib.POEntry | polib.MOEntry) -> Key:
    return Key(entry.msgctxt or "", entry.msgid)


@cache
def wanted() -> tuple[dict[Key, Found], list[NotAConstant]]:
    """What each catalogue must have: our texts, and those of Unfold that no library translates."""
    found, loose = texts()
    known = [_known_to_libraries(language) for language in languages()]
    return {
        key: text
        for key, text in found.items()
        if any(file.startswith(OURS) for file in text.files)
        or not all(key in keys for keys in known)
    }, loose


def _known_to_libraries(language: str) -> set[Key]:
    folders = [
        Path(django.__file__).parent / "conf",
        *(Path(a.path) for a in apps.get_app_configs()),
    ]
    files = (folder / "locale" / language / "LC_MESSAGES" / "django.mo" for folder in folders)
    return {key_of(entry) for file in files if file.exists() for entry in polib.mofile(str(file))}


def update(language: str, texts: Iterable[Found]) -> tuple[int, int]:
    """Bring the catalogue to these texts, new ones empty; says how many came and went."""
    catalogue = read(language)
    present = {key_of(entry): entry for entry in catalogue if not entry.obsolete}
    entries = [_entry(text, present.get(text.key)) for text in texts]
    catalogue.clear()
    catalogue.extend(sorted(entries, key=lambda entry: (entry.msgid.casefold(), key_of(entry))))
    catalogue.metadata = {**_HEADER, "Language": language, "Plural-Forms": _PLURALS[language]}
    catalogue.metadata_is_fuzzy = False
    catalogue.save(str(folder(language) / "django.po"))
    keys = {key_of(entry) for entry in entries}
    return len(keys - set(present)), len(set(present) - keys)


def _entry(text: Found, present: polib.POEntry | None) -> polib.POEntry:
    entry = polib.POEntry(
        msgid=text.key.text,
        msgctxt=text.key.context or None,
        flags=["python-format"] if text.with_placeholders else [],
    )
    if present and present.fuzzy:
        entry.flags.append("fuzzy")
    if text.plural:
        entry.msgid_plural = text.plural
        empty = dict.fromkeys(range(2), "")
        entry.msgstr_plural = (present and present.msgstr_plural) or empty
    else:
        entry.msgstr = present.msgstr if present else ""
    return entry


def compile_catalogue(language: str) -> None:
    """Write the .mo that the program reads; it is committed, so that nobody needs gettext."""
    read(language).save_as_mofile(str(folder(language) / "django.mo"))
