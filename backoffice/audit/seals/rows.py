"""Compares the history with the hashes that were kept when it was sealed, and names each row."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection, models
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from backoffice.audit.fields import one_by_one, runs
from backoffice.audit.naming import history_of

from .archives import Archived
from .canonical import CHANGE_SETS, Catalogue, ColumnsGone, Form, history_tables, table_today
from .findings import Finding, Wrong

_LEAST, _MOST = -(2**63), 2**63 - 1

# When a row can have been written: from its change set on, until the seal; give or take a clock
# that was set right meanwhile.
_TIMELY = """
    {first} >= LEAST(entry.at, seal.at) - interval '1 day'
    AND {last} <= seal.at + interval '1 day'
"""

# The runs of rows of a table under some seals. Each answers for all numbers from after the run
# before it, the first and the last without limit: no number lies between two of them.
_RUNS = f"""
    SELECT s.id, s.seal_id, s.change_set_id, s.history_ids, s.keys, s.hashes,
           COALESCE(lag(upper(s.history_ids)) OVER entry, {_LEAST}) AS low,
           CASE WHEN lead(s.id) OVER entry IS NULL THEN {_MOST}
                ELSE upper(s.history_ids) - 1 END AS high
    FROM audit_sealedrows s
    WHERE s.seal_id BETWEEN %s AND %s AND s."table" = %s
    WINDOW entry AS (PARTITION BY s.seal_id, s.change_set_id ORDER BY lower(s.history_ids), s.id)
"""


@dataclass(frozen=True)
class HistoryTable:
    """A table of history rows as it was sealed, and as it is called today."""

    sealed_as: str
    name: str
    key: str  # the column with the key of the object
    model: type[models.Model]
    # All the names that it was ever sealed under.
    names: tuple[str, ...]
    archived: Archived

    @property
    def source(self) -> str:
        return self.archived.source or f'"{self.name}"'

    @property
    def what(self) -> str:
        return capfirst(str(self.model._meta.verbose_name))


def tables_of(
    form: Form, forms: Iterable[Form], archived: Mapping[str, Archived]
) -> tuple[list[HistoryTable], list[str]]:
    """The history tables of a form, and the names of those that no model has any more.

    `forms` are all there are: under another one, a table may have had another name.
    """
    models_by_table = history_tables()
    ever = {name for one in forms for name in one.tables}
    found: list[HistoryTable] = []
    orphans: list[str] = []
    for sealed_as in form.tables.keys() - {CHANGE_SETS}:
        name = table_today(sealed_as)
        if model := models_by_table.get(name):
            key = history_of(model)._meta.get_field(model._meta.pk.name).column
            names = tuple(sorted(old for old in ever if table_today(old) == name))
            found.append(
                HistoryTable(sealed_as, name, key, model, names, archived.get(name, Archived()))
            )
        else:
            orphans.append(sealed_as)
    return sorted(found, key=lambda table: table.name), sorted(orphans)


def altered_rows(
    form: Form, there: Catalogue, table: HistoryTable, first: int, last: int
) -> Iterator[Finding]:
    """What differs between a table and the hashes that these seals keep of its rows."""
    try:
        hashed = form.row_hash(table.sealed_as, there)
    except ColumnsGone as gone:
        yield columns_gone(gone, table.name, first)
        return
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            f"""
            WITH run AS ({_RUNS})
            SELECT run.seal_id, run.change_set_id, run.history_ids, run.keys, run.hashes,
                   run.low, run.high
            FROM run
            JOIN audit_seal seal ON seal.id = run.seal_id
            LEFT JOIN {CHANGE_SETS} entry ON entry.id = run.change_set_id
            CROSS JOIN LATERAL (
                SELECT string_agg(hash, ''::bytea ORDER BY history_id) AS hashes,
                       min(date) AS first, max(date) AS last
                FROM (
                    SELECT r.history_id, r.history_date AS date, {hashed} AS hash
                    FROM {table.source} r
                    WHERE r.change_set_id = run.change_set_id
                      AND r.history_id BETWEEN run.low AND run.high
                ) row
            ) found
            WHERE found.hashes IS DISTINCT FROM run.hashes AND {table.archived.is_not_all_of("run")}
               OR NOT ({_TIMELY.format(first="found.first", last="found.last")})
            ORDER BY run.change_set_id, run.low
            """,
            [first, last, table.sealed_as],
        )
        for seal, change_set, history_ids, keys, hashes, low, high in cursor:
            run = _Run(
                table=table,
                seal=seal,
                change_set=change_set,
                low=low,
                high=high,
                kept=_kept(runs(history_ids), keys, bytes(hashes)),
            )
            yield from run.differences(hashed)


def _kept(ids: Any, keys: list[str], hashes: bytes) -> dict[int, tuple[str, bytes]]:
    """The sealed rows of a run: number, key of the object, hash."""
    parts = [hashes[at : at + 32] for at in range(0, len(hashes), 32)]
    return {
        history_id: (key, part)
        for history_id, key, part in zip(one_by_one(ids), keys, parts, strict=False)
    }


@dataclass(frozen=True, kw_only=True)
class _Run:
    """Up to a thousand sealed rows of one change set, and the numbers that they answer for."""

    table: HistoryTable
    seal: int
    change_set: int
    low: int
    high: int
    kept: Mapping[int, tuple[str, bytes]]

    def differences(self, hashed: str) -> Iterator[Finding]:
        found = self._found(hashed)
        missing = [number for number in self.kept if number not in found]
        elsewhere = self._elsewhere(missing)
        archived = self.table.archived.among(missing)
        for number in sorted({*self.kept, *found} - archived):
            key, hash_ = self.kept.get(number) or found[number][:2]
            if number not in self.kept:
                yield self._finding(Wrong.ROW_INSERTED, number, key, _("was slipped in"))
            elif number in elsewhere:
                moved = _("was moved to change set %d") % elsewhere[number]
                yield self._finding(Wrong.ROW_ALTERED, number, key, moved)
            elif number not in found:
                yield self._finding(Wrong.ROW_REMOVED, number, key, _("was removed"))
            elif found[number][1] != hash_:
                yield self._finding(Wrong.ROW_ALTERED, number, key, _("was altered"))
            elif not found[number][2]:
                late = _("says that it is of another time than that: it was slipped in")
                yield self._finding(Wrong.ROW_MISDATED, number, key, late)

    def _found(self, hashed: str) -> dict[int, tuple[str, bytes, bool]]:
        table = self.table
        timely = _TIMELY.format(first="r.history_date", last="r.history_date")
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                SELECT r.history_id, r."{table.key}"::text, {hashed},
                       COALESCE({timely}, true)
                FROM {table.source} r
                JOIN audit_seal seal ON seal.id = %s
                LEFT JOIN {CHANGE_SETS} entry ON entry.id = r.change_set_id
                WHERE r.change_set_id = %s AND r.history_id BETWEEN %s AND %s
                """,
                [self.seal, self.change_set, self.low, self.high],
            )
            return {
                number: (key, bytes(hash_), timely)
                for number, key, hash_, timely in cursor.fetchall()
            }

    def _elsewhere(self, missing: list[int]) -> dict[int, int]:
        """To which change set rows have gone that are not where they were sealed."""
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT history_id, change_set_id FROM {self.table.source} r "
                "WHERE history_id = ANY(%s)",
                [missing],
            )
            return dict(cursor.fetchall())

    def _finding(self, wrong: Wrong, number: int, key: str, what: str) -> Finding:
        return row_finding(self.table, wrong, number, key, self.change_set, self.seal, what)


