"""Who changed a cell since the export: what a user needs to know before overwriting it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.db import models

from backoffice.audit.history import Kind
from backoffice.audit.models import ChangeSet
from backoffice.audit.naming import history_of

from .children import ChildrenColumn
from .columns import Column, ListColumn
from .resources import Resource
from .versions import is_on_record


@dataclass(frozen=True)
class LastChange:
    who: str
    at: datetime
    change_set: int
    # Of a list: whether one of what it names got another name, and the list itself stayed.
    is_rename: bool = False


@dataclass(frozen=True, order=True)
class _Found:
    at: datetime
    change_set: int
    is_rename: bool = False


def last_changes(
    resource: Resource, columns: Mapping[str, Column], versions: Mapping[Any, int | None]
) -> dict[Any, dict[str, LastChange]]:
    """Of each row (key: the version that the file has) and field, the newest change since.

    A handful of queries, however many the rows. A field of which the record tells no change since
    that version gets the newest change of its row.
    """
    model = resource.model()
    if not is_on_record(model):
        return {}
    found = _changes_of_rows(model, columns, versions)
    for name, column in columns.items():
        lists: dict[Any, _Found] = {}
        if isinstance(column, ListColumn) and is_on_record(column.through):
            many: Any = column.model_field
            owner = f"{many.m2m_field_name()}_id"
            lists = _newest(column.through, owner, versions)
            for key, renamed in _renamed(column, versions).items():
                lists[key] = max(lists.get(key, renamed), renamed)
        elif isinstance(column, ChildrenColumn) and is_on_record(column.child):
            lists = _newest(column.child, column.relation.attname, versions)
        for key, change in lists.items():
            found.setdefault(key, {})[name] = change
    for key, change in _newest(model, model._meta.pk.attname, versions).items():
        found[key] = {**dict.fromkeys(columns, change), **found.get(key, {})}
    numbers = {change.change_set for changes in found.values() for change in changes.values()}
    change_sets = ChangeSet.objects.in_bulk(numbers)
    return {
        key: {
            name: LastChange(
                change_sets[change.change_set].who, change.at, change.change_set, change.is_rename
            )
            for name, change in changes.items()
            if change.change_set in change_sets
        }
        for key, changes in found.items()
    }


def _changes_of_rows(
    model: type[models.Model], columns: Mapping[str, Column], versions: Mapping[Any, int | None]
) -> dict[Any, dict[str, _Found]]:
    """The newest change of each field of the row itself, from the version of the file on."""
    key, stored = model._meta.pk.attname, _attributes(columns)
    oldest = min((v for v in versions.values() if v is not None), default=None)
    rows = history_of(model)._base_manager.filter(**{f"{key}__in": list(versions)})
    if oldest is not None:
        rows = rows.filter(version__gte=oldest)
    history = rows.order_by(key, "history_date", "history_id").values(
        key, "version", "history_date", "change_set_id", *stored.values()
    )
    found: dict[Any, dict[str, _Found]] = {}
    for before, after in pairwise(history):
        said = versions[after[key]]
        if before[key] != after[key] or (said is not None and before["version"] < said):
            continue
        for name, attribute in stored.items():
            if before[attribute] != after[attribute]:
                change = _Found(after["history_date"], after["change_set_id"])
                found.setdefault(after[key], {})[name] = change
    return found


def _attributes(columns: Mapping[str, Column]) -> dict[str, str]:
    return {
        name: column.model_field.attname
        for name, column in columns.items()
        if column.db_column is not None
    }


def _newest(
    model: type[models.Model], owner: str, keys: Iterable[Any], kinds: Sequence[str] = ()
) -> dict[Any, _Found]:
    rows = history_of(model)._base_manager.filter(**{f"{owner}__in": list(keys)})
    if kinds:
        rows = rows.filter(history_type__in=kinds)
    newest = rows.order_by(owner, "-history_date", "-history_id").distinct(owner)
    return {
        key: _Found(at, number)
        for key, at, number in newest.values_list(owner, "history_date", "change_set_id")
    }


def _renamed(column: ListColumn, keys: Iterable[Any]) -> dict[Any, _Found]:
    """The newest change of what each of these rows has in its list."""
    if not is_on_record(column.related):
        return {}
    many: Any = column.model_field
    ours, theirs = f"{many.m2m_field_name()}_id", f"{many.m2m_reverse_field_name()}_id"
    links = list(
        column.through._base_manager.filter(**{f"{ours}__in": list(keys)}).values_list(ours, theirs)
    )
    changed = _newest(
        column.related,
        column.related._meta.pk.attname,
        {theirs for _ours, theirs in links},
        [Kind.CHANGED],
    )
    found: dict[Any, _Found] = {}
    for key, one in links:
        if one in changed:
            change = _Found(changed[one].at, changed[one].change_set, is_rename=True)
            found[key] = max(found.get(key, change), change)
    return found
