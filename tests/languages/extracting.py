"""What there is to translate: every text that our code and our templates give to gettext.

Read without gettext's programs, so that it is the same on every machine. Libraries that come with
no translations of their own (Unfold) are read as well.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from django.apps import apps
from django.conf import settings
from django.utils.translation import templatize

OURS = ("backoffice", "inventory", "config")

# Which arguments of these functions are the context, the text and the plural.
_FUNCTIONS = {
    "gettext": ("text",),
    "ngettext": ("text", "plural"),
    "pgettext": ("context", "text"),
    "npgettext": ("context", "text", "plural"),
}
_FUNCTIONS |= {f"{name}_lazy": arguments for name, arguments in _FUNCTIONS.items()}
_FUNCTIONS |= {"gettext_noop": ("text",)}

# What Django's templatize makes of a template: calls with literals among letters without meaning.
_LITERAL = r"""u?(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")"""
_CALL = re.compile(
    rf"\b(_|n?p?gettext)\(\s*({_LITERAL}(?:\s*,\s*{_LITERAL})*)\s*(?:,\s*count\s*)?\)"
)


class Key(NamedTuple):
    """How a catalogue knows a text."""

    context: str
    text: str


@dataclass
class Found:
    """A text, its plural, and the files that it is in."""

    key: Key
    plural: str = ""
    files: list[str] = field(default_factory=list)

    @property
    def with_placeholders(self) -> bool:
        """Whether its signs of percent are placeholders, so that "%%" means "%"."""
        return "%(" in self.key.text or bool(re.search(r"%[sd]", self.key.text))


class NotAConstant(NamedTuple):
    """A call whose text is made when it runs, so that no catalogue can have it."""

    file: str
    line: int


def texts() -> tuple[dict[Key, Found], list[NotAConstant]]:
    """All texts of ours and of Unfold, in the order of the files."""
    found: dict[Key, Found] = {}
    loose: list[NotAConstant] = []
    for file, path in _files():
        if path.suffix == ".py":
            calls, variable = in_python(path.read_text(encoding="utf-8"))
            if file.startswith(OURS):
                loose += [NotAConstant(file, line) for line in variable]
        else:
            calls = in_template(path.read_text(encoding="utf-8"))
        for call in calls:
            _keep(found, file, call)
    return found, loose


def _files() -> Iterator[tuple[str, Path]]:
    """Modules and templates: ours, then those of the parts of Unfold that are installed."""
    folders = [(name, Path(settings.BASE_DIR) / name) for name in OURS]
    unfold = [config for config in apps.get_app_configs() if config.name.startswith("unfold")]
    folders += [(config.name.replace(".", "/"), Path(config.path)) for config in unfold]
    for name, folder in folders:
        for path in sorted(folder.rglob("*")):
            parts = path.relative_to(folder).parts
            ours = name in OURS
            if "migrations" in parts or (not ours and parts[0] in {"contrib", "crispy"}):
                continue
            if path.suffix == ".py" or (
                path.suffix in {".html", ".txt"}
                and "templates" in parts
                and "unfold_crispy" not in parts
            ):
                yield f"{name}/{'/'.join(parts)}", path


def _keep(found: dict[Key, Found], file: str, call: dict[str, str]) -> None:
    key = Key(call.get("context", ""), call["text"])
    if not key.text:
        return
    known = found.setdefault(key, Found(key))
    known.plural = known.plural or call.get("plural", "")
    if file not in known.files:
        known.files.append(file)


def in_python(source: str) -> tuple[list[dict[str, str]], list[int]]:
    """The texts of a module, and the lines of calls whose text is no literal."""
    tree = ast.parse(source)
    names = {
        alias.asname or alias.name: _FUNCTIONS[alias.name]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for alias in node.names
        if alias.name in _FUNCTIONS
    }
    calls, variable = [], []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        # `translation.gettext(name)` is of a text that gettext_noop marked elsewhere.
        named = isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value)
        if isinstance(node.func, ast.Name):
            wanted = names.get(node.func.id)
        elif isinstance(node.func, ast.Attribute) and named == "translation":
            wanted = _FUNCTIONS.get(node.func.attr)
        else:
            continue
        if not wanted:
            continue
        given = [
            argument.value
            for argument in node.args[: len(wanted)]
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
        ]
        if len(given) == len(wanted):
            calls.append(dict(zip(wanted, given, strict=True)))
        elif not named:
            variable.append(node.lineno)
    return calls, variable


def in_template(source: str) -> list[dict[str, str]]:
    """The texts of a template, as Django itself marks them."""
    return [
        dict(
            zip(
                _FUNCTIONS["gettext" if name == "_" else name],
                ast.literal_eval(f"({literals},)"),
                strict=True,
            )
        )
        for name, literals in _CALL.findall(templatize(source))
    ]
