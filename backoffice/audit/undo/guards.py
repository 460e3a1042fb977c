"""Rules of other rooms that an undo must not go around.

What the database forbids needs no mention here. A room that has rules of another kind (who may
give access to whom) says them once, for its models, when its app is ready.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from typing import Any

from django.db import models


@dataclass(frozen=True, kw_only=True)
class UndoGuard:
    """What holds for the rows of a model besides the database's own rules.

    `permission` stands in for add, change and delete of a model that has no such permissions.
    `forbidden` gets history rows (states before, and states that would go) with the actor, and
    returns those that this actor may not touch. `around` is entered before any row is locked and
    left when everything is written, and may then raise a DomainError: nothing of it stays.
    """

    permission: str = ""
    forbidden: Callable[[models.QuerySet, Any], models.QuerySet] | None = None
    around: Callable[[], AbstractContextManager[None]] = nullcontext


_guards: dict[type[models.Model], UndoGuard] = {}


def guard_undo(model: type[models.Model], guard: UndoGuard) -> None:
    _guards[model] = guard


def guard_of(model: type[models.Model]) -> UndoGuard:
    return _guards.get(model, UndoGuard())


def guarded(models_touched: Iterable[type[models.Model]]) -> ExitStack:
    """All that has to be around a write to these models, each once."""
    stack = ExitStack()
    for around in dict.fromkeys(guard_of(model).around for model in models_touched):
        stack.enter_context(around())
    return stack