def row_finding(
    table: HistoryTable,
    wrong: Wrong,
    number: int,
    key: str,
    change_set: int,
    seal: int,
    what: str,
) -> Finding:
    words = {
        "object": f"{table.what} {key}",
        "row": number,
        "what": what,
        "table": table.name,
        "change_set": change_set,
        "seal": seal,
    }
    return Finding(
        wrong=wrong,
        message=_(
            "%(object)s: history row %(row)d of change set %(change_set)d %(what)s "
            "(%(table)s, seal %(seal)d)."
        )
        % words,
        table=table.name,
        history_id=number,
        key=key,
        change_set=change_set,
        seal=seal,
    )


def inserted_rows(table: HistoryTable, since: int) -> Iterator[Finding]:
    """Rows of sealed change sets that had none in this table when they were sealed."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            f"""
            SELECT r.history_id, r."{table.key}"::text, r.change_set_id, e.seal_id
            FROM {table.source} r JOIN audit_sealedentry e ON e.change_set_id = r.change_set_id
            WHERE e.seal_id >= %s AND NOT EXISTS (
                SELECT 1 FROM audit_sealedrows s
                WHERE s.change_set_id = r.change_set_id AND s.seal_id = e.seal_id
                  AND s."table" = ANY(%s)
            )
            """,
            [since, list(table.names)],
        )
        for history_id, key, change_set, seal in cursor:
            what = _("was slipped in")
            yield row_finding(table, Wrong.ROW_INSERTED, history_id, key, change_set, seal, what)


def columns_gone(gone: ColumnsGone, table: str, seal: int) -> Finding:
    return Finding(
        wrong=Wrong.COLUMNS_GONE,
        message=_(
            "What was sealed from seal %(seal)d on cannot be computed again: %(columns)s is gone. "
            "If it was renamed, say so in AUDIT_RENAMED; columns of the history are never dropped."
        )
        % {"seal": seal, "columns": gone},
        table=table,
        seal=seal,
    )
