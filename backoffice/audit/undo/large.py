"""Undos that take longer than a request may: a room that has workers takes them over.

The record knows of no workers. Whoever has some says so once, when its app is ready.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from backoffice.audit.models import ChangeSet

from .services import ObjectKey, UndoResult, undo_change_set
from .staging import rows_touched


@dataclass(frozen=True, kw_only=True)
class UndoRequest:
    """An undo as it was asked for; see `undo_change_set` for what each part of it means."""

    actor: Any
    change_set: ChangeSet
    reason: str
    only: ObjectKey | None = None
    previewed: str = ""

    def carry_out(self) -> UndoResult:
        """Do it here and now. Raises what `undo_change_set` raises."""
        return undo_change_set(
            change_set=self.change_set,
            actor=self.actor,
            reason=self.reason,
            only=self.only,
            previewed=self.previewed,
        )


@dataclass(frozen=True, kw_only=True)
class Workers:
    """`take` has an undo done elsewhere, and returns the address that tells how far it is."""

    is_large: Callable[[int], bool]  # gets the number of rows
    take: Callable[[UndoRequest], str]


_workers: Workers | None = None


def leave_large_undos_to(workers: Workers) -> None:
    global _workers  # noqa: PLW0603 - one for the process, set once
    _workers = workers


def is_for_workers(change_set: ChangeSet) -> bool:
    """Whether an undo of a change set is too much for a request; one of a part looks at all of it
    as well."""
    return _workers is not None and _workers.is_large(rows_touched(change_set))


def hand_over(asked: UndoRequest) -> str | None:
    """The page of an undo that workers do; None for one that is to be carried out at once."""
    if _workers is None or not is_for_workers(asked.change_set):
        return None
    return _workers.take(asked)
