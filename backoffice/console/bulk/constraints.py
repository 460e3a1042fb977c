"""The rules of a model, asked of the values that its rows would have."""

from collections.abc import Mapping
from typing import Any

from django.db import models
from django.db.models import ExpressionWrapper, F, Func, Q
from django.db.models.constraints import BaseConstraint, CheckConstraint


def unique_names(model: type[models.Model]) -> set[str]:
    """Fields that must differ from row to row, alone or together with others."""
    alone = {field.name for field in model._meta.fields if field.unique}
    together = {name for names in model._meta.unique_together for name in names}
    return (
        alone
        | together
        | {
            name
            for constraint in model._meta.constraints
            if not isinstance(constraint, CheckConstraint)
            for name in _names(constraint)
        }
    )


def _names(constraint: BaseConstraint) -> set[str]:
    names = {*getattr(constraint, "fields", ())}
    for entry in getattr(constraint, "expressions", ()):
        expression = entry[0] if isinstance(entry, tuple) else entry
        parts = expression.flatten() if hasattr(expression, "flatten") else [expression]
        names |= {str(getattr(part, "name", part)) for part in parts if isinstance(part, F | str)}
    return names


def broken_rules(model: type[models.Model], new_names: Mapping[str, str]) -> list[tuple[str, Q]]:
    """For each CHECK that looks at a changed field: its name, and what holds where it is broken.

    `new_names` are those of the annotations with the new values.
    """
    found = []
    for rule in model._meta.constraints:
        if not isinstance(rule, CheckConstraint) or not isinstance(rule.condition, Q):
            continue
        if new_names.keys().isdisjoint(rule.condition.referenced_base_fields):
            continue
        kept = ExpressionWrapper(
            renamed(rule.condition, new_names), output_field=models.BooleanField()
        )
        # What is neither true nor false, for a value is not there, breaks no CHECK.
        broken = Func(
            kept, template="(%(expressions)s) IS FALSE", output_field=models.BooleanField()
        )
        found.append((rule.name, Q(broken)))
    return found


def renamed(condition: Any, names: Mapping[str, str]) -> Any:
    """The same condition of other columns."""
    if isinstance(condition, Q):
        changed = condition.copy()
        changed.children = [renamed(child, names) for child in condition.children]
        return changed
    if isinstance(condition, tuple):
        lookup, value = condition
        return _renamed_lookup(lookup, names), renamed(value, names)
    if isinstance(condition, F):
        name: str = condition.name  # type: ignore[attr-defined]  # the stubs forgot it
        return F(_renamed_lookup(name, names))
    if hasattr(condition, "get_source_expressions"):
        copy = condition.copy()
        copy.set_source_expressions(
            [each and renamed(each, names) for each in condition.get_source_expressions()]
        )
        return copy
    return condition


def _renamed_lookup(lookup: str, names: Mapping[str, str]) -> str:
    first, *rest = lookup.split("__")
    return "__".join([names.get(first, names.get(first.removesuffix("_id"), first)), *rest])


def rule_in_words(model: type[models.Model], name: str) -> str:
    """What a rule says to people, or its name."""
    for rule in model._meta.constraints:
        message = rule.violation_error_message
        if rule.name == name and message and message != rule.default_violation_error_message:
            return str(message)
    return name
