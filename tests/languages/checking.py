"""What is wrong with a catalogue, in words: what CI shows."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import polib

from .catalogues import key_of
from .extracting import Found, Key, NotAConstant

_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")
_TAG = re.compile(r"</?[a-z][^<>]*>")
# What a language's typography does not know; French has a space before these signs that no line
# breaks at.
_UNTIDY = {
    "de": re.compile(r"[“\"](?=\w)|(?<=\w)[”\"]"),
    "fr": re.compile(r"(?<![\u202f\u00a0])[;!?»](?!\w)|(?<=\w)[;!?](?!\w)| [:]|«(?!\u202f)|[“”„]"),
}
_IN_MARKUP = re.compile(r'="[^"]*"|\{"[^{}]*"\}|\(""\)')


def problems_of_code(loose: Iterable[NotAConstant]) -> Iterator[str]:
    for file, line in loose:
        yield f"{file}:{line}: gettext takes a literal; what is put together no catalogue has"


def problems(
    language: str, catalogue: polib.POFile, compiled: Path, wanted: dict[Key, Found]
) -> Iterator[str]:
    """Each fault of a catalogue: what is missing, empty, unsure, malformed or not compiled."""
    entries = {key_of(entry): entry for entry in catalogue if not entry.obsolete}
    for key in wanted.keys() - entries.keys():
        yield f"{language}: not in the catalogue: {key.text!r} ({', '.join(wanted[key].files)})"
    for key in entries.keys() - wanted.keys():
        yield f"{language}: nothing says this any more: {key.text!r}"
    forms = _number_of_forms(catalogue)
    for key, entry in entries.items():
        for fault in _faults(language, entry, forms):
            yield f"{language}: {fault}: {key.text!r}"
        text = wanted.get(key)
        if text and text.plural != (entry.msgid_plural or ""):
            yield f"{language}: the plural is another one in the code: {key.text!r}"
    if not compiled.exists() or _contents(polib.mofile(str(compiled))) != _contents(catalogue):
        yield f"{language}: {compiled.name} is not what the .po says"


def _number_of_forms(catalogue: polib.POFile) -> int:
    found = re.search(r"nplurals=(\d)", catalogue.metadata.get("Plural-Forms", ""))
    return int(found[1]) if found else 0


def _contents(catalogue: polib.POFile | polib.MOFile) -> dict[Key, object]:
    return {
        key_of(entry): entry.msgstr_plural or entry.msgstr
        for entry in catalogue
        if not entry.obsolete
    }


def _faults(language: str, entry: polib.POEntry, forms: int) -> Iterator[str]:
    if entry.fuzzy:
        yield "marked as unsure (fuzzy)"
    if not entry.msgid_plural:
        yield from _faults_of_text(language, entry.msgid, [entry.msgid], entry.msgstr)
        return
    if sorted(entry.msgstr_plural) != list(range(forms)):
        yield f"not all {forms} plural forms"
    for number, text in entry.msgstr_plural.items():
        # One may say the number, or not: "one more", "1 more".
        sources = [entry.msgid_plural] if number else [entry.msgid, entry.msgid_plural]
        yield from _faults_of_text(language, entry.msgid, sources, text)


def _faults_of_text(language: str, msgid: str, sources: list[str], text: str) -> Iterator[str]:
    if not text.strip():
        yield "not translated"
        return
    if not any(_same_placeholders(source, text) for source in sources):
        yield "placeholders differ"
    if sorted(_TAG.findall(msgid)) != sorted(_TAG.findall(text)):
        yield "HTML differs"
    if text[0].isspace() != msgid[0].isspace() or text[-1].isspace() != msgid[-1].isspace():
        yield "space at an end differs"
    bare = _IN_MARKUP.sub("", _PLACEHOLDER.sub("x", text))
    if _UNTIDY[language].search(bare):
        yield "typography"


def _same_placeholders(source: str, text: str) -> bool:
    expected, found = _PLACEHOLDER.findall(source), _PLACEHOLDER.findall(text)
    named = all("(" in name or "{" in name for name in expected)
    if named:  # may change places, those without a name may not
        expected, found = sorted(set(expected)), sorted(set(found))
    if expected != found:
        return False
    formatted = any("%" in name for name in expected)
    return not formatted or "%" not in _PLACEHOLDER.sub("", text).replace("%%", "")
