"""The German and the French catalogue are complete, and each way not to be is noticed."""

from pathlib import Path

import polib
import pytest
from django.utils import translation
from django.utils.translation import ngettext

from tests.languages.catalogues import folder, languages, read, wanted
from tests.languages.checking import problems, problems_of_code
from tests.languages.extracting import Found, Key, in_python, in_template


def test_code_gives_gettext_nothing_but_literals() -> None:
    assert list(problems_of_code(wanted()[1])) == []


@pytest.mark.parametrize("language", languages())
def test_every_text_is_translated(language: str) -> None:
    assert (
        list(problems(language, read(language), folder(language) / "django.mo", wanted()[0])) == []
    )


_PYTHON = """
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext_lazy
one = _("a long text " "in two parts")
two = ngettext("%d row", "%d rows", 3)
three = pgettext_lazy("of a file", "read")
four = f"{_('within braces')}"
five = _(one)
six = other("not for gettext")
seven = translation.gettext("by its module")
eight = translation.gettext(one)
"""
_TEMPLATE = """{% load i18n %}
{% translate "Save" %} {% translate "read" context "of a file" %} {{ _("by filter")|upper }}
{% include "x.html" with title=_("by tag") %} {# _("commented") #}
{% blocktranslate trimmed count counter=n with name=who %}
    {{ name }} has one
{% plural %}
    {{ name }} has {{ counter }}
{% endblocktranslate %}
"""


def test_the_texts_of_a_module_are_found() -> None:
    calls, variable = in_python(_PYTHON)
    assert sorted(calls, key=str) == [
        {"context": "of a file", "text": "read"},
        {"text": "%d row", "plural": "%d rows"},
        {"text": "a long text in two parts"},
        {"text": "by its module"},
        {"text": "within braces"},
    ]
    assert variable == [8]


def test_the_texts_of_a_template_are_found() -> None:
    assert in_template(_TEMPLATE) == [
        {"text": "Save"},
        {"context": "of a file", "text": "read"},
        {"text": "by filter"},
        {"text": "by tag"},
        {"text": "%(name)s has one", "plural": "%(name)s has %(counter)s"},
    ]


GOOD = {
    "Save": "Speichern",
    "%(who)s at %(where)s": "Bei %(where)s: %(who)s",
    "%s of %s": "%s von %s",
    "Edit {field}": "{field} ändern",
    "<b>%(n)s</b> kept": "<b>%(n)s</b> bleiben",
}


def _catalogue(texts: dict[str, str]) -> polib.POFile:
    catalogue = polib.POFile()
    catalogue.metadata = {
        "Content-Type": "text/plain; charset=UTF-8",
        "Plural-Forms": "nplurals=2; plural=(n != 1);",
    }
    catalogue.extend(polib.POEntry(msgid=msgid, msgstr=text) for msgid, text in texts.items())
    catalogue.append(
        polib.POEntry(
            msgid="One row", msgid_plural="%(n)s rows", msgstr_plural={0: "Eine", 1: "%(n)s Zeilen"}
        )
    )
    return catalogue


def _faults(catalogue: polib.POFile, tmp_path: Path, *, compiled: bool = True) -> list[str]:
    texts = {Key("", msgid): Found(Key("", msgid), files=["x.py"]) for msgid in GOOD}
    rows = Key("", "One row")
    texts[rows] = Found(rows, plural="%(n)s rows", files=["x.py"])
    path = tmp_path / "django.mo"
    if compiled:
        catalogue.save_as_mofile(str(path))
    return list(problems("de", catalogue, path, texts))


def test_a_good_catalogue_has_no_fault(tmp_path: Path) -> None:
    assert _faults(_catalogue(GOOD), tmp_path) == []


@pytest.mark.parametrize(
    ("msgid", "text", "fault"),
    [
        ("Save", "", "not translated"),
        ("%(who)s at %(where)s", "Bei %(where)s", "placeholders differ"),
        ("%(who)s at %(where)s", "%(who)s bei %(wo)s", "placeholders differ"),
        ("%(who)s at %(where)s", "%(who)s bei %(where)s, 100 %", "placeholders differ"),
        ("%s of %s", "%s von", "placeholders differ"),
        ("%s of %s", "%s von %d", "placeholders differ"),
        ("Edit {field}", "{feld} ändern", "placeholders differ"),
        ("<b>%(n)s</b> kept", "%(n)s bleiben", "HTML differs"),
        ("Save", " Speichern", "space at an end differs"),
        ("Save", '„Speichern"', "typography"),
    ],
)
def test_a_bad_translation_is_noticed(msgid: str, text: str, fault: str, tmp_path: Path) -> None:
    faults = _faults(_catalogue({**GOOD, msgid: text}), tmp_path)
    assert f"de: {fault}: {msgid!r}" in faults


def test_french_has_its_spaces(tmp_path: Path) -> None:
    catalogue = _catalogue({**GOOD, "Save": "Enregistrer ?"})
    path = tmp_path / "django.mo"
    catalogue.save_as_mofile(str(path))
    faults = list(problems("fr", catalogue, path, {}))
    assert "fr: typography: 'Save'" in faults


def test_a_text_that_the_catalogue_lacks_is_noticed(tmp_path: Path) -> None:
    catalogue = _catalogue({msgid: text for msgid, text in GOOD.items() if msgid != "Save"})
    assert _faults(catalogue, tmp_path) == ["de: not in the catalogue: 'Save' (x.py)"]


def test_a_text_that_nothing_says_any_more_is_noticed(tmp_path: Path) -> None:
    catalogue = _catalogue({**GOOD, "Formerly": "Früher"})
    assert _faults(catalogue, tmp_path) == ["de: nothing says this any more: 'Formerly'"]


def test_a_fuzzy_translation_is_noticed(tmp_path: Path) -> None:
    catalogue = _catalogue(GOOD)
    catalogue[0].flags.append("fuzzy")
    assert "de: marked as unsure (fuzzy): 'Save'" in _faults(catalogue, tmp_path)


def test_a_missing_plural_form_is_noticed(tmp_path: Path) -> None:
    catalogue = _catalogue(GOOD)
    catalogue[-1].msgstr_plural = {0: "Eine"}
    assert _faults(catalogue, tmp_path) == ["de: not all 2 plural forms: 'One row'"]


def test_a_plural_that_the_code_says_otherwise_is_noticed(tmp_path: Path) -> None:
    catalogue = _catalogue(GOOD)
    catalogue[-1].msgid_plural = "%(n)s lines"
    assert "de: the plural is another one in the code: 'One row'" in _faults(catalogue, tmp_path)


def test_a_mo_that_is_older_than_its_po_is_noticed(tmp_path: Path) -> None:
    catalogue = _catalogue(GOOD)
    assert _faults(catalogue, tmp_path, compiled=False) == [
        "de: django.mo is not what the .po says"
    ]
    _catalogue({**GOOD, "Save": "Sichern"}).save_as_mofile(str(tmp_path / "django.mo"))
    assert _faults(catalogue, tmp_path, compiled=False) == [
        "de: django.mo is not what the .po says"
    ]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("de", ["0 Produkte", "1 Produkt", "2 Produkte", "1000 Produkte", "1000000 Produkte"]),
        ("fr", ["0 produit", "1 produit", "2 produits", "1000 produits", "1000000 produits"]),
    ],
)
def test_a_number_has_its_plural(language: str, said: list[str]) -> None:
    with translation.override(language):
        for number, words in zip((0, 1, 2, 1000, 1_000_000), said, strict=True):
            text = ngettext("%d product activated", "%d products activated", number) % number
            assert text.startswith(f"{words} ")
