"""System checks: what may leave and enter the house is declared, and needs a right of its own."""

import re
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import models

from .resources import Resource, registered

# Who people are, what they may do and by what they are let in. Such rows are no goods.
_FORBIDDEN_APPS = {"auth", "admin", "contenttypes", "sessions"}
_FORBIDDEN_NAMES = re.compile("token|session|password", re.IGNORECASE)


@register(Tags.models)
def resources_give_no_secrets_away(**_: Any) -> list[CheckMessage]:
    """Each resource names its fields and is none of people, rights, sessions or tokens (door 1)."""
    return [error for resource in registered() for error in _errors(resource)]


@register(Tags.security)
def files_need_a_right_of_their_own(**_: Any) -> list[CheckMessage]:
    """Without these two settings the library lets everybody import and export who sees a list."""
    wanted = {"IMPORT": "import", "EXPORT": "export"}
    return [
        Error(
            f"IMPORT_EXPORT_{name}_PERMISSION_CODE is not “{code}”.",
            hint=f'Set it to "{code}": without it, whoever sees a list may do so.',
            id="exchange.E004",
        )
        for name, code in wanted.items()
        if getattr(settings, f"IMPORT_EXPORT_{name}_PERMISSION_CODE", None) != code
    ]


def is_forbidden(model: type[models.Model]) -> bool:
    """Whether rows of a model must never leave or enter as a file; proxies and links likewise."""
    concrete = model._meta.concrete_model or model
    people = apps.get_model(settings.AUTH_USER_MODEL)._meta.app_label
    return concrete._meta.app_label in {people, *_FORBIDDEN_APPS} or bool(
        _FORBIDDEN_NAMES.search(concrete.__name__)
    )


def _errors(resource: type[Resource]) -> Iterator[CheckMessage]:
    name, model = resource.__name__, resource.model()
    if not resource._meta.fields:
        yield Error(
            f"{name} has no explicit `fields`.",
            hint="Name them: what is added to the model would otherwise leave with it.",
            obj=resource,
            id="exchange.E001",
        )
    if is_forbidden(model):
        yield Error(
            f"{name} is a resource of {model._meta.label}.",
            hint="People, rights, sessions and tokens neither leave nor enter as files.",
            obj=resource,
            id="exchange.E002",
        )
    declared = {
        *model._meta.default_permissions,
        *(code for code, _name in model._meta.permissions),
    }
    missing = [
        action
        for action in ("import", "export")
        if not {action, f"{action}_{model._meta.model_name}"} & declared
    ]
    if missing:
        yield Error(
            f"{model._meta.label} has no permission to {' or '.join(missing)}.",
            hint="Add them to `default_permissions`, and grant them to roles in a migration.",
            obj=resource,
            id="exchange.E003",
        )
    for field, declared_field in resource().fields.items():
        related = getattr(declared_field.widget, "model", None)
        if related is None or not is_forbidden(related):
            continue
        if declared_field.widget.field != getattr(related, "USERNAME_FIELD", None):
            yield Error(
                f"{name}.{field} shows {related._meta.label}.{declared_field.widget.field}.",
                hint="Refer to people by what they sign in with, and to rights not at all.",
                obj=resource,
                id="exchange.E005",
            )
