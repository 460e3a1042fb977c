"""What happens besides changes: who came in or was kept out, what left the house, what was refused.

An event is an entry of the record like any other, and as permanent.
"""

import hashlib
import json
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from psycopg.pq import TransactionStatus

from .context import Source, audit_context, current_context, storable
from .language import on_record
from .models import ChangeSet

# Of the refusals of one person, what goes on the record within a minute.
REFUSALS_WITHIN = timedelta(minutes=1)
MOST_REFUSALS = 20


@dataclass(frozen=True, kw_only=True)
class _Event:
    """An event as it was when it happened. Without a key it could not be written yet."""

    key: int | None
    at: datetime
    columns: tuple[Any, ...]


# The events of the request in progress.
_kept: ContextVar[list[_Event] | None] = ContextVar("audit_events", default=None)


def record_event(
    *, kind: ChangeSet.Kind, action: str, facts: Mapping[str, Any] | None = None, **context: Any
) -> int | None:
    """Put an event on the record, as of the work in progress or of what `context` says instead.

    `facts` is what it has to say besides, as JSON can hold it; never a secret. Within
    `keeping_events` it stays even if the transaction that is open now is rolled back; elsewhere
    it goes with it. Returns its number, or None if it cannot be written yet.
    """
    return _record(_at_work(**context), kind, action, facts or {})


def _at_work(**context: Any) -> dict[str, Any]:
    """Who is at work now, in the words of the record."""
    if current_context() is None:  # nobody opened one: someone at a Python prompt
        context.setdefault("source", Source.SHELL)
    with audit_context(**context) as told:
        found: dict[str, Any] = json.loads(told.as_json())
    return found


def _record(
    told: Mapping[str, Any], kind: ChangeSet.Kind, action: str, facts: Mapping[str, Any]
) -> int | None:
    columns = (
        told["source"],
        storable(action),
        *(told[name] for name in ("reason", "actor_id", "actor_name", "request_id")),
        *(told[name] for name in ("client_address", "reference")),
        kind.value,
        json.dumps(_storable(facts), ensure_ascii=False),
    )
    kept = _kept.get()
    if kept is not None and _is_broken():
        kept.append(_Event(key=None, at=timezone.now(), columns=columns))
        return None
    event = _write(columns)
    if kept is not None:
        kept.append(event)
    return event.key


def _is_broken() -> bool:
    """Whether the transaction that is open takes no statement any more."""
    raw = connection.connection
    return connection.in_atomic_block and (
        connection.needs_rollback
        or (raw is not None and raw.info.transaction_status == TransactionStatus.INERROR)
    )


def _write(columns: tuple[Any, ...], at: datetime | None = None) -> _Event:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_changeset (at, transaction_id, database_user, source, action, "
            "reason, actor_id, actor_name, request_id, client_address, reference, kind, facts) "
            "VALUES (COALESCE(%s, clock_timestamp()), pg_current_xact_id(), session_user, "
            "%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id, at",
            [at, *columns],
        )
        key, written_at = cursor.fetchone()
    return _Event(key=key, at=written_at, columns=columns)


def _storable(value: Any) -> Any:
    match value:
        case str():
            return storable(value)
        case Mapping():
            return {storable(str(name)): _storable(part) for name, part in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_storable(part) for part in value]
        case bool() | int() | float() | None:
            return value
    return storable(str(value))


@contextmanager
def keeping_events() -> Iterator[None]:
    """Keep the events of a block on the record, whatever becomes of the transactions within.

    An event is written at once, so that whoever counts events sees it, and again at the end of
    the block if a roll-back took it away.
    """
    events: list[_Event] = []
    token = _kept.set(events)
    try:
        yield
    finally:
        _kept.reset(token)
        if events:
            keys = [event.key for event in events if event.key is not None]
            there = set(ChangeSet.objects.filter(pk__in=keys).values_list("pk", flat=True))
            for event in events:
                if event.key not in there:
                    _write(event.columns, event.at)


def record_refusal(*, method: str, path: str) -> None:
    """Put it on the record that somebody tried what they may not do.

    Once per person, path and minute, and of many paths only the first few: nobody can flood the
    record.
    """
    told = _at_work()
    lately = ChangeSet.objects.filter(
        kind=ChangeSet.Kind.REFUSED,
        actor_id=told["actor_id"],
        at__gt=timezone.now() - REFUSALS_WITHIN,
    )
    known = [facts.get("path") for facts in lately.values_list("facts", flat=True)]
    if path in known or len(known) >= MOST_REFUSALS:
        return
    action = on_record(_("Refused: %(method)s %(path)s"), {"method": method, "path": path})
    _record(told, ChangeSet.Kind.REFUSED, action, {"method": method, "path": path})


def recorded_export(
    blocks: Generator[tuple[int, bytes]], *, what: Any, facts: Mapping[str, Any]
) -> Iterator[bytes]:
    """Pass a file on as it is made, and put on the record what left the house.

    Each block says how many rows it holds. `what` names them, such as "products"; `facts` says
    how they were chosen. The entry is written when the file has ended, and also when it was cut
    off half-way: with the rows, the bytes and the SHA-256 of what was sent.
    """
    # Now: a download goes on when its request is over, and who asked for it is forgotten.
    return _recorded(_at_work(), blocks, what, facts)


def _recorded(
    told: Mapping[str, Any],
    blocks: Generator[tuple[int, bytes]],
    what: Any,
    facts: Mapping[str, Any],
) -> Iterator[bytes]:
    rows, size, digest, complete = 0, 0, hashlib.sha256(), False
    try:
        for count, block in blocks:
            rows, size = rows + count, size + len(block)
            digest.update(block)
            yield block  # counted before: it may have arrived when the connection breaks
        complete = True
    finally:
        blocks.close()  # and with it the transaction that it reads in
        words = _("Exported %(rows)s %(what)s") if complete else _("Export of %(what)s cut off")
        _record(
            told,
            ChangeSet.Kind.EXPORT,
            on_record(words, {"rows": f"{rows:,}", "what": what}),
            {
                **facts,
                "rows": rows,
                "bytes": size,
                "sha256": digest.hexdigest(),
                "complete": complete,
            },
        )
