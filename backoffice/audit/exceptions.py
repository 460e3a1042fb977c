"""What the record refuses. Each carries its data; the message is for people."""

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from backoffice.exceptions import DomainError

if TYPE_CHECKING:
    from .undo.plan import UndoPlan


class UndoError(DomainError):
    """Base of all that an undo, or a part of one, is refused for. Nothing was written then."""


class UndoReasonMissing(UndoError):
    def __init__(self) -> None:
        super().__init__(_("Putting things back needs a reason. Say why."))


class UndoNotPermitted(UndoError):
    def __init__(self, what: str = "") -> None:
        super().__init__(
            what or _("You may not undo changes. Ask an administrator for the right to do so.")
        )


class NotAChange(UndoError):
    """An event, such as a sign-in, is on the record like a change, and cannot be undone."""

    def __init__(self, change_set_id: int) -> None:
        self.change_set_id = change_set_id
        super().__init__(_("This entry of the record changed nothing, so nothing can be undone."))


class NothingToUndo(UndoError):
    """Every row is as it was before, or has to be kept; `plan` has the numbers."""

    def __init__(self, plan: "UndoPlan") -> None:
        self.plan = plan
        super().__init__(_("Nothing is left to undo here. The preview says why for each object."))


class PlanOutdated(UndoError):
    """What would be undone is not what the preview showed."""

    def __init__(self) -> None:
        super().__init__(
            _("What can be undone is not what you saw last. Look at it again, then confirm.")
        )


class UndoRefusedByDatabase(UndoError):
    """Rules that cannot be foreseen row by row forbid the state before; `rule` names one."""

    def __init__(self, rule: str) -> None:
        self.rule = rule
        super().__init__(
            _(
                "The database does not take these rows back (%(rule)s), so nothing was changed. "
                "Undo single objects instead, or correct them by hand."
            )
            % {"rule": rule}
        )


class NotOnRecord(UndoError):
    def __init__(self) -> None:
        super().__init__(_("The record knows nothing of this object that could be put back."))


class ObjectGone(UndoError):
    def __init__(self, obj: str) -> None:
        self.obj = obj
        super().__init__(_("%(name)s is gone. Restore it first.") % {"name": obj})


class FieldChangedSince(UndoError):
    """Somebody was faster: the field is not what the page showed."""

    def __init__(self, field: str, now: Any) -> None:
        self.field, self.now = field, now
        super().__init__(
            _(
                "%(field)s has changed since you looked; it is “%(now)s” now, and was left so. "
                "Look at the history again."
            )
            % {"field": field, "now": now}
        )


class FieldCannotBeReverted(UndoError):
    def __init__(self, field: str) -> None:
        self.field = field
        super().__init__(
            _("%(field)s cannot be put back by itself: it follows from other fields.")
            % {"field": field}
        )


class NothingToRevert(UndoError):
    def __init__(self, field: str) -> None:
        self.field = field
        super().__init__(_("%(field)s has this value already.") % {"field": field})


class TargetGone(UndoError):
    def __init__(self, field: str) -> None:
        self.field = field
        super().__init__(
            _("What %(field)s pointed at then is gone. Restore that first.") % {"field": field}
        )
