"""Rules of other rooms that an undo must not go around.

What the database forbids needs no mention here. A room that has rules of another kind (who may
give access to whom) says them once, for its models, when its app is ready.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import models


@dataclass(frozen=True, kw_only=True)
class UndoGuard:
    """What holds for the rows of a model besides the database's own rules.

    `permission` stands in for add, change and delete of a model that has no such permissions.
    `lock` is called before any row is locked. `forbidden` gets history rows (states before, and
    states that would go) with the actor, and returns those that this actor may not touch.
    `check` is called when everything is written, and raises a DomainError if that cannot stay.
    """

    permission: str = ""
    lock: Callable[[], None] | None = None
    forbidden: Callable[[models.QuerySet, Any], models.QuerySet] | None = None
    check: Callable[[], None] | None = None


_guards: dict[type[models.Model], UndoGuard] = {}


def guard_undo(model: type[models.Model], guard: UndoGuard) -> None:
    _guards[model] = guard


def guard_of(model: type[models.Model]) -> UndoGuard:
    return _guards.get(model, UndoGuard())
