"""Seals what is new on the record."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from backoffice.audit.fields import in_runs
from backoffice.audit.models import Seal
from backoffice.audit.naming import history_of

from . import keys, merkle
from .canonical import (
    CHANGE_SETS,
    ENTRY,
    ROWS,
    Catalogue,
    Form,
    fix_output,
    form_of_today,
    history_tables,
)
from .chain import seal_hash, statement_of

# A seal holds no more than this, unless one change set alone has more rows.
ENTRIES_PER_SEAL = 10_000
ROWS_PER_SEAL = 1_000_000
ROWS_PER_RUN = 1_000  # rows of the history whose hashes are kept together

# Transactions are over by then. Whatever comes onto the record later is sealed by a thorough
# search only, and stands out when the record is verified.
SETTLED = timedelta(days=1)

# Two of them at once would make two seals with one number. The number is this module's own.
_LOCK = 0x5EA1ED

# Numbers that the sequence has not come to yet are nobody's, and would hide all below them.
_SEALED_BEFORE = f"""
    SELECT COALESCE(max(upper(change_sets * given_out)), 0) FROM (
        SELECT change_sets,
               (SELECT int8multirange(int8range(NULL, last_value, '[]')) FROM {CHANGE_SETS}_id_seq)
                   AS given_out
        FROM audit_seal WHERE at < now() - make_interval(secs => %s)
        ORDER BY id DESC LIMIT 100
    ) latest
"""
UNSEALED = f"""
    SELECT c.id, c.at FROM {CHANGE_SETS} c
    WHERE c.id >= %s AND NOT EXISTS (
        SELECT 1 FROM audit_sealedentry e WHERE e.change_set_id = c.id AND e.change_set_id >= %s
    )
    ORDER BY c.id LIMIT %s
"""
# Chained to what was hashed for the entry itself and for its history: see ENTRY and ROWS.
ROWS_HASH = (
    f"sha256({ROWS} || sha256(convert_to("
    "ROW(s.\"table\", s.history_ids, s.keys)::text, 'UTF8')) || s.hashes)"
)
ROWS_HASHES = f"""
    SELECT string_agg({ROWS_HASH}, ''::bytea ORDER BY s."table" COLLATE "C", lower(s.history_ids))
    FROM audit_sealedrows s
