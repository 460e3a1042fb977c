"""Takes history away that is older than it has to be: to a file, verified, and on the record.

Nothing but this deletes history. It needs no right that its caller has not got: whoever owns the
tables can switch their triggers off. It does so under a lock that keeps every other writer out.
"""

import gzip
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import OperationalError, connection, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, ngettext_lazy

from backoffice.audit.events import record_event
from backoffice.audit.fields import Ranges, runs
from backoffice.audit.language import on_record
from backoffice.audit.models import Archive, ChangeSet, Seal
from backoffice.audit.naming import history_of
from backoffice.audit.triggers import append_only

from .archives import ids_hash
from .canonical import Catalogue, fix_output
from .copies import compare, digest_of
from .exceptions import SealError
from .findings import Wrong
from .publishing import checkpoints_at_hand
from .retention import retention
from .verifying import Verification

# Writers of a model wait while a batch of its history goes: about two seconds.
ROWS_AT_ONCE = 50_000
# So long is waited for a transaction that has just written there, while others queue up behind.
_PATIENCE = "5s"

# All but the newest row of each object: what the object was at the end of the period stays.
_OLD = """
    SELECT history_id FROM (
        SELECT h.history_id,
               row_number() OVER (PARTITION BY h."{key}" ORDER BY h.history_id DESC) AS age
        FROM "{table}" h JOIN audit_sealedentry e ON e.change_set_id = h.change_set_id
        WHERE e.seal_id < {before}
    ) sealed WHERE age > 1
"""


@dataclass(frozen=True, kw_only=True)
class Archiving:
    """What was archived of a model: to which file, and under which change set it stands."""

    model: type[models.Model]
    rows: int
    file: Path
    sha256: str
    change_set: int
    removed: int


def archive_history(folder: Path) -> Iterator[Archiving]:
    """Archive what AUDIT_RETENTION says is old enough, model by model.

    Only what is sealed goes, and only once its file has been verified with the rest of the record,
    in place of the rows. Each archive is an event of the record before the first row goes; a crash
    leaves rows that are in a file as well, which the next run takes. Raises SealError, and
    RuntimeError inside a transaction.
    """
    kept_for = retention()
    for model in kept_for:
        _refuse_if_not_the_owner(history_of(model)._meta.db_table)
    for model, period in kept_for.items():
        before = _first_seal_within(period)
        if before and (done := _archive(model, before, folder)):
            yield done


def _first_seal_within(period: timedelta) -> int:
    old = Seal.objects.filter(at__lt=timezone.now() - period).order_by("-id").first()
    return old.pk + 1 if old else 0


def _refuse_if_not_the_owner(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_has_role(relowner, 'USAGE'), relowner::regrole::text FROM pg_class "
            "WHERE oid = %s::regclass",
            [table],
        )
        may, owner = cursor.fetchone()
    if not may:
        raise SealError(
            _(
                "Only the owner of %(table)s can take history away. Sign in to the database as "
                "%(who)s."
            )
            % {"table": table, "who": owner}
        )


def _archive(model: type[models.Model], before: int, folder: Path) -> Archiving | None:
    table = history_of(model)._meta.db_table
    file = folder / f"{table}.before-seal-{before}.csv.gz"
    if file.exists():
        raise SealError(_("%s is there already. Name another folder.") % file)
    draft = file.with_name(f".{file.name.removesuffix('.gz')}.draft.gz")
    try:
        ids, rows = _copy_out(model, before, draft)
        if not rows:
            return None
        compare(table, draft, rows)
        _verify()
        draft.rename(file)
    except OSError as error:
        raise SealError(
            _("%(file)s cannot be written: %(error)s") % {"file": file, "error": error}
        ) from error
    finally:
        draft.unlink(missing_ok=True)
    digest = digest_of(file)
    change_set = _put_on_record(model, before, ids, rows, file, digest)
    return Archiving(
        model=model,
        rows=rows,
        file=file,
        sha256=digest,
        change_set=change_set,
        removed=_remove(model, ids),
    )


