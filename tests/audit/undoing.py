"""What the tests of undo share: pieces of work, and the change sets that they leave."""

from typing import Any

from backoffice.accounts.models import User
from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import ChangeSet
from backoffice.audit.undo.names import named_rows
from backoffice.audit.undo.services import (
    ObjectKey,
    UndoPlan,
    UndoResult,
    plan_undo,
    undo_change_set,
)
from inventory.models import Product


def work(action: str, actor: User | None = None) -> Any:
    """A piece of work that is one change set, found by its action."""
    return audit_context(source=Source.ADMIN, actor=actor, action=action, reason="as ordered")


def done(action: str) -> ChangeSet:
    return ChangeSet.objects.get(action=action)


def undo(change_set: ChangeSet, actor: User | None = None, **more: Any) -> UndoResult:
    return undo_change_set(change_set=change_set, actor=actor, reason="a mistake", **more)


def kept_because(plan: UndoPlan, model: Any = Product) -> dict[str, tuple[str, str]]:
    """By name: why each kept row stays, as a code and in words."""
    rows = named_rows(model, plan.rows(model, kept=True, size=1000))
    return {row.name: (str(row.row.kept), row.reason) for row in rows}


def only(obj: Any) -> ObjectKey:
    return ObjectKey(model=type(obj), key=str(obj.pk))


def planned(action: str, **more: Any) -> UndoPlan:
    return plan_undo(done(action), **more)
