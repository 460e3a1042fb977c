"""All that a form can do, as one class for the base ModelAdmin and one for its inlines."""

from .duplicating import DuplicatedInlineMixin, DuplicateMixin
from .locking import LockingInlineMixin, LockingMixin
from .money import MoneyFieldsMixin
from .neighbours import NeighboursMixin


class FormsMixin(NeighboursMixin, DuplicateMixin, LockingMixin, MoneyFieldsMixin):
    """Refuses what is stale, leads on through the list, offers copies, and shows money as such."""


class InlineMixin(LockingInlineMixin, DuplicatedInlineMixin, MoneyFieldsMixin):
    """The same for rows of another model on the form."""