def _copy_out(model: type[models.Model], before: int, path: Path) -> tuple[Ranges, int]:
    """Write what is to go to a file. Returns the numbers of the rows, and how many they are."""
    history = history_of(model)
    table = history._meta.db_table
    old = _OLD.format(
        key=history._meta.get_field(model._meta.pk.name).column, table=table, before=before
    )
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        fix_output(cursor)
        cursor.execute(f"CREATE TEMP TABLE going AS {old}")
        names = ", ".join(f'h."{name}"' for name, _kind in Catalogue.read(cursor).columns[table])
        select = f'SELECT {names} FROM "{table}" h JOIN going g ON g.history_id = h.history_id'
        with path.open("wb") as raw:
            with (
                gzip.open(raw, "wb", compresslevel=6) as file,
                cursor.copy(
                    f"COPY ({select} ORDER BY h.history_id) TO STDOUT (FORMAT csv, HEADER)"
                ) as copy,
            ):
                for piece in copy:
                    file.write(piece)
            raw.flush()
            os.fsync(raw.fileno())
        cursor.execute(
            "SELECT range_agg(int8range(history_id, history_id, '[]')), count(*) FROM going"
        )
        ids, rows = cursor.fetchone()
        cursor.execute("DROP TABLE going")
    return (runs(ids) if rows else ()), rows


def _verify() -> None:
    """Verify the whole record, the rows that are to go among it."""
    verification = Verification(checkpoints=[*checkpoints_at_hand()])
    wrong = [
        finding
        for finding in verification.findings()
        if finding.wrong != Wrong.LIVE_ROW_DIFFERS  # somebody is at work; not about old history
    ]
    if wrong:
        raise SealError(
            ngettext(
                "Nothing was taken away: %(count)d thing is wrong with the record. See "
                "audit_verify: %(first)s",
                "Nothing was taken away: %(count)d things are wrong with the record. See "
                "audit_verify. The first: %(first)s",
                len(wrong),
            )
            % {"count": len(wrong), "first": wrong[0].message}
        )


def _put_on_record(
    model: type[models.Model], before: int, ids: Ranges, rows: int, file: Path, digest: str
) -> int:
    table = history_of(model)._meta.db_table
    text = ngettext_lazy(
        "Archived %(count)s row of the history of %(what)s",
        "Archived %(count)s rows of the history of %(what)s",
        rows,
    )
    words = {"count": f"{rows:,}", "what": model._meta.verbose_name_plural}
    facts: dict[str, Any] = {
        "rows": rows,
        "table": table,
        "before_seal": before,
        "file": file.name,
        "bytes": file.stat().st_size,
        "sha256": digest,
        "history_ids_sha256": ids_hash(ids),
    }
    with transaction.atomic(durable=True):
        change_set = record_event(
            kind=ChangeSet.Kind.ARCHIVE, action=on_record(text, words), facts=facts
        )
        assert change_set is not None  # noqa: S101 - only a broken transaction has none
        Archive.objects.create(change_set_id=change_set, table=table, history_ids=ids)
    return change_set


def _remove(model: type[models.Model], ids: Ranges) -> int:
    """Delete these rows, some at a time, so that nobody waits for long."""
    history = history_of(model)
    table, trigger = history._meta.db_table, append_only().get_pgid(history)
    removed = 0
    for some in _batches(ids):
        try:
            with transaction.atomic(durable=True), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{_PATIENCE}'")
                # Conflicts with every write: nobody else gets past the trigger while it is off.
                cursor.execute(f'LOCK TABLE "{table}" IN SHARE ROW EXCLUSIVE MODE')
                cursor.execute(f'ALTER TABLE "{table}" DISABLE TRIGGER "{trigger}"')
                cursor.execute(
                    f'DELETE FROM "{table}" h USING unnest(%s::bigint[], %s::bigint[]) '
                    "AS run (first, last) WHERE h.history_id BETWEEN run.first AND run.last",
                    [[first for first, _last in some], [last for _first, last in some]],
                )
                removed += cursor.rowcount
                cursor.execute(f'ALTER TABLE "{table}" ENABLE TRIGGER "{trigger}"')
        except OperationalError as error:
            raise SealError(
                _(
                    "%(table)s is in use, so not all that is in the archive is gone yet: "
                    "%(error)s Run it again with another folder."
                )
                % {"table": table, "error": error}
            ) from error
    return removed


def _batches(ids: Ranges) -> Iterator[Ranges]:
    """Runs of numbers, cut so that none of the parts has more than ROWS_AT_ONCE."""
    part: list[tuple[int, int]] = []
    room = ROWS_AT_ONCE
    for first, last in ids:
        start = first
        while start <= last:
            end = min(last, start + room - 1)
            part.append((start, end))
            room -= end - start + 1
            start = end + 1
            if not room:
                yield tuple(part)
                part, room = [], ROWS_AT_ONCE
    if part:
        yield tuple(part)
