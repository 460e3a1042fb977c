"""Computes everything that was ever sealed once more, and says what does not agree."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from backoffice.audit.checks import triggers_fit_their_models
from backoffice.audit.invariants import live_rows_that_differ, rows_without_a_change_set
from backoffice.audit.models import Archive, Seal, SealForm
from backoffice.audit.trail import trailed_models

from . import archives, keys, told
from .canonical import CHANGE_SETS, Catalogue, ColumnsGone, Form, fix_output, hash_of, load_form
from .chain import broken_link, judge, removed_seals
from .checkpoints import Checkpoint
from .entries import READABLE, altered_entries, entries_of
from .exceptions import SealError
from .findings import Finding, Wrong
from .lateness import Lateness
from .rows import HistoryTable, altered_rows, columns_gone, inserted_rows, tables_of
from .sealing import ENTRIES_PER_SEAL

# Seals that are looked at together: many small ones cost little more than a large one.
_SEALS_AT_ONCE = 500


@dataclass
class Unsealed:
    """Entries that no seal vouches for yet."""

    count: int = 0
    oldest: datetime | None = None


def unsealed() -> Unsealed:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT count(*), min(c.at) FROM {CHANGE_SETS} c
            WHERE NOT EXISTS (SELECT 1 FROM audit_sealedentry e WHERE e.change_set_id = c.id)
            """
        )
        return Unsealed(*cursor.fetchone())


@dataclass
class Verification:
    """One verification: iterate over `findings()`; the counts are complete at its end.

    Takes the memory of one seal, however long the record is. `since` leaves out the seals before
    one that is known to be good. Rows that the record says were archived are counted, not found;
    so are all that are gone under seals before `archived_before`. With the files in `archives`, by
    table, none is missing.
    """

    since: int = 1
    checkpoints: Sequence[Checkpoint] = ()
    archived_before: int = 0
    archives: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    seals: int = 0
    entries: int = 0
    rows: int = 0
    archived: int = 0
    last: Seal | None = None
    unsealed: Unsealed = field(default_factory=Unsealed)
    archived_by: list[Archive] = field(default_factory=list)

    def findings(self, *, sealed_alone: bool = False) -> Iterator[Finding]:
        """`sealed_alone` leaves out the triggers, the live rows and what is off the record."""
        self._known = keys.public_keys()
        with transaction.atomic(), connection.cursor() as cursor:
            fix_output(cursor)
            self._there = Catalogue.read(cursor)
            # Before the newest seal: one that is made and published meanwhile is not missing.
            events = told.events_of_seals()
            self.last = Seal.objects.filter(**_READABLE).order_by("-id").first()
            end = self.last.pk if self.last else 0
            if self.since > end + 1:
                raise SealError(
                    _("There is no seal %(since)d: the newest is %(end)d.")
                    % {"since": self.since, "end": end}
                )
            self._lateness = Lateness(self.since)
            yield from _seals_of_no_time(cursor)
            yield from self._archives(cursor)
            yield from self._forms()
            yield from self._in_line()
            yield from told.untrue(self.checkpoints, self._known, events, self.since, end)
            yield from self._rows_slipped_in()
            yield from self._lateness.of_unsealed()
            self.unsealed = unsealed()
            self.rows = self._rows_sealed(cursor)
            self.archived += sum(
                archives.how_many_gone(cursor, *staged) for staged in self._archived.items()
            )
            if not sealed_alone:
                yield from _triggers()
                yield from _off_the_record()

    def _archives(self, cursor: Any) -> Iterator[Finding]:
        """What the record and the files say of rows that are gone."""
        for archive, wrong in archives.recorded():
            if wrong:
                yield wrong
            else:
                archive.history_ids = ()  # many, and in the database they are at hand
                self.archived_by.append(archive)
        self._archived = archives.stage(cursor, self._there, self.archived_by, self.archives)

    def _forms(self) -> Iterator[Finding]:
        self._forms_by_number: dict[int, Form] = {}
        for kept in SealForm.objects.order_by("number"):
            if hash_of(kept.description) == kept.hash:
                self._forms_by_number[kept.number] = load_form(kept)
            else:
                yield _form_altered(kept.number)

    def _in_line(self) -> Iterator[Finding]:
        """The chain, link by link, and under each the entries and their history."""
        before = Seal.objects.filter(pk=self.since - 1).first()
        expected, true_hash = self.since, before.hash if before else ""
        hashes = dict(SealForm.objects.values_list("number", "hash"))
        for window in self._windows():
            sound: list[Seal] = []
            for seal in window:
                if seal.pk > expected:
                    yield from removed_seals(expected, seal.pk - 1)
                judged = judge(seal, hashes.get(seal.form, ""), self._known)
                yield from judged.findings
                if seal.pk == expected and judged.sound and seal.previous != true_hash:
                    yield broken_link(seal)
                if judged.sound:
                    sound.append(seal)
                expected, true_hash = seal.pk + 1, judged.true_hash
            for number, seals in groupby(window, key=lambda seal: seal.form):
                if form := self._forms_by_number.get(number):
                    yield from self._contents(form, list(seals), sound)
                elif number not in hashes:
                    hashes[number] = ""
                    yield _form_altered(number)

    def _windows(self) -> Iterator[list[Seal]]:
        """The seals in order, some at a time: never many more entries than a seal may hold."""
        if self.last is None:
            return
        next_one = self.since
        while True:
            some = Seal.objects.filter(
                pk__gte=next_one, pk__lte=self.last.pk, **_READABLE
            ).order_by("pk")
            window: list[Seal] = []
            entries = 0
            for seal in some[:_SEALS_AT_ONCE]:
                entries += seal.count
                if window and entries > ENTRIES_PER_SEAL:
                    break
                window.append(seal)
            if not window:
                return
            yield window
            next_one = window[-1].pk + 1

    def _contents(self, form: Form, seals: list[Seal], sound: list[Seal]) -> Iterator[Finding]:
        first, last = seals[0].pk, seals[-1].pk
        try:
            by_seal = entries_of(form, self._there, first, last)
        except ColumnsGone as gone:
            yield columns_gone(gone, CHANGE_SETS, first)
            by_seal = {}
        for seal in seals:
            entries = by_seal.get(seal.pk, [])
            self.seals += 1
            self.entries += len(entries)
            if seal in sound:
                yield from altered_entries(seal, entries)
            yield from self._lateness.of_sealed(seal, entries)
        tables, orphans = self._tables(form)
        for table in tables:
            for finding in altered_rows(form, self._there, table, first, last):
                if self._is_archived(finding):
                    self.archived += 1
                else:
                    yield finding
        for orphan in orphans:
            yield columns_gone(ColumnsGone([orphan]), orphan, first)

    def _tables(self, form: Form) -> tuple[list[HistoryTable], list[str]]:
        return tables_of(form, self._forms_by_number.values(), self._archived)

    def _is_archived(self, finding: Finding) -> bool:
        """Rows that are altered or slipped in are found under old seals too."""
        return finding.wrong == Wrong.ROW_REMOVED and (finding.seal or 0) < self.archived_before

    def _rows_slipped_in(self) -> Iterator[Finding]:
        if self.last and (form := self._forms_by_number.get(self.last.form)):
            for table in self._tables(form)[0]:
                yield from inserted_rows(table, self.since)

    def _rows_sealed(self, cursor: Any) -> int:
        cursor.execute(
            "SELECT COALESCE(sum(length(hashes)), 0) / 32 FROM audit_sealedrows s "
            "WHERE s.seal_id >= %s",
            [self.since],
        )
        return int(cursor.fetchone()[0])


