"""Who is at work, and why: what the database is told before each write.

A context is opened by the middleware, a command or a task; the execute wrapper below hands it to
PostgreSQL for the running transaction only (a session would pass it on to whoever gets the
connection next). The triggers read it once per change set.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.db.utils import IntegrityError
from psycopg import ServerCursor

from . import reasons
from .triggers import REASON_GIVEN

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
    from django.db.backends.base.base import BaseDatabaseWrapper

    type Actor = AbstractBaseUser | AnonymousUser | None


class Source(StrEnum):
    ADMIN = "admin"
    API = "api"
    IMPORT = "import"
    TASK = "task"
    COMMAND = "command"
    SHELL = "shell"
    SQL = "sql"  # never announced: what the triggers write where no context was set


@dataclass(frozen=True, kw_only=True)
class AuditContext:
    """What one piece of work says of itself.

    `actor` is a user, or a function that returns one (a request knows its user late).
    `actor_name` stands for an actor who is no user. `reference` names the object behind the
    work, such as "exchange.importjob/12".
    """

    source: Source
    action: str = ""
    reason: str = ""
    actor: "Actor | Callable[[], Actor]" = None
    actor_name: str = ""
    request_id: str = ""
    client_address: str = ""
    reference: str = ""

    def as_json(self) -> str:
        """The form in which the triggers read it."""
        actor = self.actor() if callable(self.actor) else self.actor
        is_user = actor is not None and actor.is_authenticated
        name = (str(actor.get_username()) if actor and is_user else "") or self.actor_name
        if actor and is_user and (full := getattr(actor, "get_full_name", str)()):
            name = f"{full} <{name}>"
        facts: dict[str, Any] = {
            "source": str(self.source),
            "action": storable(self.action),
            "reason": storable(self.reason),
            "actor_id": actor.pk if actor and is_user else None,
            "actor_name": storable(name),
            "request_id": storable(self.request_id),
            "client_address": storable(self.client_address) or None,
            "reference": storable(self.reference),
        }
        if not reasons.said(self.reason) and (needed := reasons.announced()):
            facts["needs_reason"] = needed
        return json.dumps(facts, ensure_ascii=False)


def storable(text: str) -> str:
    """The text as PostgreSQL can hold it: it has no NUL, and UTF-8 no lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


_current: ContextVar[AuditContext | None] = ContextVar("audit_context", default=None)


def current_context() -> AuditContext | None:
    return _current.get()


@contextmanager
def audit_context(**facts: Any) -> Iterator[AuditContext]:
    """Open a context for a block, or refine the one that is open.

    Takes the fields of AuditContext; `source` is needed unless a context is open already.
    Nested blocks keep what they do not name, and what they named is undone at their end.
    """
    outer = _current.get()
    context = replace(outer, **facts) if outer else AuditContext(**facts)
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)


def refine_context(**facts: Any) -> None:
    """Say more about the work in progress, such as the reason that a form brought.

    Lasts until the enclosing `audit_context` ends. Without one it raises RuntimeError: a reason
    that nobody is told must not be taken for recorded.
    """
    outer = _current.get()
    if outer is None:
        raise RuntimeError("No audit context is open; use `with audit_context(source=...)`.")
    _current.set(replace(outer, **facts))


# Statements that can write. SELECT is not among them: code that calls a writing function by
# SELECT calls announce_context() first, as does code that writes by COPY, which no execute
# wrapper sees.
_WRITES = re.compile(
    r"(?:^|;)(?:\s|--[^\n]*\n|/\*.*?\*/|\()*"
    r"(INSERT|UPDATE|DELETE|MERGE|WITH|TRUNCATE|CALL|DO|EXECUTE|EXPLAIN|COPY)\b",
    re.IGNORECASE | re.DOTALL,
)


def pass_context_on(
    execute: Callable[..., Any],
    sql: Any,
    params: Sequence[Any] | dict[str, Any] | None,
    many: bool,
    context: dict[str, Any],
) -> Any:
    """Execute wrapper: put the context of this moment in front of each writing statement.

    In front of the statement, not as one of its own: one round trip, and in autocommit mode one
    transaction for both. `executemany` and server-side binding cannot carry two statements, so
    there it goes ahead, inside the transaction that must be open.

    Raises ReasonMissing where the statement changes what needs a reason, and there is none.
    """
    try:
        return _announced(execute, sql, params, many, context)
    except IntegrityError as error:
        refusal = getattr(error.__cause__, "diag", None)
        if refusal is None or refusal.constraint_name != REASON_GIVEN:
            raise
        raise reasons.ReasonMissing(refusal.table_name) from error


def _announced(
    execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    audit = _current.get()
    connection = context["connection"]
    if connection.vendor != "postgresql" or not (audit or _may_remember(connection)):
        return execute(sql, params, many, context)
    cursor = context["cursor"].cursor
    if isinstance(sql, bytes):
        sql = sql.decode()
    text = sql if isinstance(sql, str) else sql.as_string(cursor)
    # A server-side cursor takes one statement, which PostgreSQL allows no write in.
    if not _WRITES.search(text) or isinstance(cursor, ServerCursor):
        return execute(sql, params, many, context)
    connection.audit_context_announced = True
    facts = audit.as_json() if audit else ""
    announcement = f"SELECT set_config('audit.context', {_literal(facts)}, true)"
    if many or connection.settings_dict["OPTIONS"].get("server_side_binding"):
        if connection.get_autocommit() and not connection.in_atomic_block:
            # No transaction would carry the announcement to the statement.
            from django.db import transaction  # noqa: PLC0415 - manage.py imports us before settings

            with transaction.atomic(using=connection.alias):
                _execute_alone(connection, cursor, announcement)
                return execute(sql, params, many, context)
        _execute_alone(connection, cursor, announcement)
        return execute(sql, params, many, context)
    if params is not None:
        announcement = announcement.replace("%", "%%")
    result = execute(f"{announcement}; {text}", params, many, context)
    context["cursor"].nextset()  # past the announcement's own result
    return result


def _may_remember(connection: Any) -> bool:
    """Whether an open transaction may still hold a context whose block has ended.

    True for good once a context was announced: going back to a savepoint brings a setting back,
    which nobody could keep count of here.
    """
    in_transaction = connection.in_atomic_block or not connection.get_autocommit()
    return in_transaction and getattr(connection, "audit_context_announced", False)


def _execute_alone(connection: Any, cursor: Any, announcement: str) -> None:
    """Past the wrappers and executemany, on the cursor that the statement will use."""
    with connection.wrap_database_errors:
        cursor.execute(announcement)


def announce_context(connection: "BaseDatabaseWrapper") -> None:
    """Tell the open transaction who is at work, before a COPY or a writing function.

    Raises TransactionManagementError outside a transaction, where it would be lost at once.
    """
    connection.validate_no_broken_transaction()
    if not connection.in_atomic_block:
        from django.db.transaction import TransactionManagementError  # noqa: PLC0415 - as above

        raise TransactionManagementError("announce_context() needs an open transaction.")
    audit = _current.get()
    connection.audit_context_announced = True  # type: ignore[attr-defined]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('audit.context', %s, true)", [audit.as_json() if audit else ""]
        )


def _literal(text: str) -> str:
    """A string constant that means the same whatever standard_conforming_strings says."""
    return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
