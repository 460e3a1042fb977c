"""Who changed a row last: what a user needs to know before overwriting it with a file."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models

from backoffice.audit.models import ChangeSet
from backoffice.audit.naming import history_of


@dataclass(frozen=True)
class LastChange:
    who: str
    at: datetime
    change_set: int


def last_changes(model: type[models.Model], keys: Iterable[Any]) -> dict[Any, LastChange]:
    """The newest change of each of these rows, by their key; in two queries."""
    if not hasattr(model._meta, "simple_history_manager_attribute"):
        return {}
    key = model._meta.pk.attname
    newest = (
        history_of(model)
        ._base_manager.filter(**{f"{key}__in": list(keys)})
        .order_by(key, "-history_date", "-history_id")
        .distinct(key)
        .values_list(key, "history_date", "change_set_id")
    )
    found = list(newest)
    change_sets = ChangeSet.objects.in_bulk({number for _key, _at, number in found})
    return {
        changed: LastChange(change_sets[number].who, at, number)
        for changed, at, number in found
        if number in change_sets
    }