def _form_altered(number: int) -> Finding:
    return Finding(
        wrong=Wrong.FORM_ALTERED,
        message=_("Form %d of seals was altered or removed. What it covers cannot be computed.")
        % number,
        table="audit_sealform",
    )


# What has a time that Python knows none for cannot even be read; see _seals_of_no_time.
_READABLE = {"at__range": ("0001-01-02T00:00Z", "9999-12-30T00:00Z")}


def _seals_of_no_time(cursor: Any) -> Iterator[Finding]:
    cursor.execute(f"SELECT id FROM audit_seal WHERE NOT at {READABLE} ORDER BY id")
    for (number,) in cursor.fetchall():
        yield Finding(
            wrong=Wrong.SEAL_ALTERED,
            message=_("Seal %(seal)d was altered: its time is none.") % {"seal": number},
            table="audit_seal",
            seal=number,
        )


def _triggers() -> Iterator[Finding]:
    for message in triggers_fit_their_models(databases=["default"]):
        yield Finding(wrong=Wrong.TRIGGER, message=str(message.msg))


def _off_the_record() -> Iterator[Finding]:
    """I8 and I10, over what is not sealed too."""
    for model in trailed_models:
        for difference in live_rows_that_differ(model):
            yield Finding(
                wrong=Wrong.LIVE_ROW_DIFFERS,
                message=difference.message,
                table=model._meta.db_table,
                key=difference.key,
            )
    for orphans in rows_without_a_change_set():
        yield Finding(
            wrong=Wrong.ROW_WITHOUT_CHANGE_SET,
            message=orphans.message,
            table=orphans.table,
            change_set=orphans.change_set,
        )
