"""The entries of the timeline as lines of a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from django.apps import apps
from django.db import models
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.audit.history import Entry
from backoffice.audit.models import ChangeSet
from backoffice.audit.secrecy import facts_told
from backoffice.audit.selectors import Tally
from backoffice.audit.timeline import Page
from backoffice.audit.timeline_contents import counted, shown_at_once
from backoffice.audit.wording import FACTS, grouped, source_in_words

# Material Symbols.
_ICONS = {
    ChangeSet.Kind.SIGN_IN: "login",
    ChangeSet.Kind.SIGN_IN_FAILED: "gpp_maybe",
    ChangeSet.Kind.SIGN_OUT: "logout",
    ChangeSet.Kind.LOCK_OUT: "lock",
    ChangeSet.Kind.PASSWORD: "key",
    ChangeSet.Kind.EXPORT: "download",
    ChangeSet.Kind.REFUSED: "block",
    ChangeSet.Kind.NOTE: "sticky_note_2",
}
_ICONS_OF_SOURCES = {
    "admin": "edit", "api": "api", "import": "upload_file", "task": "schedule",
    "command": "terminal", "shell": "terminal", "sql": "database",
}  # fmt: skip
_ALARMING = {ChangeSet.Kind.SIGN_IN_FAILED, ChangeSet.Kind.LOCK_OUT, ChangeSet.Kind.REFUSED}
LONGEST_FACT = 120


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One object of a small entry, and what became of it."""

    what: str
    entry: Entry


@dataclass(frozen=True, kw_only=True)
class Line:
    """One entry of the timeline, ready to be shown."""

    change_set: ChangeSet
    icon: str
    tone: str
    what: str
    is_event: bool
    cause: str
    tallies: list[str]
    shown: list[Shown]
    facts: list[tuple[str, str]]
    unsure: bool


@dataclass(frozen=True, kw_only=True)
class Day:
    name: str
    date: date
    lines: list[Line]


def days_of(page: Page, readable: Sequence[type[models.Model]], viewer: Any) -> list[Day]:
    """The lines of a page by day. The number of queries does not depend on the number of lines."""
    tallies = counted([entry.pk for entry in page.entries], readable)
    shown = shown_at_once(tallies, viewer=viewer)
    lines = [
        Line(
            change_set=entry,
            icon=_icon(entry),
            tone=_tone(entry),
            what=entry.action or _without_action(entry),
            is_event=entry.kind != ChangeSet.Kind.CHANGE,
            cause=reference_in_words(entry.reference),
            tallies=[tally_in_words(tally) for tally in tallies.get(entry.pk, [])],
            shown=[
                Shown(what=capfirst(str(model._meta.verbose_name)), entry=each)
                for model, each in shown.get(entry.pk, [])
            ],
            facts=facts_in_words(facts_told(entry.facts, viewer)),
            unsure=entry.pk in page.unsure,
        )
        for entry in page.entries
    ]
    return [
        Day(name=_day_in_words(day), date=day, lines=list(group))
        for day, group in groupby(lines, key=lambda line: timezone.localdate(line.change_set.at))
    ]


def tally_in_words(tally: Tally) -> str:
    """ "Products: 2,517 added · 3 changed"."""
    name = capfirst(str(tally.model._meta.verbose_name_plural))
    return f"{name}: {counts_in_words(tally)}"


def counts_in_words(tally: Tally) -> str:
    if tally.more_than:
        return _("more than %s") % grouped(tally.more_than)
    parts = [
        (tally.added, ngettext("%s added", "%s added", tally.added)),
        (tally.changed, ngettext("%s changed", "%s changed", tally.changed)),
        (tally.deleted, ngettext("%s deleted", "%s deleted", tally.deleted)),
    ]
    return " · ".join(text % grouped(number) for number, text in parts if number)


def reference_in_words(reference: str) -> str:
    """What "app.model/key" names, without looking it up."""
    label, _slash, key = reference.partition("/")
    try:
        return f"{capfirst(str(apps.get_model(label)._meta.verbose_name))} {key}"
    except (LookupError, ValueError):
        return reference


def facts_in_words(facts: Any, *, shorten: bool = True) -> list[tuple[str, str]]:
    """What an event has to say besides, by name."""
    if not isinstance(facts, dict):
        return [("", str(facts))] if facts else []
    known = [name for name in FACTS if name in facts]
    return [
        (str(FACTS.get(name, capfirst(name.replace("_", " ")))), _shortened(_fact(value), shorten))
        for name in [*known, *(name for name in facts if name not in FACTS)]
        if (value := facts[name]) not in (None, "", {}, [])
    ]


def _fact(value: Any) -> str:
    match value:
        case bool():
            text = _("yes") if value else _("no")
        case int():
            text = grouped(value)
        case dict():
            text = ", ".join(f"{name}: {_fact(each)}" for name, each in value.items())
        case list():
            text = ", ".join(_fact(each) for each in value)
        case _:
            text = str(value)
    return text


def _shortened(text: str, shorten: bool) -> str:
    return text[: LONGEST_FACT - 1] + "…" if shorten and len(text) > LONGEST_FACT else text


def _icon(entry: ChangeSet) -> str:
    if entry.kind == ChangeSet.Kind.CHANGE:
        return _ICONS_OF_SOURCES.get(entry.source, "edit")
    return _ICONS.get(entry.kind, "info")  # type: ignore[call-overload, no-any-return]


def _tone(entry: ChangeSet) -> str:
    """How an entry stands out: what nobody announced, and what should not have happened."""
    if entry.kind in _ALARMING or entry.source == "sql":
        return "alarm"
    return "change" if entry.kind == ChangeSet.Kind.CHANGE else "event"


def _without_action(entry: ChangeSet) -> str:
    if entry.kind == ChangeSet.Kind.CHANGE:
        return capfirst(_("change through %s") % source_in_words(entry.source))
    return capfirst(str(entry.get_kind_display()))


def _day_in_words(day: date) -> str:
    name = date_format(day)
    match (timezone.localdate() - day).days:
        case 0:
            return _("Today, %s") % name
        case 1:
            return _("Yesterday, %s") % name
    return f"{date_format(day, 'l')}, {name}"
