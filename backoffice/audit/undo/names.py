"""The rows of a plan by name, with the reason in words; no more than the viewer may read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models

from backoffice.audit.naming import Names, as_instance, history_of

from .plan import PlannedRow
from .tables import model_named
from .wording import reason_in_words


@dataclass(frozen=True, kw_only=True)
class NamedRow:
    row: PlannedRow
    key: Any
    name: str
    reason: str


def named_rows(
    model: type[models.Model],
    rows: Sequence[PlannedRow],
    *,
    may_read: Callable[[type[models.Model]], bool] = lambda model: True,
) -> list[NamedRow]:
    """With one query for each model whose names they need."""
    names = Names()
    for row in rows:
        names.want_row(model, row.record)
    names.load()
    others = _names_of_others(rows, may_read)
    return [
        NamedRow(
            row=row,
            key=getattr(row.record, model._meta.pk.attname),
            name=names.row(model, row.record),
            reason=reason_in_words(row, others.get((row.by_model, row.by_key), "")),
        )
        for row in rows
    ]


def _names_of_others(
    rows: Sequence[PlannedRow], may_read: Callable[[type[models.Model]], bool]
) -> dict[tuple[str, str], str]:
    """What stands in the way, each as "product Pot (P-1)", or its kind alone."""
    wanted: dict[str, set[str]] = {}
    for row in rows:
        if row.by_model:
            wanted.setdefault(row.by_model, set()).add(row.by_key)
    found: dict[tuple[str, str], str] = {}
    for label, keys in wanted.items():
        recorded = model_named(label)
        model = recorded or apps.get_model(label)
        is_open = recorded is not None and may_read(recorded)
        named = names_of(model, keys, hide=not is_open)
        found |= {(label, key): name for key, name in named.items()}
    return found


def names_of(model: type[models.Model], keys: set[str], *, hide: bool = False) -> dict[str, str]:
    """Objects of a model, living or gone, as "product “Pot (P-1)”"; or only their kind and key."""
    named = {} if hide else _living(model, keys)
    if not hide and (gone := keys - named.keys()):
        named |= _gone(model, gone)
    kind = str(model._meta.verbose_name)
    return {key: f"{kind} “{named[key]}”" if key in named else f"{kind} {key}" for key in keys}


def _living(model: type[models.Model], keys: set[str]) -> dict[str, str]:
    objects = model._base_manager.filter(pk__in=keys).fetch_mode(models.FETCH_PEERS)
    return {str(obj.pk): str(obj) for obj in objects}


def _gone(model: type[models.Model], keys: set[str]) -> dict[str, str]:
    attname = model._meta.pk.attname
    rows = (
        history_of(model)
        ._base_manager.filter(**{f"{attname}__in": keys})
        .order_by(attname, "-history_date", "-history_id")
        .distinct(attname)
    )
    names = Names()
    for row in rows:
        names.want_row(model, row)
    names.load()
    return {str(as_instance(model, row).pk): names.row(model, row) for row in rows}
