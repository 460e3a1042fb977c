"""Computes everything that was ever sealed once more, and says what does not agree."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from backoffice.audit.checks import triggers_fit_their_models
from backoffice.audit.invariants import live_rows_that_differ, rows_without_a_change_set
from backoffice.audit.models import Seal, SealedEntry, SealEvent, SealForm
from backoffice.audit.trail import trailed_models
from backoffice.audit.wording import moment_in_words

from . import keys
from .archives import load
from .canonical import CHANGE_SETS, Catalogue, ColumnsGone, Form, fix_output, hash_of, load_form
from .chain import broken_link, judge, removed_seals
from .checkpoints import Checkpoint, newest_per_seal
from .entries import Entry, altered_entries, entries_of
from .findings import Finding, Wrong
from .rows import altered_rows, columns_gone, inserted_rows, tables_of
from .sealing import ENTRIES_PER_SEAL, SETTLED

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
    one that is known to be good. Rows that are gone under seals before `archived_before` are
    counted, not found; with the files in `archives`, by table, none is missing.
    """

    since: int = 1
    checkpoints: Sequence[Checkpoint] = ()
    archived_before: int = 0
    archives: Mapping[str, Path] = field(default_factory=dict)
    seals: int = 0
    entries: int = 0
    rows: int = 0
    archived: int = 0
    last: Seal | None = None
    unsealed: Unsealed = field(default_factory=Unsealed)
    # The newest time among the entries of the seals looked at so far.
    _reached: datetime | None = None

    def findings(self) -> Iterator[Finding]:
        self._known = keys.public_keys()
        with transaction.atomic(), connection.cursor() as cursor:
            fix_output(cursor)
            self._there = Catalogue.read(cursor)
            self._archived = {
                table: load(cursor, self._there, table, path)
                for table, path in self.archives.items()
            }
            self.last = Seal.objects.order_by("-id").first()
            self._reached = self._reached_before()
            yield from self._forms()
            yield from self._in_line()
            yield from self._published()
            yield from self._rows_slipped_in()
            yield from self._entries_slipped_in()
            self.unsealed = unsealed()
            self.rows = self._rows_sealed(cursor)
            yield from _triggers()
            yield from _off_the_record()

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
            some = Seal.objects.filter(pk__gte=next_one, pk__lte=self.last.pk).order_by("pk")
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
            yield from self._too_late(seal, entries)
        tables, orphans = tables_of(form, self._archived)
        for table in tables:
            for finding in altered_rows(form, self._there, table, first, last):
                if self._is_archived(finding):
                    self.archived += 1
                else:
                    yield finding
        for orphan in orphans:
            yield columns_gone(ColumnsGone([orphan]), orphan, first)

    def _is_archived(self, finding: Finding) -> bool:
        """Rows that are altered or slipped in are found under old seals too."""
        return finding.wrong == Wrong.ROW_REMOVED and (finding.seal or 0) < self.archived_before

    def _reached_before(self) -> datetime | None:
        of_before = SealedEntry.objects.filter(
            seal_id__lt=self.since, seal_id__gte=self.since - 100
        )
        entry = of_before.order_by("-change_set__at").values_list("change_set__at").first()
        return entry[0] if entry else None

    def _too_late(self, seal: Seal, entries: Iterable[Entry]) -> Iterator[Finding]:
        """Entries that say that they are older than what had been sealed before them."""
        reached = self._reached
        for entry in entries:
            if entry.at is None:
                continue
            if reached and entry.at < reached - SETTLED:
                yield _slipped_in(entry.change_set, entry.at, seal.pk)
            # A clock that was wrong, or a forged time, must not make all that follows look late.
            self._reached = max(filter(None, (self._reached, min(entry.at, seal.at))))

    def _entries_slipped_in(self) -> Iterator[Finding]:
        if self._reached is None:
            return
        with connection.chunked_cursor() as cursor:
            cursor.execute(
                f"""
                SELECT c.id, c.at FROM {CHANGE_SETS} c
                WHERE c.at < %s
                  AND NOT EXISTS (SELECT 1 FROM audit_sealedentry e WHERE e.change_set_id = c.id)
                  AND NOT EXISTS (SELECT 1 FROM audit_seal s WHERE s.change_sets @> c.id)
                ORDER BY c.id
                """,
                [self._reached - SETTLED],
            )
            for change_set, at in cursor:
                yield _slipped_in(change_set, at)

    def _rows_slipped_in(self) -> Iterator[Finding]:
        if self.last and (form := self._forms_by_number.get(self.last.form)):
            for table in tables_of(form, self._archived)[0]:
                yield from inserted_rows(table, self.since)

    def _published(self) -> Iterator[Finding]:
        """What was told outside of the machine is still so."""
        end = self.last.pk if self.last else 0
        told: dict[int, str] = {}
        for one in newest_per_seal(self.checkpoints):
            key = self._known.get(one.key_id)
            if key is None or not keys.is_signed(key, one.statement, one.signature):
                yield Finding(
                    wrong=Wrong.CHECKPOINT_UNSIGNED,
                    message=_("The checkpoint of seal %d is not signed with a known key.")
                    % one.seal,
                    seal=one.seal,
                )
            elif one.seal > end:
                told[one.seal] = _(
                    "A checkpoint of %(time)s says that there was seal %(seal)d."
                ) % {
                    "time": one.time,
                    "seal": one.seal,
                }
            else:
                yield from self._as_published(one)
        events = SealEvent.objects.filter(kind=SealEvent.Kind.PUBLISHED, seal_id__gt=end)
        for event in events.order_by("seal_id"):
            said = _("Seal %(seal)d was published to %(where)s on %(time)s.") % {
                "seal": event.seal_id,
                "where": event.where,
                "time": moment_in_words(event.at),
            }
            told.setdefault(int(event.seal_id or 0), said)
        if told:
            yield from removed_seals(max(end + 1, self.since), max(told), told[max(told)])

    def _as_published(self, one: Checkpoint) -> Iterator[Finding]:
        seal = Seal.objects.filter(pk=one.seal).first()
        if seal is not None and seal.hash != one.hash:
            yield Finding(
                wrong=Wrong.CHECKPOINT_DIFFERS,
                message=_("Seal %(seal)d is not the one that was published on %(time)s.")
                % {"seal": one.seal, "time": one.time},
                table="audit_seal",
                seal=one.seal,
            )

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


def _slipped_in(change_set: int, at: datetime, seal: int | None = None) -> Finding:
    return Finding(
        wrong=Wrong.CHANGE_SET_INSERTED,
        message=_(
            "Change set %(number)d says that it is of %(time)s, but came onto the record more than "
            "a day later: it was slipped in, or its transaction was open for that long."
        )
        % {"number": change_set, "time": moment_in_words(at)},
        table=CHANGE_SETS,
        change_set=change_set,
        seal=seal,
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
