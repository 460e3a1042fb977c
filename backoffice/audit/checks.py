"""System checks: nothing of ours is off the record, and the triggers are those of the models."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pgtrigger
from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from simple_history.models import HistoricalChanges

from . import reasons
from .trail import trailed_models
from .triggers import UnskippableTrigger

OLDEST_POSTGRESQL = 16


@register(Tags.models)
def every_model_is_on_the_record(**_: Any) -> list[CheckMessage]:
    """A concrete model of ours has a Trail, or says in `no_trail` why it needs none.

    The hidden models of many-to-many fields are models as well.
    """
    return [
        Error(
            f"{model._meta.label} leaves no history.",
            hint=(
                "Add `through` with a model of its own."
                if model._meta.auto_created
                else 'Add `history = Trail()`, or `no_trail = "why it needs none"`.'
            ),
            obj=model,
            id="audit.E001",
        )
        for model in apps.get_models(include_auto_created=True)
        if model.__module__.split(".")[0] in settings.AUDITED_PACKAGES
        and not model._meta.proxy
        and not issubclass(model, HistoricalChanges)
        and model not in trailed_models
        and not getattr(model, "no_trail", "")
    ]


@register(Tags.models)
def reasons_are_of_something(**_: Any) -> list[CheckMessage]:
    """AUDIT_REASONS names fields that exist, of models that have a policy."""
    return [Error(f"AUDIT_REASONS: {problem}", id="audit.E005") for problem in reasons.problems()]


@register(Tags.database)
def triggers_fit_their_models(
    databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """Each trigger of the record is installed, enabled and the one that the model asks for.

    Says nothing while migrations are waiting: they are what installs the triggers.
    """
    messages: list[CheckMessage] = []
    for alias in databases or ():
        connection: Any = connections[alias]
        if connection.pg_version < OLDEST_POSTGRESQL * 10_000:
            messages.append(
                Error(
                    f"Stockbook needs PostgreSQL {OLDEST_POSTGRESQL} or later; {alias!r} is "
                    f"{connection.pg_version // 10_000}.",
                    hint="Upgrade the server, or name another one in DATABASE_URL.",
                    id="audit.E002",
                )
            )
            continue
        executor = MigrationExecutor(connection)
        if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
            messages += _triggers_at_fault(connection)
    return messages


@dataclass(frozen=True)
class _Installed:
    enabled: str
    fingerprint: str
    body: str
    as_owner: bool


def _triggers_at_fault(connection: Any) -> Iterator[CheckMessage]:
    installed, role = _what_is_installed(connection)
    if role != "origin":
        yield Error(
            f"session_replication_role is {role!r}: no trigger fires, and no change is recorded.",
            hint="Reset it: ALTER ROLE or ALTER DATABASE ... RESET session_replication_role.",
            id="audit.E004",
        )
    yield from _change_set_function_at_fault(connection)
    yield from _not_ours(connection)
    for model, trigger in pgtrigger.registered():
        if isinstance(trigger, UnskippableTrigger) and (fault := _fault(trigger, model, installed)):
            yield Error(
                f"The trigger {trigger.name} of {model._meta.label} is {fault}: changes may go "
                "unrecorded.",
                hint="Run `manage.py pgtrigger install`, and find out who did that.",
                id="audit.E003",
            )


# The body of audit_change_set() as the migrations make it, without its white space.
CHANGE_SET_FUNCTION = "57b85a285e414a7435728aafdd71955b"


def _change_set_function_at_fault(connection: Any) -> Iterator[CheckMessage]:
    """The function that every entry of the record comes from is ours, and runs as its owner."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT md5(regexp_replace(prosrc, '\\s+', '', 'g')), prosecdef, proconfig, "
            "lower('Ä') = 'ä' FROM pg_proc WHERE proname = 'audit_change_set'"
        )
        found = cursor.fetchall()
    if [row[:3] for row in found] != [(CHANGE_SET_FUNCTION, True, ["search_path=public, pg_temp"])]:
        yield Error(
            "The function audit_change_set() is not the one of the migrations: what is recorded "
            "may be attributed wrongly.",
            hint="Find out who replaced it, and put the one of audit/migrations back.",
            id="audit.E003",
        )
    elif not found[0][3]:
        yield Error(
            "This database knows capitals of ASCII only, so names such as Ä and ä would differ.",
            hint="Create it with a UTF-8 locale, such as LOCALE 'C.UTF-8', and move the data over.",
            id="audit.E005",
        )


def _not_ours(connection: Any) -> Iterator[CheckMessage]:
    """Triggers on the tables of the record, and rules on any table of ours, that nobody declared.

    They need alter no history: they can see to it that another one is written.
    """
    registered = [
        (model._meta.db_table, trigger.get_pgid(model)) for model, trigger in pgtrigger.registered()
    ]
    ours = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    append_only = {
        model._meta.db_table
        for model, trigger in pgtrigger.registered()
        if trigger.name == "append_only"
    }
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.relname, t.tgname, 'trigger' FROM pg_trigger t
            JOIN pg_class c ON c.oid = t.tgrelid
            WHERE NOT t.tgisinternal AND c.relname = ANY(%s) AND pg_table_is_visible(c.oid)
            UNION ALL
            SELECT c.relname, r.rulename, 'rule' FROM pg_rewrite r
            JOIN pg_class c ON c.oid = r.ev_class
            WHERE c.relkind IN ('r', 'p') AND c.relname = ANY(%s) AND pg_table_is_visible(c.oid)
            ORDER BY 1, 2
            """,
            [sorted(append_only), sorted(ours)],
        )
        for table, name, kind in cursor.fetchall():
            if (table, name) not in registered:
                yield Error(
                    f"The {kind} {name} of {table} is not ours: what is recorded may not be what "
                    "was done.",
                    hint=f"Look at what it does, drop it (DROP {kind.upper()}), and find out who "
                    "made it.",
                    id="audit.E003",
                )


def _what_is_installed(connection: Any) -> tuple[dict[tuple[str, str], _Installed], str]:
    with connection.cursor() as cursor:
        cursor.execute("SHOW session_replication_role")
        (role,) = cursor.fetchone()
        cursor.execute(
            """
            SELECT c.relname, t.tgname, t.tgenabled, obj_description(t.oid, 'pg_trigger'),
                   p.prosrc, p.prosecdef
            FROM pg_trigger t
            JOIN pg_class c ON c.oid = t.tgrelid
            JOIN pg_proc p ON p.oid = t.tgfoid
            WHERE NOT t.tgisinternal AND pg_table_is_visible(c.oid)
            """
        )
        return {(table, name): _Installed(*rest) for table, name, *rest in cursor.fetchall()}, role


def _fault(
    trigger: UnskippableTrigger,
    model: Any,  # pgtrigger's annotation says an instance
    installed: dict[tuple[str, str], _Installed],
) -> str:
    wanted = trigger.compile(model)
    found = installed.get((model._meta.db_table, wanted.sql.pgid))
    if found is None:
        return "missing"
    if found.enabled not in ("O", "A"):  # on origin, always; else disabled, or for replicas only
        return "disabled"
    if found.fingerprint != wanted.hash:
        return "not the one that the model asks for"
    # A function can be replaced under a trigger that keeps its fingerprint.
    if found.body != wanted.install_sql.split("$$")[1] or not found.as_owner:
        return "there, but its function is another"
    return ""
