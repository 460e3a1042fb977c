"""What the palette answers to what was typed, and what it offers before."""

from collections.abc import Iterable, Sequence

from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from backoffice.console.people import role_names
from backoffice.time_limit import TookTooLong

from .commands import Command, all_commands, typed_words
from .objects import SHOWN, Searched, large_models
from .registry import sources
from .results import Answer, Group, Result

LONGEST = 100
MOST_RECENT = 8
# Indexes find no less than so many letters.
_SHORTEST_INDEXED = 3


def find(request: HttpRequest, typed: str, pages: Iterable[Result] = ()) -> Answer:
    """Exact codes first, then pages and actions, then the best of each model.

    What is only similar comes where nothing else does. Each model is searched as its list in the
    admin is for this user.
    """
    typed = " ".join(typed.replace("\0", "").split())[:LONGEST]
    if not typed:
        return Answer()
    searched = _searched(request)
    commands = all_commands(request, pages, sources.values())
    exact = [(each, each.of_code(typed)) for each in searched]
    of_code = [each.result(obj) for each, objects in exact for obj in objects]
    groups = [Group(title=_("Exactly this"), results=of_code)] if of_code else []
    words = typed_words(typed)
    groups += _of_commands(command for command in commands if command.has(words))
    known = {(each.source.model, obj.pk) for each, objects in exact for obj in objects}
    notes, by_words = [], searched
    if all(len(word) < _SHORTEST_INDEXED for word in typed.split()):
        large = large_models([each.source for each in searched])
        by_words = [each for each in searched if each.source.model not in large]
        notes = [_too_short(each) for each in searched if each.source.model in large]
    for each in by_words:
        keys = each.with_words(typed)
        if keys:
            others = [key for key in keys if (each.source.model, key) not in known]
            if others:
                groups.append(each.group(each.best(others, typed), found=len(others), typed=typed))
    if groups:
        return Answer(groups=groups, notes=notes)
    groups, unfinished = _similar(by_words, commands, typed)
    return Answer(groups=groups, is_similar=True, notes=notes + unfinished)


def _similar(
    searched: Sequence[Searched], commands: Sequence[Command], typed: str
) -> tuple[list[Group], list[str]]:
    """What is similar; and of which models that was not found in time."""
    words = typed_words(typed)
    groups = _of_commands(command for command in commands if command.nearly_has(words))
    unfinished = []
    for each in searched:
        try:
            objects = each.in_order(each.like(typed))
        except TookTooLong:
            unfinished.append(_takes_longer(each))
            continue
        if objects:
            groups.append(each.group(objects, found=len(objects), typed=typed))
    return groups, unfinished


def _of_commands(commands: Iterable[Command]) -> list[Group]:
    results = [command.result for command in commands][:SHOWN]
    return [Group(title=_("Pages and actions"), results=results)] if results else []


def _too_short(searched: Searched) -> str:
    name = searched.source.model._meta.verbose_name_plural
    return _("Type three letters of a word to search %(name)s too.") % {"name": name}


def _takes_longer(searched: Searched) -> str:
    name = searched.source.model._meta.verbose_name_plural
    return _("To find similar %(name)s takes longer: search their list.") % {"name": name}


def _searched(request: HttpRequest) -> list[Searched]:
    found = (Searched.by(request, source) for source in sources.values())
    return [each for each in found if each is not None]


def before_typing(
    request: HttpRequest, recent: Sequence[str], pages: Iterable[Result] = ()
) -> Answer:
    """What was opened last, by the keys that the browser remembers, and what this role does."""
    commands = all_commands(request, pages, sources.values())
    opened = _opened(request, recent[:MOST_RECENT], commands)
    groups = [Group(title=_("Opened last"), results=opened)] if opened else []
    usual = [each.result for each in usual_commands(request, commands)]
    shown = {result.key for result in opened}
    offered = [result for result in usual if result.key not in shown][:SHOWN]
    if offered:
        groups.append(Group(title=_("What you can do"), results=offered))
    return Answer(groups=groups)


def usual_commands(request: HttpRequest, commands: Iterable[Command]) -> list[Command]:
    """What belongs to the daily work of this user's roles; then the other actions."""
    names = role_names(request)
    doing = [command for command in commands if command.result.key.startswith("do/")]
    return sorted(doing, key=lambda command: names.isdisjoint(command.roles))


def _opened(
    request: HttpRequest, recent: Sequence[str], commands: Iterable[Command]
) -> list[Result]:
    found = {command.result.key: command.result for command in commands if command.result.key}
    wanted: dict[str, list[str]] = {}
    for key in recent:
        label, _slash, number = key.partition("/")
        if label in sources:
            wanted.setdefault(label, []).append(number)
    for label, numbers in wanted.items():
        if searched := Searched.by(request, sources[label]):
            objects = searched.of_keys(numbers)
            found |= {f"{label}/{key}": searched.result(obj) for key, obj in objects.items()}
    return [found[key] for key in dict.fromkeys(recent) if key in found]


def pages_of(navigation: Iterable[dict[str, object]]) -> list[Result]:
    """The entries of the sidebar, as pages to go to."""
    return [
        Result(
            title=str(capfirst(str(item["title"]))),
            icon=str(item["icon"]),
            link=str(item["link"]),
            key=f"go/{item['link']}",
        )
        for group in navigation
        for item in group["items"]  # type: ignore[attr-defined]
    ]
