"""The names of the objects that history rows are about or point at, whether they still exist."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cache
from typing import Any

from django.core.exceptions import FieldFetchBlocked, ObjectDoesNotExist
from django.db import models

from .trail import trailed_models


@cache
def history_of(model: type[models.Model]) -> Any:
    """The model of the history rows of a model that has a Trail.

    Remembered: asking simple-history makes a class of its manager anew, which takes a millisecond.
    """
    attribute: str = model._meta.simple_history_manager_attribute  # type: ignore[attr-defined]
    return getattr(model, attribute).model


def tracked_fields(model: type[models.Model]) -> list[models.Field]:
    """What the history of a model keeps; excluded fields are not among them."""
    return list(history_of(model).tracked_fields)


def foreign_keys(model: type[models.Model]) -> list[models.ForeignKey]:
    return [field for field in tracked_fields(model) if isinstance(field, models.ForeignKey)]


def is_link(model: type[models.Model]) -> bool:
    """Whether rows say nothing but that some objects belong together."""
    rest = [field for field in tracked_fields(model) if not field.primary_key]
    return len(rest) > 1 and all(isinstance(field, models.ForeignKey) for field in rest)


class Names:
    """Looks up names with one query per model, however many are wanted.

    First `want_row()` for every history row of a page, then `load()`, then the questions. With
    `at`, names are those of that moment; without, those of today.
    """

    def __init__(self, at: datetime | None = None) -> None:
        self._at = at
        self._wanted: dict[tuple[type[models.Model], str], set[Any]] = defaultdict(set)
        self._objects: dict[tuple[type[models.Model], str, Any], models.Model] = {}

    def want_row(self, model: type[models.Model], row: Any) -> None:
        for field in foreign_keys(model):
            value = getattr(row, field.attname)
            if value is not None:
                self._wanted[_target(field)].add(value)

    def load(self) -> None:
        trails = {model._meta.concrete_model: model for model in trailed_models}
        for (model, attname), wanted in self._wanted.items():
            values = wanted
            trail = trails.get(model._meta.concrete_model)
            if self._at and trail:
                self._keep(model, attname, _last_of(trail, attname, values, self._at))
                # What is older than the record of it has only the name of today.
                values = {v for v in wanted if (model, attname, v) not in self._objects}
            # Peers: where a name is made from another object, that takes one query for all.
            living = model._base_manager.filter(**{f"{attname}__in": values})
            self._keep(model, attname, living.fetch_mode(models.FETCH_PEERS))
            gone = {value for value in values if (model, attname, value) not in self._objects}
            if gone and trail:
                self._keep(model, attname, _last_of(trail, attname, gone))
        self._wanted.clear()

    def _keep(
        self, model: type[models.Model], attname: str, objects: Iterable[models.Model]
    ) -> None:
        for found in objects:
            self._objects[model, attname, getattr(found, attname)] = found

    def target(self, field: models.ForeignKey, value: Any) -> str:
        """The name of what a foreign key points at, or its key where nothing is known of it."""
        model, attname = _target(field)
        found = self._objects.get((model, attname, value))
        return _name(found) if found else f"{model._meta.verbose_name} {value}"

    def row(self, model: type[models.Model], row: Any, *, within: str = "") -> str:
        """The name of the object that a history row is about, as it was then.

        A row that links objects is named by them; `within` names the foreign key to the object
        that the reader is looking at, which goes without saying.
        """
        if is_link(model):
            ends = [field for field in foreign_keys(model) if field.attname != within]
            return " · ".join(self.target(end, getattr(row, end.attname)) for end in ends)
        instance = as_instance(model, row)
        for field in foreign_keys(model):
            value = getattr(row, field.attname)
            if found := self._objects.get((*_target(field), value)):
                field.set_cached_value(instance, found)
        return _name(instance)


def as_instance(model: type[models.Model], row: Any) -> models.Model:
    """The object as a history row has it. It fetches nothing by itself."""
    instance = model(**{f.attname: getattr(row, f.attname) for f in tracked_fields(model)})
    instance._state.fetch_mode = models.FETCH_RAISE
    return instance


def _target(field: models.ForeignKey) -> tuple[type[models.Model], str]:
    return field.related_model, field.target_field.attname


def _last_of(
    model: type[models.Model], attname: str, values: set[Any], at: datetime | None = None
) -> list[models.Model]:
    rows = history_of(model)._base_manager.filter(**{f"{attname}__in": values})
    if at:
        rows = rows.filter(history_date__lte=at)
    rows = rows.order_by(attname, "-history_date", "-history_id").distinct(attname)
    return [as_instance(model, row) for row in rows]


# Models of others whose own names say too much, or too little.
_namers: dict[type[models.Model], Callable[[Any], str]] = {}


def name_by(model: type[models.Model], namer: Callable[[Any], str]) -> None:
    """Let the record name the objects of a model in words of ours."""
    _namers[model] = namer


def _name(instance: models.Model) -> str:
    try:
        return _namers.get(type(instance), str)(instance)
    except (ObjectDoesNotExist, FieldFetchBlocked):
        return f"{instance._meta.verbose_name} {instance.pk}"
