"""The pages of the record: the timeline, what a change set holds, and the history of an object."""

from .change_sets import ChangeSetAdmin
from .objects import HistoryAdmin

__all__ = ["ChangeSetAdmin", "HistoryAdmin"]
