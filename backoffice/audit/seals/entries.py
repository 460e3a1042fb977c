"""Compares the entries of the record with the hashes that the seals keep of them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from backoffice.audit.fields import one_by_one
from backoffice.audit.models import Seal

from . import merkle
from .canonical import CHANGE_SETS, Catalogue, Form
from .findings import Finding, Wrong
from .sealing import ROWS_HASHES, entry_hash

# What Python has a time for. PostgreSQL knows others, infinity among them.
READABLE = "BETWEEN '0001-01-02' AND '9999-12-30'"


@dataclass(frozen=True)
class Entry:
    """An entry under a seal: the hashes that were kept, and those of what is there now."""

    seal: int
    change_set: int
    hash: str
    own: bytes
    at: datetime | None  # None if the entry itself is gone, as the next; or if it is no time
    now: bytes | None
    as_kept: str  # what the kept hashes of its row and of its history make up
    as_is: str  # the same, with the hash of its row as it is now

    @property
    def fits(self) -> bool:
        return self.as_kept == self.hash


def entries_of(form: Form, there: Catalogue, first: int, last: int) -> dict[int, list[Entry]]:
    """The entries of some seals, in the order in which they were sealed. Raises ColumnsGone."""
    of_entry = f"({ROWS_HASHES} WHERE s.change_set_id = e.change_set_id AND s.seal_id = e.seal_id)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT seal_id, change_set_id, hash, own, at, now,
                   {entry_hash("own", "rows")}, {entry_hash("COALESCE(now, '')", "rows")}
            FROM (
                SELECT e.seal_id, e.change_set_id, e.hash, e.row_hash AS own,
                       CASE WHEN r.at {READABLE} THEN r.at END AS at,
                       CASE WHEN r.id IS NOT NULL
                            THEN {form.row_hash(CHANGE_SETS, there)} END AS now,
                       {of_entry} AS rows
                FROM audit_sealedentry e LEFT JOIN {CHANGE_SETS} r ON r.id = e.change_set_id
                WHERE e.seal_id BETWEEN %s AND %s
            ) compared
            ORDER BY seal_id, change_set_id
            """,
            [first, last],
        )
        by_seal: dict[int, list[Entry]] = defaultdict(list)
        for seal, change_set, hash_, own, at, now, *computed in cursor.fetchall():
            entry = Entry(
                seal, change_set, hash_, bytes(own), at, _bytes(now), computed[0], computed[1]
            )
            by_seal[seal].append(entry)
    return by_seal


def _bytes(value: Any) -> bytes | None:
    return None if value is None else bytes(value)


def altered_entries(seal: Seal, entries: Sequence[Entry]) -> Iterator[Finding]:
    """What is wrong with the entries of a seal that is itself what was signed."""
    held = set(one_by_one(seal.change_sets))
    missing = held - {entry.change_set for entry in entries}
    for number in sorted(missing):
        what = _("Change set %(number)d was taken out of seal %(seal)d: its sealed entry is gone.")
        yield _finding(Wrong.ENTRY_REMOVED, what, number, seal)
    for entry in entries:
        if entry.change_set not in held:
            what = _("Change set %(number)d was put under seal %(seal)d, which did not hold it.")
            yield _finding(Wrong.ENTRY_INSERTED, what, entry.change_set, seal)
    genuine = [entry for entry in entries if entry.change_set in held]
    # Where one is missing no root can be computed; what the entries say of themselves is all.
    if missing or _is_root(seal, [entry.hash for entry in genuine]):
        for entry in genuine:
            yield from _against_its_hash(seal, entry)
    elif _is_root(seal, [entry.as_kept for entry in genuine]):
        for entry in genuine:
            if not entry.fits:
                what = _("The hash of change set %(number)d in seal %(seal)d was altered.")
                yield _finding(Wrong.ENTRY_ALTERED, what, entry.change_set, seal)
            yield from _against_its_row(seal, entry)
    else:
        yield Finding(
            wrong=Wrong.ENTRY_ALTERED,
            message=_(
                "Entries of seal %(seal)d were altered together with their hashes, so that which "
                "cannot be told: at least one of change sets %(first)d to %(last)d."
            )
            % {"seal": seal.pk, "first": min(held, default=0), "last": max(held, default=0)},
            seal=seal.pk,
        )
        for entry in genuine:
            yield from _against_its_row(seal, entry)


def _is_root(seal: Seal, hashes: Sequence[str]) -> bool:
    try:
        return merkle.root([bytes.fromhex(hash_) for hash_ in hashes]).hex() == seal.root
    except ValueError:  # somebody wrote what is no hash
        return False


def _against_its_hash(seal: Seal, entry: Entry) -> Iterator[Finding]:
    """The hash of the entry is genuine; are what it was made of, and the entry?"""
    if entry.fits:
        yield from _against_its_row(seal, entry)
    elif entry.now is not None and entry.as_is == entry.hash:
        what = _("The hash of the row of change set %(number)d in seal %(seal)d was altered.")
        yield _finding(Wrong.ENTRY_ALTERED, what, entry.change_set, seal)
    else:
        what = _(
            "The kept hashes of the history of change set %(number)d in seal %(seal)d were "
            "altered: which of its rows still are what they were cannot be told for sure."
        )
        yield _finding(Wrong.ROW_HASHES_ALTERED, what, entry.change_set, seal)
        yield from _against_its_row(seal, entry)


def _against_its_row(seal: Seal, entry: Entry) -> Iterator[Finding]:
    if entry.now is None:
        what = _("Change set %(number)d, under seal %(seal)d, was removed.")
        yield _finding(Wrong.CHANGE_SET_REMOVED, what, entry.change_set, seal)
    elif entry.now != entry.own:
        what = _("Change set %(number)d was altered after seal %(seal)d.")
        yield _finding(Wrong.CHANGE_SET_ALTERED, what, entry.change_set, seal)


def _finding(wrong: Wrong, what: str, number: int, seal: Seal) -> Finding:
    return Finding(
        wrong=wrong,
        message=what % {"number": number, "seal": seal.pk},
        table=CHANGE_SETS if "change_set" in wrong else "audit_sealedentry",
        change_set=number,
        seal=seal.pk,
    )
