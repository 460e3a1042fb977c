"""People named in a note, as "@Ana Alpha", "@Ana" or "@ana@shop.example".

Found when the note is written, and kept with it: who they were is on the record, whatever becomes
of them or of their names.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_permission_codename, get_user_model
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from .naming import history_of

# So many people a note may name.
MOST_MENTIONED = 20
OFFERED = 8
# An @ that begins a word, and what may be a name or an address after it.
_MENTION = re.compile(r"(?<![\w@.])@(?=\w)")
_WORD = re.compile(r"[\w.+-]+(?:@[\w-]+(?:\.[\w-]+)+)?")
_LONGEST = 100
_MARKED = '<mark class="audit-mention">{}</mark>'


@dataclass(frozen=True)
class Mentions:
    """`told` are users by what the note calls them; `unknown` is what nobody is called."""

    told: dict[str, Any]
    unknown: list[str]


def find_mentions(text: str, *, model_admin: Any, obj: models.Model) -> Mentions:
    """Whom a text names among those who may read what is written about an object."""
    told: dict[str, Any] = {}
    unknown: list[str] = []
    for found in list(_MENTION.finditer(text))[:MOST_MENTIONED]:
        rest = text[found.end() :][:_LONGEST]
        word = _WORD.match(rest)
        called = word.group().rstrip(".-") if word else ""
        if not called:
            continue
        named = _named(rest, called, model_admin, obj)
        if named:
            name, user = named
            told[f"@{name}"] = user
        elif f"@{called}" not in unknown:
            unknown.append(f"@{called}")
    return Mentions(told, unknown)


def _named(rest: str, called: str, model_admin: Any, obj: models.Model) -> tuple[str, Any] | None:
    """The reader that a text begins with the name of, by the longest name; None if not just one."""
    lower = rest.casefold()
    matches: dict[str, set[Any]] = {}
    if "@" in called:
        people = readers(model_admin.model).filter(email__iexact=called)
    else:
        begins = Q(first_name__istartswith=called[0])
        begins |= Q(first_name="", last_name__istartswith=called[0])
        people = readers(model_admin.model).filter(begins)
    for user in people.order_by("pk")[:500]:
        for name in (user.email, user.get_full_name(), user.first_name):
            if name and lower.startswith(name.casefold()) and not _goes_on(rest[len(name) :]):
                matches.setdefault(rest[: len(name)], set()).add(user)
    for name in sorted(matches, key=len, reverse=True):
        able = [user for user in matches[name] if may_read(user, model_admin, obj)]
        if len(able) == 1:
            return name, able[0]
        if able:
            return None
    return None


def _goes_on(rest: str) -> bool:
    return bool(rest) and (rest[0].isalnum() or rest[0] in "_@")


def readers(model: type[models.Model]) -> QuerySet[Any]:
    """Everyone who may view objects of a model, and their history: who reads notes about them."""
    backend = ModelBackend()
    options, history = model._meta, history_of(model)._meta

    def holders(meta: Any, right: str) -> QuerySet[Any]:
        permission = f"{meta.app_label}.{get_permission_codename(right, meta)}"
        return backend.with_perm(permission).values("pk")

    return get_user_model()._default_manager.filter(
        Q(pk__in=holders(options, "view")) | Q(pk__in=holders(options, "change")),
        pk__in=holders(history, "view"),
        is_active=True,
        is_staff=True,
    )


def may_read(user: Any, model_admin: Any, obj: models.Model) -> bool:
    """Whether a user may see this very object, and what is written about it."""
    request = HttpRequest()
    request.method, request.user = "GET", user
    try:
        found = model_admin.get_object(request, str(obj.pk))
    except (ValidationError, ValueError):
        return False
    return found is not None and bool(model_admin.has_view_history_permission(request, found))


def offered(term: str, *, model_admin: Any, obj: models.Model) -> list[tuple[str, str]]:
    """Readers whose name or address has the term at the start of a word: handle and full name."""
    people = readers(model_admin.model)
    for word in term.split():
        people = people.filter(
            Q(first_name__istartswith=word) | Q(last_name__istartswith=word)
            | Q(last_name__icontains=f" {word}") | Q(email__istartswith=word)
        )  # fmt: skip
    able = [
        user
        for user in people.order_by("first_name", "last_name", "pk")[: OFFERED * 4]
        if may_read(user, model_admin, obj)
    ][:OFFERED]
    return [(_handle(user, model_admin.model), user.get_full_name() or user.email) for user in able]


def _handle(user: Any, model: type[models.Model]) -> str:
    """What names a reader and nobody else: the full name, or the address where two share it."""
    same = {"first_name__iexact": user.first_name, "last_name__iexact": user.last_name}
    full = user.get_full_name()
    return f"@{full}" if full and readers(model).filter(**same).count() == 1 else f"@{user.email}"


def marked(text: str, mentions: Iterable[str]) -> SafeString:
    """A note with the names in it marked, and everything escaped."""
    names: Sequence[str] = sorted((name for name in mentions if name), key=len, reverse=True)
    if not names:
        return format_html("{}", text)
    pieces = re.split(f"({'|'.join(re.escape(name) for name in names)})", text)
    return format_html_join(
        "",
        "{}",
        ((format_html(_MARKED, piece) if piece in names else piece,) for piece in pieces),
    )
