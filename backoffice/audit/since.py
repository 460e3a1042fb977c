"""What became of an object since somebody looked at it: field by field, who, when, from what."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models

from .history import Kind, fields_told
from .models import ChangeSet, VersionedModel
from .naming import Names, as_instance, foreign_keys, history_of, is_link, tracked_fields
from .trail import trailed_models
from .wording import value_in_words

# Of an object without a version, so many of its last changes are searched for what was seen.
MOST_LOOKED_BACK = 200


@dataclass(frozen=True, kw_only=True)
class Changed:
    """A field that others changed: what was there, what is there now, and who did it last."""

    field: str
    label: str
    before: str
    after: str
    who: str
    at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Since:
    """`seen` is the object as it was when it was looked at, or None where nothing knows."""

    seen: models.Model | None
    changed: dict[str, Changed]


@dataclass(frozen=True, kw_only=True)
class Deed:
    """Who did something to an object, and when."""

    who: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Gone(Deed):
    """An object that was deleted, as it was last."""

    name: str
    last: models.Model


def is_on_record(model: type[models.Model]) -> bool:
    concrete = model._meta.concrete_model
    return any(concrete is each._meta.concrete_model for each in trailed_models)


def edition(obj: models.Model) -> str:
    """What tells this state of an object from every other: its version, or a sum of its values.

    Made from what was loaded, so it belongs to the very values that are shown beside it.
    """
    if isinstance(obj, VersionedModel):
        return str(obj.version)
    model = type(obj)
    if is_on_record(model):
        ignored = history_of(model).ignored_fields
        fields = [field for field in tracked_fields(model) if field.name not in ignored]
    else:
        fields = list(obj._meta.concrete_fields)
    told = [(field.attname, str(getattr(obj, field.attname))) for field in fields]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def changed_since(obj: models.Model, seen: str, *, viewer: Any) -> Since:
    """What others changed of an object since its edition `seen`, as far as the viewer may know."""
    model = type(obj)
    rows = _rows_since(obj, seen) if is_on_record(model) else []
    told = fields_told(model, viewer) if is_on_record(model) else list(obj._meta.concrete_fields)
    base = rows[0] if rows else None
    names = Names()
    if is_on_record(model):
        for row in [*rows, obj]:
            names.want_row(model, row)
    names.load()
    change_sets = ChangeSet.objects.in_bulk({row.change_set_id for row in rows[1:]})
    changed = {}
    for field in told:
        now = getattr(obj, field.attname)
        if base is None:
            changed[field.name] = _somehow(field, now, names)
            continue
        if getattr(base, field.attname) == now:
            continue
        last = max(
            number
            for number in range(1, len(rows) + 1)
            if getattr(rows[number - 1], field.attname)
            != getattr(rows[number] if number < len(rows) else obj, field.attname)
        )
        by = change_sets.get(rows[last].change_set_id) if last < len(rows) else None
        changed[field.name] = Changed(
            field=field.name,
            label=str(field.verbose_name),
            before=value_in_words(field, getattr(base, field.attname), names.target),
            after=value_in_words(field, now, names.target),
            who=name_of(by) if by else "",
            at=by.at if by else None,
        )
    return Since(seen=as_instance(model, base) if base else None, changed=changed)


def _somehow(field: models.Field, now: Any, names: Names) -> Changed:
    """Of an object whose former state nothing knows: each field may have changed."""
    return Changed(
        field=field.name,
        label=str(field.verbose_name),
        before="",
        after=value_in_words(field, now, names.target),
        who="",
        at=None,
    )


def _rows_since(obj: models.Model, seen: str) -> list[Any]:
    """The history row of the edition that was seen, and those after it; none if it is not found."""
    key = obj._meta.pk.attname
    rows = history_of(type(obj))._base_manager.filter(**{key: obj.pk})
    newest_first = rows.order_by("-history_date", "-history_id")
    if isinstance(obj, VersionedModel):
        if not (seen.isascii() and seen.isdigit()):
            return []
        after = list(newest_first.filter(version__gt=int(seen[:9])))
        base = newest_first.filter(version__lte=int(seen[:9])).first()
        return [base, *reversed(after)] if base else []
    found = []
    for row in newest_first[:MOST_LOOKED_BACK]:
        found.append(row)
        if edition(as_instance(type(obj), row)) == seen:
            return found[::-1]
    return []


def name_of(change_set: ChangeSet) -> str:
    """Who it was, without the address behind the name."""
    return change_set.who.partition(" <")[0]


def deleted_by(model: type[models.Model], keys: Sequence[Any]) -> dict[Any, Gone]:
    """What became of objects that are gone, by their keys."""
    if not (keys and is_on_record(model)):
        return {}
    key = model._meta.pk.attname
    history = history_of(model)._base_manager
    rows = [
        row
        for row in history.filter(**{f"{key}__in": keys})
        .order_by(key, "-history_date", "-history_id")
        .distinct(key)
        if row.history_type == Kind.DELETED
    ]
    names = Names()
    for row in rows:
        names.want_row(model, row)
    names.load()
    sets = ChangeSet.objects.in_bulk({row.change_set_id for row in rows})
    return {
        getattr(row, key): Gone(
            name=names.row(model, row),
            last=as_instance(model, row),
            who=name_of(sets[row.change_set_id]),
            at=row.history_date,
        )
        for row in rows
    }


def linked_by(
    obj: models.Model, field: models.ManyToManyField, keys: Sequence[Any]
) -> dict[Any, Deed]:
    """Who last linked the object with others by a field, or parted it from them, by their keys."""
    through: Any = field.remote_field.through
    if not (keys and is_on_record(through) and is_link(through)):
        return {}
    mine, theirs = field.m2m_column_name(), field.m2m_reverse_name()
    columns = {each.column: each.attname for each in foreign_keys(through)}
    other = columns[theirs]
    rows = list(
        history_of(through)
        ._base_manager.filter(**{columns[mine]: obj.pk, f"{other}__in": keys})
        .order_by(other, "-history_date", "-history_id")
        .distinct(other)
    )
    sets = ChangeSet.objects.in_bulk({row.change_set_id for row in rows})
    return {
        getattr(row, other): Deed(who=name_of(sets[row.change_set_id]), at=row.history_date)
        for row in rows
    }
