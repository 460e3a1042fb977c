"""How the timeline is narrowed down."""

from datetime import datetime, time
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_time
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import DropdownFilter, RangeDateTimeFilter

from backoffice.audit.models import ChangeSet
from backoffice.audit.wording import SOURCES


def bounded_number(text: str) -> int | None:
    """The whole number that an address names, if it is one that a key can have."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


class SourceFilter(DropdownFilter):
    """Through which door the change came."""

    title = gettext_lazy("source")
    parameter_name = "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(source.value, str(name)) for source, name in SOURCES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ChangeSet]) -> QuerySet[ChangeSet]:
        chosen = self.value()
        if not chosen:
            return queryset
        return queryset.filter(source=chosen) if chosen in SOURCES else queryset.none()


class WhoFilter(DropdownFilter):
    """One person who works here now, or nobody who signed in. Others are found by search."""

    title = gettext_lazy("who")
    parameter_name = "who"
    NOBODY = "nobody"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        people = get_user_model()._default_manager.filter(is_staff=True)
        return [
            (self.NOBODY, _("Nobody who signed in")),
            *((str(person.pk), str(person)) for person in people),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ChangeSet]) -> QuerySet[ChangeSet]:
        chosen = self.value() or ""
        if chosen == self.NOBODY:
            return queryset.filter(actor_id=None)
        if not (chosen.isascii() and chosen.isdigit()):
            return queryset
        number = bounded_number(chosen)
        return queryset.none() if number is None else queryset.filter(actor_id=number)


class PeriodFilter(RangeDateTimeFilter):
    """From and to, in the shop's time zone; days without a time of day are whole days.

    Unfold's own takes no account of time zones, and of no date without a time.
    """

    def queryset(self, request: HttpRequest, queryset: QuerySet[ChangeSet]) -> QuerySet[ChangeSet]:
        start = self._moment("from", time.min)
        end = self._moment("to", time.max)
        if start:
            queryset = queryset.filter(at__gte=start)
        if end:
            queryset = queryset.filter(at__lte=end)
        return queryset

    def _moment(self, side: str, otherwise: time) -> datetime | None:
        try:
            day = parse_date(self.used_parameters.get(f"at_{side}_0") or "")
            moment = parse_time(self.used_parameters.get(f"at_{side}_1") or "")
        except ValueError:
            return None
        if day is None:
            return None
        return timezone.make_aware(datetime.combine(day, moment or otherwise))
