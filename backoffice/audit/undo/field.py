"""One field of one object goes back to what it was: the service."""

from contextlib import AbstractContextManager
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import DatabaseError, OperationalError, models, transaction
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.audit.context import AuditContext, Source, audit_context, current_context
from backoffice.audit.exceptions import (
    FieldCannotBeReverted,
    FieldChangedSince,
    NothingToRevert,
    NotOnRecord,
    ObjectGone,
    TargetGone,
    UndoNotPermitted,
    UndoReasonMissing,
    UndoRefusedByDatabase,
)
from backoffice.audit.language import on_record
from backoffice.audit.models import ChangeSet
from backoffice.audit.naming import Names, history_of, tracked_fields
from backoffice.audit.reasons import said
from backoffice.audit.secrecy import hidden_fields
from backoffice.audit.wording import value_in_words

from .guards import guard_of, guarded
from .rules import permission_for
from .services import PERMISSION, change_set_of_this_transaction
from .tables import UndoTable
from .writing import rule_of


@transaction.atomic
def revert_field(
    *,
    model: type[models.Model],
    key: Any,
    field: str,
    to: int,
    seen: int,
    actor: Any,
    reason: str,
) -> ChangeSet:
    """Give a field the value that it has in the history row `to`.

    `seen` is the newest history row that somebody had before their eyes: if the field is not what
    it says, FieldChangedSince is raised. Raises UndoReasonMissing, UndoNotPermitted, ObjectGone,
    NotOnRecord, FieldCannotBeReverted, NothingToRevert, TargetGone, UndoRefusedByDatabase;
    nothing is written then. Locks the row first.
    """
    reason = said(reason)
    if not reason:
        raise UndoReasonMissing
    column = revertible_field(model, field, actor)
    with guarded([model]):
        rows = _history_rows(model, key, {to, seen})
        obj = model._base_manager.select_for_update().filter(pk=key).first()
        if obj is None:
            raise ObjectGone(str(model._meta.verbose_name))
        _refuse_what_is_forbidden(model, key, to, actor)
        _refuse_what_is_not_as_seen(column, obj, seen=rows[seen], to=rows[to])
        with _on_the_record(column, obj, actor=actor, reason=reason):
            try:
                with transaction.atomic():
                    was = getattr(rows[to], column.attname)
                    model._base_manager.filter(pk=key).update(**{column.attname: was})
            except OperationalError:
                raise  # a deadlock, a lost connection: not a rule
            except DatabaseError as error:
                raise UndoRefusedByDatabase(rule_of(error)) from error
    return change_set_of_this_transaction()


def _refuse_what_is_not_as_seen(column: models.Field, obj: Any, *, seen: Any, to: Any) -> None:
    now, was = getattr(obj, column.attname), getattr(to, column.attname)
    label = capfirst(str(column.verbose_name))
    if now != getattr(seen, column.attname):
        raise FieldChangedSince(label, in_words(column, obj))
    if now == was:
        raise NothingToRevert(label)
    if column.is_relation and was is not None:
        related: Any = column.related_model
        if not related._base_manager.filter(pk=was).exists():
            raise TargetGone(label)


def _on_the_record(
    column: models.Field, obj: Any, *, actor: Any, reason: str
) -> AbstractContextManager[AuditContext]:
    facts: dict[str, Any] = {"actor": actor} if actor is not None else {}
    if current_context() is None:  # nobody opened one: someone at a Python prompt
        facts["source"] = Source.SHELL
    action = on_record(
        gettext_lazy("%(field)s put back: %(kind)s %(object)s"),
        {
            "field": capfirst(column.verbose_name),
            "kind": obj._meta.verbose_name,
            "object": obj,
        },
    )
    return audit_context(action=action, reason=reason, reference="", **facts)


def revertible_field(model: type[models.Model], name: str, actor: Any) -> models.Field:
    """The field, if this actor may put it back by hand; refused otherwise."""
    if actor is not None and not (
        actor.has_perm(PERMISSION)
        and actor.has_perms(permission_for(UndoTable(model, ""), "put_back"))
    ):
        raise UndoNotPermitted
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        raise NotOnRecord from None
    if not isinstance(field, models.Field) or field not in tracked_fields(model):
        raise NotOnRecord
    if actor is not None and name in hidden_fields(model, actor):
        raise UndoNotPermitted
    if field.primary_key or not field.editable:
        raise FieldCannotBeReverted(capfirst(str(field.verbose_name)))
    return field


def in_words(field: models.Field, row: Any) -> str:
    """The value of a field of an object or of a history row as people read it."""
    names = Names()
    names.want_row(field.model, row)
    names.load()
    return value_in_words(field, getattr(row, field.attname), names.target)


def newest_row(model: type[models.Model], key: Any) -> Any:
    """The newest history row of an object. Raises NotOnRecord where there is none."""
    rows = history_of(model)._base_manager.filter(**{model._meta.pk.attname: key})
    newest = rows.order_by("-history_date", "-history_id").first()
    if newest is None:
        raise NotOnRecord
    return newest


def _history_rows(model: type[models.Model], key: Any, ids: set[int]) -> dict[int, Any]:
    rows = history_of(model)._base_manager.filter(
        **{model._meta.pk.attname: key}, history_id__in=ids
    )
    found = {row.history_id: row for row in rows}
    if found.keys() != ids:
        raise NotOnRecord
    return found


def _refuse_what_is_forbidden(model: type[models.Model], key: Any, to: int, actor: Any) -> None:
    """What other rooms forbid holds for the state now and for the one to come."""
    forbidden = guard_of(model).forbidden
    if actor is None or forbidden is None:
        return
    states = history_of(model)._base_manager.filter(
        history_id__in=[to, newest_row(model, key).history_id]
    )
    if forbidden(states, actor).exists():
        raise UndoNotPermitted(_("You may not do this. Ask somebody who may."))
