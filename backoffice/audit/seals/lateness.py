"""Entries that came onto the record long after the time that they say they are of."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.db import connection
from django.utils.translation import gettext as _

from backoffice.audit.models import Seal, SealedEntry
from backoffice.audit.wording import moment_in_words

from .canonical import CHANGE_SETS
from .entries import READABLE, Entry
from .findings import Finding, Wrong
from .sealing import SETTLED


class Lateness:
    """Compares the times of entries, seal by seal, with what had been sealed before them."""

    def __init__(self, since: int) -> None:
        before = SealedEntry.objects.filter(seal_id__lt=since, seal_id__gte=since - 100)
        newest = before.order_by("-change_set__at").values_list("change_set__at").first()
        # The newest time among the entries of the seals looked at so far.
        self._reached: datetime | None = newest[0] if newest else None

    def of_sealed(self, seal: Seal, entries: Iterable[Entry]) -> Iterator[Finding]:
        reached = self._reached
        for entry in entries:
            if entry.at is None:
                continue
            if reached and entry.at < reached - SETTLED:
                yield _slipped_in(entry.change_set, entry.at, seal.pk)
            # A clock that was wrong, or a forged time, must not make all that follows look late.
            self._reached = max(filter(None, (self._reached, min(entry.at, seal.at))))

    def of_unsealed(self) -> Iterator[Finding]:
        if self._reached is None:
            return
        with connection.chunked_cursor() as cursor:
            cursor.execute(
                f"""
                SELECT c.id, CASE WHEN c.at {READABLE} THEN c.at END FROM {CHANGE_SETS} c
                WHERE c.at < %s
                  AND NOT EXISTS (SELECT 1 FROM audit_sealedentry e WHERE e.change_set_id = c.id)
                  AND NOT EXISTS (SELECT 1 FROM audit_seal s WHERE s.change_sets @> c.id)
                ORDER BY c.id
                """,
                [self._reached - SETTLED],
            )
            for change_set, at in cursor:
                yield _slipped_in(change_set, at)


def _slipped_in(change_set: int, at: datetime | None, seal: int | None = None) -> Finding:
    return Finding(
        wrong=Wrong.CHANGE_SET_INSERTED,
        message=_(
            "Change set %(number)d says that it is of %(time)s, but came onto the record more than "
            "a day later: it was slipped in, or its transaction was open for that long."
        )
        % {"number": change_set, "time": moment_in_words(at) if at else _("no time at all")},
        table=CHANGE_SETS,
        change_set=change_set,
        seal=seal,
    )
