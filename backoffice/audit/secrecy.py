"""Fields that only some may see: declared once, and hidden from everyone else everywhere.

The history of a field is as secret as the field. Lists, forms, files, diffs and pages of the
record all ask here; who asks for nobody in particular is told of no secret.
"""

from collections.abc import Mapping
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

_secrets: dict[type[models.Model], dict[str, str]] = {}


def secret_fields(model: type[models.Model], permissions: Mapping[str, str]) -> None:
    """Let fields of a model be seen by those only who have a permission: `{field: permission}`.

    Stands in the `policies` of an app.
    """
    _secrets[model] = dict(permissions)


def hidden_fields(model: type[models.Model], viewer: Any) -> frozenset[str]:
    """The fields of a model that a viewer, a user or None, must not see."""
    return frozenset(
        name
        for name, permission in _secrets.get(model._meta.concrete_model or model, {}).items()
        if viewer is None or not viewer.has_perm(permission)
    )


def is_hidden(model: type[models.Model], lookup: str, viewer: Any) -> bool:
    """Whether a lookup such as "variant_of__cost__gte" asks for what the viewer must not see."""
    here: Any = model
    for part in lookup.split("__"):
        if here is None:
            return False
        if part in hidden_fields(here, viewer):
            return True
        found = next(
            (
                field
                for field in here._meta.get_fields()
                if part in (field.name, getattr(field, "attname", None))
                or (field.auto_created and part == _query_name(field))
            ),
            None,
        )
        here = getattr(found, "related_model", None)
    return False


def facts_told(facts: Any, viewer: Any) -> Any:
    """What an event says besides, without values that its filter asked a hidden field for.

    "cost__gte: 4800", and how many rows were found, is as good as the cost.
    """
    chosen = facts.get("filter") if isinstance(facts, dict) else None
    if not isinstance(chosen, dict):
        return facts
    hidden = frozenset[str]().union(*(hidden_fields(model, viewer) for model in _secrets))
    told = {
        lookup: _("hidden") if hidden.intersection(lookup.split("__")) else value
        for lookup, value in chosen.items()
    }
    return {**facts, "filter": told}


def _query_name(field: Any) -> str:
    name = getattr(field, "related_query_name", None)  # a method of fields, a text of relations
    return str((name() if callable(name) else name) or field.name)
