"""Undo of a change set, of a part of one, and of a deletion: the services.

Rows whose newest version is of the change set go back to what they were before; what changed
since, what others depend on and what a rule forbids is kept, with the reason. It is set-based, in
one transaction, and a change set of its own, which can be undone as well.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from django.db import connection, models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.audit.context import AuditContext, Source, audit_context, current_context
from backoffice.audit.exceptions import (
    NotAChange,
    NothingToUndo,
    NotOnRecord,
    PlanOutdated,
    UndoNotPermitted,
    UndoReasonMissing,
)
from backoffice.audit.history import Kind
from backoffice.audit.language import on_record
from backoffice.audit.models import ChangeSet
from backoffice.audit.naming import history_of
from backoffice.audit.reasons import said
from backoffice.progress import made_since_now, report

from .guards import guarded
from .names import names_of
from .plan import Act, Keep, UndoPlan, tally_stages
from .rules import keep_what_must_stay
from .staging import choose, lock_rows, reference_to, stage_rows, touched_tables
from .tables import UndoTable
from .writing import write_plan

PERMISSION = "audit.undo_changeset"


@dataclass(frozen=True, kw_only=True)
class ObjectKey:
    """One object, by its model and the text of its key."""

    model: type[models.Model]
    key: str


@dataclass(frozen=True, kw_only=True)
class UndoResult:
    """What was done, as its plan says; `change_set` is that of the undo."""

    change_set: ChangeSet
    plan: UndoPlan


def plan_undo(
    change_set: ChangeSet, *, actor: Any = None, only: ObjectKey | None = None
) -> UndoPlan:
    """What undoing a change set, or `only` one object of it, would do now if `actor` did it.

    Needs an open transaction, whose end takes the pages of the plan with it. Without an actor,
    everything is permitted. Raises NotAChange for an event, NotOnRecord if the object is not of
    this change set.
    """
    _refuse_events(change_set)
    return _planned(change_set, touched_tables(change_set), actor, only)


@transaction.atomic
def undo_change_set(
    *,
    change_set: ChangeSet,
    actor: Any,
    reason: str,
    only: ObjectKey | None = None,
    previewed: str = "",
) -> UndoResult:
    """Put back what a change set did, as far as it still stands. `actor` None is the system.

    `previewed` is the fingerprint of the plan that somebody agreed to. Raises UndoReasonMissing,
    UndoNotPermitted, NotAChange, NotOnRecord, PlanOutdated, NothingToUndo, UndoRefusedByDatabase;
    nothing is written then. Locks the rows, tables in the order of their foreign keys and rows in
    that of their keys, before it looks at what changed since.
    """
    reason = said(reason)
    if not reason:
        raise UndoReasonMissing
    if actor is not None and not actor.has_perm(PERMISSION):
        raise UndoNotPermitted
    _refuse_events(change_set)
    tables = touched_tables(change_set)
    on_the_record = _on_the_record(change_set, only, actor=actor, reason=reason)
    with on_the_record, guarded(table.model for table in tables):
        report(_("Locking the rows"))
        lock_rows(change_set, tables)
        report(_("Looking at what changed since"))
        plan = _planned(change_set, tables, actor, only)
        if previewed and previewed != plan.fingerprint:
            raise PlanOutdated
        if not plan.undone:
            raise NothingToUndo(plan)
        # Each row that goes back leaves one in its history.
        written = made_since_now(*(table.history_model for table in tables))
        report(_("Putting back"), total=plan.undone, probe=written)
        write_plan(tables)
        report(_("Finishing"))
        plan = UndoPlan(change_set=change_set, tables=tables, tallies=tally_stages(tables))
        if not plan.undone:
            raise NothingToUndo(plan)
        return UndoResult(change_set=change_set_of_this_transaction(), plan=plan)


def restore_object(
    *, model: type[models.Model], key: Any, actor: Any, reason: str, previewed: str = ""
) -> UndoResult:
    """Bring a deleted object back with all that its deletion took along: parts, tags, links.

    Raises what `undo_change_set` raises; NotOnRecord if it was never deleted.
    """
    return undo_change_set(
        change_set=deletion_of(model, key),
        actor=actor,
        reason=reason,
        only=ObjectKey(model=model, key=str(key)),
        previewed=previewed,
    )


def deletion_of(model: type[models.Model], key: Any) -> ChangeSet:
    """The change set that an object went with. Raises NotOnRecord if it lives or never did."""
    last = (
        history_of(model)
        ._base_manager.filter(**{model._meta.pk.attname: key})
        .order_by("-history_date", "-history_id")
        .first()
    )
    if last is None or last.history_type != Kind.DELETED:
        raise NotOnRecord
    return ChangeSet.objects.get(pk=last.change_set_id)


def undone_by(change_set: ChangeSet) -> models.QuerySet[ChangeSet]:
    """The change sets that undid this one or parts of it, newest first."""
    return ChangeSet.objects.filter(reference=reference_to(change_set)).order_by("-pk")


def _planned(
    change_set: ChangeSet, tables: Sequence[UndoTable], actor: Any, only: ObjectKey | None
) -> UndoPlan:
    if only is not None and not tables:
        raise NotOnRecord
    stage_rows(change_set, tables)
    if only is not None and not choose(tables, only.model, only.key):
        raise NotOnRecord
    keep_what_must_stay(tables, actor)
    return UndoPlan(change_set=change_set, tables=tables, tallies=tally_stages(tables))


def _refuse_events(change_set: ChangeSet) -> None:
    if change_set.kind != ChangeSet.Kind.CHANGE:
        raise NotAChange(change_set.pk)


def _on_the_record(
    change_set: ChangeSet, only: ObjectKey | None, *, actor: Any, reason: str
) -> AbstractContextManager[AuditContext]:
    what = change_set.action or on_record(gettext_lazy("change set %d"), change_set.pk)
    if only is not None:
        (name,) = names_of(only.model, {only.key}).values()
        what = on_record(
            gettext_lazy("%(action)s (only %(object)s)"), {"action": what, "object": name}
        )
    facts: dict[str, Any] = {
        "action": on_record(gettext_lazy("Undo of: %(action)s"), {"action": what}),
        "reason": reason,
        "reference": reference_to(change_set),
    }
    if actor is not None:
        facts["actor"] = actor
    if current_context() is None:  # nobody opened one: someone at a Python prompt
        facts["source"] = Source.SHELL
    return audit_context(**facts)


def change_set_of_this_transaction() -> ChangeSet:
    """The one that the last write of the open transaction belongs to."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT split_part(current_setting('audit.change_set', true), ':', 1)")
        (remembered,) = cursor.fetchone()
    return ChangeSet.objects.get(pk=int(remembered))


__all__ = [
    "PERMISSION",
    "Act",
    "Keep",
    "ObjectKey",
    "UndoPlan",
    "UndoResult",
    "change_set_of_this_transaction",
    "deletion_of",
    "plan_undo",
    "restore_object",
    "undo_change_set",
    "undone_by",
]
