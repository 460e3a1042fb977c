"""The pages of the record: the timeline, what a change set holds, the history of an object,
and the seals."""

from .change_sets import ChangeSetAdmin
from .objects import HistoryAdmin
from .seals import SealAdmin

__all__ = ["ChangeSetAdmin", "HistoryAdmin", "SealAdmin"]