"""


def entry_hash(own: str, rows: str) -> str:
    """SQL for the hash of an entry, of that of its own row and those of its history."""
    return f"encode(sha256({ENTRY} || {own} || COALESCE({rows}, ''::bytea)), 'hex')"


@dataclass
class Outcome:
    """What a run of the sealer did. `busy` says that another one was at work."""

    seals: int = 0
    entries: int = 0
    last: Seal | None = None
    busy: bool = False


def seal_new_entries(*, thorough: bool = True) -> Outcome:
    """Seal every entry of the record that is visible and under no seal yet.

    Visible and not sealed, never "above the last number": numbers are given out before their
    transactions end, so a later one is often seen first. A search that is not thorough leaves out
    what is older than a day, which on a long record takes its time.

    Each seal is a transaction of its own; what was sealed before a crash stays sealed. Raises
    KeyMissing, and RuntimeError inside a transaction, whose own entries are not complete.
    """
    key = keys.signing_key()
    outcome = Outcome()
    while True:
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
            outcome.busy = not cursor.fetchone()[0]
            seal = None if outcome.busy else _seal_some(cursor, key, thorough)
        if seal is None:
            return outcome
        outcome.seals += 1
        outcome.entries += seal.count
        outcome.last = seal


def _seal_some(cursor: CursorWrapper, key: Ed25519PrivateKey, thorough: bool) -> Seal | None:
    floor = 0 if thorough else sealed_before(cursor)
    cursor.execute(UNSEALED, [floor, floor, ENTRIES_PER_SEAL])
    waiting = [number for number, _at in cursor.fetchall()]
    change_sets = _as_many_as_fit(cursor, waiting)
    if not change_sets:
        return None

    fix_output(cursor)
    there = Catalogue.read(cursor)
    form = form_of_today(there)
    last = Seal.objects.order_by("-id").first()
    # Counted by hand, since a sequence leaves gaps: in the numbers of seals a gap is a theft.
    number = last.pk + 1 if last else 1
    _keep_rows(cursor, form, there, number, change_sets)
    leaves = _keep_entries(cursor, form, there, number, change_sets)
    cursor.execute("SELECT clock_timestamp()")
    (at,) = cursor.fetchone()
    seal = Seal(
        pk=number,
        at=at,
        form=form.number,
        count=len(leaves),
        change_sets=in_runs(change_sets),
        root=merkle.root(leaves).hex(),
        previous=last.hash if last else "",
        key_id=keys.key_id(key.public_key()),
    )
    seal.hash = seal_hash(seal, form.hash)
    seal.signature = keys.sign(key, statement_of(seal, seal.hash))
    seal.save(force_insert=True)
    return seal


def sealed_before(cursor: CursorWrapper) -> int:
    """The number from which on entries can be unsealed that are less than a day late.

    Numbers that were given out within a day are above all that were sealed before it.
    """
    cursor.execute(_SEALED_BEFORE, [SETTLED.total_seconds()])
    return int(cursor.fetchone()[0])


def _as_many_as_fit(cursor: CursorWrapper, change_sets: Sequence[int]) -> list[int]:
    """The first of them, up to the number of history rows that a seal may hold; one at least."""
    if not change_sets:
        return []
    per_table = " UNION ALL ".join(
        f'SELECT change_set_id, count(*) AS rows FROM "{table}" '
        "WHERE change_set_id = ANY(%s) GROUP BY change_set_id"
        for table in history_tables()
    )
    cursor.execute(
        f"SELECT change_set_id, sum(rows) FROM ({per_table}) t GROUP BY change_set_id",
        [list(change_sets)] * len(history_tables()),
    )
    rows = dict(cursor.fetchall())
    fitting: list[int] = []
    room = ROWS_PER_SEAL
    for number in change_sets:
        room -= int(rows.get(number, 0))
        if room < 0 and fitting:
            break
        fitting.append(number)
    return fitting


def _keep_rows(
    cursor: CursorWrapper, form: Form, there: Catalogue, seal: int, change_sets: list[int]
) -> None:
    """Hash the history of these entries, a run of rows at a time."""
    for table, model in history_tables().items():
        key = history_of(model)._meta.get_field(model._meta.pk.name).column
        cursor.execute(
            f"""
            INSERT INTO audit_sealedrows
                (seal_id, change_set_id, "table", history_ids, keys, hashes)
            SELECT %s, change_set_id, %s,
                   range_agg(int8range(history_id, history_id, '[]')),
                   array_agg(key ORDER BY history_id),
                   string_agg(hash, ''::bytea ORDER BY history_id)
            FROM (
                SELECT r.change_set_id, r.history_id, r."{key}"::text AS key,
                       {form.row_hash(table, there)} AS hash,
                       (row_number() OVER (
                           PARTITION BY r.change_set_id ORDER BY r.history_id
                       ) - 1) / {ROWS_PER_RUN} AS run
                FROM "{table}" r WHERE r.change_set_id = ANY(%s)
            ) hashed
            GROUP BY change_set_id, run
            """,
            [seal, table, change_sets],
        )


def _keep_entries(
    cursor: CursorWrapper, form: Form, there: Catalogue, seal: int, change_sets: list[int]
) -> list[bytes]:
    """Hash the entries themselves. Returns their hashes in the order of the entries."""
    of_entry = f"({ROWS_HASHES} WHERE s.change_set_id = r.id AND s.seal_id = %s)"
    cursor.execute(
        f"""
        WITH kept AS (
            INSERT INTO audit_sealedentry (seal_id, change_set_id, row_hash, hash)
            SELECT %s, id, own, {entry_hash("own", "rows")}
            FROM (
                SELECT r.id, {form.row_hash(CHANGE_SETS, there)} AS own, {of_entry} AS rows
                FROM {CHANGE_SETS} r WHERE r.id = ANY(%s)
            ) hashed
            RETURNING change_set_id, hash
        )
        SELECT hash FROM kept ORDER BY change_set_id
        """,
        [seal, seal, change_sets],
    )
    return [bytes.fromhex(hash_) for (hash_,) in cursor.fetchall()]
