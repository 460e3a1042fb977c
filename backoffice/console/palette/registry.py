"""What the palette looks through. Filled by the admin packages of the apps as they are loaded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import models
from django.http import HttpRequest

from backoffice.accounts.roles import RoleName

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True, kw_only=True)
class Source:
    """The objects of a model, as its list in the admin has them."""

    model: type[models.Model]
    icon: str
    title: Callable[[Any], str]
    note: Callable[[Any], str]
    related: Sequence[str]
    text: Any
    codes: Sequence[str] | None


@dataclass(frozen=True, kw_only=True)
class Action:
    """Something to do that has a page of its own."""

    name: str
    label: "StrOrPromise"
    icon: str
    address: str  # the name of its URL
    allowed: Callable[[HttpRequest], bool]
    words: "StrOrPromise" = ""  # others by which people look for it, beside those of the label
    roles: Sequence[RoleName] = ()  # whose daily work it is: theirs see it before they type


sources: dict[str, Source] = {}
actions: dict[str, Action] = {}


def register(
    model: type[models.Model],
    *,
    icon: str,
    title: Callable[[Any], str] = str,
    note: Callable[[Any], str] = lambda _obj: "",
    related: Sequence[str] = (),
    text: Any = None,
    codes: Sequence[str] | None = None,
) -> None:
    """Let the palette find the objects of a model, and its pages to add, import and export.

    Text and codes are the `search_text` and `search_codes` of its ModelAdmin unless they are said.
    `note` tells an object from its namesakes; `related` is what title and note need besides.
    """
    sources[model._meta.label_lower] = Source(
        model=model,
        icon=icon,
        title=title,
        note=note,
        related=related,
        text=text,
        codes=codes,
    )


def register_action(action: Action) -> None:
    actions[action.name] = action
