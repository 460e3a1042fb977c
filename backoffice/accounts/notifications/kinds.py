"""The kinds of things that users are told of. Each room registers its own when it is ready."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

type Parameters = Mapping[str, Any]
type Wording = Callable[[Parameters], str]


def _nothing(_parameters: Parameters) -> str:
    return ""


def _everybody(_user: Any) -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of notification: how it is put into words, and how it is told unless chosen.

    `text` is one sentence and `details` whatever else there is to say, both made of the
    parameters when somebody reads, in their language. `concerns` says who may ever be told of it:
    nobody else is asked how they want to be.
    """

    name: str
    label: "StrOrPromise"
    text: Wording
    details: Wording = _nothing
    icon: str = "notifications"
    in_app: bool = True
    by_email: bool = False
    concerns: Callable[[Any], bool] = _everybody


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> Kind:
    _kinds[kind.name] = kind
    return kind


def get_kind(name: str) -> Kind | None:
    """The kind, or None for one that was there once."""
    return _kinds.get(name)


def kinds_for(user: Any) -> list[Kind]:
    """What a user may ever be told of."""
    return [kind for kind in _kinds.values() if kind.concerns(user)]
