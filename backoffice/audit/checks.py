"""System checks: nothing of ours is off the record, and the triggers are those of the models."""

from collections.abc import Sequence
from typing import Any

import pgtrigger
from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from .triggers import UnskippableTrigger

OLDEST_POSTGRESQL = 16


@register(Tags.models)
def every_model_is_on_the_record(**_: Any) -> list[CheckMessage]:
    """A concrete model of ours has a Trail, or says in `no_trail` why it needs none."""
    return [
        Error(
            f"{model._meta.label} leaves no history.",
            hint="Add `history = Trail()`, or `no_trail = \"why it needs none\"`.",
            obj=model,
            id="audit.E001",
        )
        for model in apps.get_models()
        if model.__module__.split(".")[0] in settings.AUDITED_PACKAGES
        and not model._meta.proxy
        and not hasattr(model, "instance_type")  # a history model
        and not hasattr(model._meta, "simple_history_manager_attribute")
        and not getattr(model, "no_trail", "")
    ]


@register(Tags.database)
def triggers_fit_their_models(
    databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """Each trigger of the record is installed, enabled and the one that the model asks for.

    Says nothing while migrations are waiting: they are what installs the triggers.
    """
    messages: list[CheckMessage] = []
    for alias in databases or ():
        connection = connections[alias]
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
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            continue
        for model, trigger in pgtrigger.registered():
            if not isinstance(trigger, UnskippableTrigger):
                continue
            status, enabled = trigger.get_installation_status(model, database=alias)
            if (status, enabled) != ("INSTALLED", True):
                state = "disabled" if status == "INSTALLED" else status.lower()
                messages.append(
                    Error(
                        f"The trigger {trigger.name} of {model._meta.label} is {state}: changes "
                        "may go unrecorded.",
                        hint="Run `manage.py pgtrigger install`, and find out who removed it.",
                        id="audit.E003",
                    )
                )
    return messages
