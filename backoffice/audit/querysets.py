"""django-simple-history's queryset, with an answer to which of two changes was the later."""

from typing import TYPE_CHECKING, Self

from django.db.models import Exists, OuterRef, Q
from simple_history.manager import HistoricalQuerySet

if TYPE_CHECKING:
    from django.db.models import QuerySet

    _Base = QuerySet
else:
    _Base = HistoricalQuerySet


class HistoryQuerySet(_Base):
    """History rows; of two at the same moment the one with the higher number is the later.

    The library compares moments alone, so that `as_of()` returns an object twice that changed
    twice at once, and each of its versions.
    """

    def latest_of_each(self) -> Self:
        """The last row of each object. One that was deleted has its deletion."""
        key: str = self._pk_attr  # type: ignore[attr-defined]
        later = self.filter(
            Q(history_date__gt=OuterRef("history_date"))
            | Q(history_date=OuterRef("history_date"), history_id__gt=OuterRef("history_id")),
            **{key: OuterRef(key)},
            # Says nothing that the line above does not, but it is a range of the index.
            history_date__gte=OuterRef("history_date"),
        )
        return self.filter(~Exists(later))
