"""Who changed a row last: what a user needs to know before overwriting it with a file."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from backoffice.audit.models import ChangeSet
from backoffice.audit.naming import history_of

from .resources import Resource
from .versions import is_on_record, list_models


@dataclass(frozen=True)
class LastChange:
    who: str
    at: datetime
    change_set: int


def last_changes(resource: Resource, keys: Iterable[Any]) -> dict[Any, LastChange]:
    """The newest change of each of these rows, or of a list of theirs, by their key.

    One query for each table that is concerned, and one for who it was.
    """
    model, keys = resource.model(), list(keys)
    if not is_on_record(model):
        return {}
    newest: dict[Any, tuple[datetime, int]] = {}
    for table, owner in {model: model._meta.pk.attname, **list_models(resource)}.items():
        found = (
            history_of(table)
            ._base_manager.filter(**{f"{owner}__in": keys})
            .order_by(owner, "-history_date", "-history_id")
            .distinct(owner)
            .values_list(owner, "history_date", "change_set_id")
        )
        for key, at, number in found:
            newest[key] = max(newest.get(key, (at, number)), (at, number))
    change_sets = ChangeSet.objects.in_bulk({number for _at, number in newest.values()})
    return {
        key: LastChange(change_sets[number].who, at, number)
        for key, (at, number) in newest.items()
        if number in change_sets
    }
