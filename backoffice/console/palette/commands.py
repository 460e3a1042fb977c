"""Pages and actions by the words of their names, and by words that are nearly these."""

import unicodedata
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from backoffice.accounts.roles import RoleName

from .registry import Source, actions
from .results import Result

_NEARLY = 0.75
_SHORTEST_NEARLY = 4


class Command:
    """A page or an action that this user may open, and the words that lead to it."""

    def __init__(self, result: Result, words: str = "", roles: Sequence[RoleName] = ()) -> None:
        self.result = result
        self.roles = roles
        self.words = _words(f"{result.title} {words}")

    def has(self, typed: Sequence[str]) -> bool:
        """Whether each of the typed words begins one of these."""
        return all(any(word.startswith(each) for word in self.words) for each in typed)

    def nearly_has(self, typed: Sequence[str]) -> bool:
        return bool(typed) and all(
            any(_is_like(each, word) for word in self.words) for each in typed
        )


def all_commands(
    request: HttpRequest, pages: Iterable[Result], sources: Iterable[Source]
) -> list[Command]:
    """All that this user may open: the lists, what each offers besides, and further actions."""
    found = [Command(page) for page in pages]
    for source in sources:
        found += _commands_of_list(request, source)
    for action in actions.values():
        if action.allowed(request):
            result = Result(
                title=str(action.label),
                icon=action.icon,
                link=reverse(action.address),
                key=f"do/{action.name}",
            )
            found.append(Command(result, str(action.words), action.roles))
    return found


def _commands_of_list(request: HttpRequest, source: Source) -> list[Command]:
    """To add, import and export, as far as the list has such a page and the user the right."""
    if not admin.site.is_registered(source.model):
        return []
    model_admin: Any = admin.site.get_model_admin(source.model)
    opts = source.model._meta
    one, many = {"name": opts.verbose_name}, {"name": opts.verbose_name_plural}
    offered = [
        ("add", _("Add %(name)s") % one, "add", _("new create")),
        ("import", _("Import %(name)s") % many, "upload_file", _("upload file csv excel")),
        ("export", _("Export %(name)s") % many, "download", _("download file csv excel")),
    ]
    found = []
    for page, title, icon, words in offered:
        may = getattr(model_admin, f"has_{page}_permission", None)
        if may is None or not may(request):
            continue
        try:
            link = reverse(f"admin:{opts.app_label}_{opts.model_name}_{page}")
        except NoReverseMatch:
            continue
        key = f"do/{page}-{opts.label_lower}"
        roles = (RoleName.CATALOGUE_MANAGER,) if page != "export" else ()
        found.append(Command(Result(title=title, icon=icon, link=link, key=key), words, roles))
    return found


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text)
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return plain.casefold().split()


def typed_words(text: str) -> list[str]:
    return _words(text)


def _is_like(typed: str, word: str) -> bool:
    if len(typed) < _SHORTEST_NEARLY:
        return word.startswith(typed)
    return SequenceMatcher(None, typed, word).ratio() >= _NEARLY
