"""When a change needs a reason: declared once per model and field, and held everywhere.

Forms ask in advance. What they miss, or a command, a service or an API, the database refuses: a
context without a reason is announced together with what needs one, and triggers compare. SQL from
outside of the application announces nothing; it has no reason, and is on the record as such.
"""

import unicodedata
from collections.abc import Collection, Iterable, Iterator
from functools import cache

import pgtrigger
from django.apps import apps
from django.conf import settings
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from backoffice.exceptions import DomainError

from .triggers import reason_given

# What a policy says of rows that come or go, besides the names of fields; and in AUDIT_REASONS.
ADDED, DELETED = "+", "-"
_SIGNS = {"added": ADDED, "deleted": DELETED}
# Changes of many objects at once, whatever they change.
BULK = "bulk"

type Model = type[models.Model]

_declared: dict[Model, frozenset[str]] = {}


# Letters and signs by their category, and yet nothing that anyone sees.
_UNSEEN = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def said(reason: str) -> str:
    """The reason without the blanks around it; "" where nothing in it can be read.

    Spaces, controls (NUL, which PostgreSQL cannot hold, among them) and signs of no width are a
    reason that nobody can read later.
    """
    seen = any(unicodedata.category(c)[0] not in "CZ" and c not in _UNSEEN for c in reason)
    return reason.replace("\0", "").strip() if seen else ""


class ReasonMissing(DomainError):
    """A change that needs a reason, and was given none. Nothing of it is written.

    `model` is what was to be changed, or None for a change of many objects at once.
    """

    def __init__(self, table: str = "") -> None:
        self.model = next((m for m in _declared if m._meta.db_table == table), None)
        if self.model is None:
            super().__init__(_("Changing many objects at once needs a reason. Say why."))
        else:
            kind = self.model._meta.verbose_name_plural
            super().__init__(_("This change of %(kind)s needs a reason. Say why.") % {"kind": kind})


def require_reason(model: Model, *fields: str, added: bool = False, deleted: bool = False) -> None:
    """Let changes of these fields need a reason, and with `added` and `deleted` those of rows.

    Stands in the `policies` of an app. It puts triggers on the model, so `makemigrations` follows.
    Without fields nothing needs one unless AUDIT_REASONS says so.
    """
    signs = {sign for sign, is_meant in ((ADDED, added), (DELETED, deleted)) if is_meant}
    _declared[model] = frozenset({*fields, *signs})
    pgtrigger.register(*reason_given(model))(model)
    _policy.cache_clear()


def needs_reason(
    model: Model, changed: Iterable[str] = (), *, added: bool = False, deleted: bool = False
) -> bool:
    """Whether to change these fields, or to add or delete a row, takes a reason."""
    happens = {*changed, *([ADDED] if added else []), *([DELETED] if deleted else [])}
    return bool(happens & _in_force().get(model, frozenset()))


def bulk_needs_reason() -> bool:
    return f"-{BULK}" not in settings.AUDIT_REASONS


def fields_in_words(model: Model, *, but: Collection[str] = ()) -> str:
    """The fields whose change needs a reason: "price, compare-at price or cost"."""
    names = _in_force().get(model, frozenset()).difference(but)
    fields = [field for field in model._meta.fields if field.name in names]
    return get_text_list([str(field.verbose_name) for field in fields], _("or"))


def announced() -> dict[str, list[str]]:
    """The policy as the triggers read it: columns and signs by table."""
    return {
        model._meta.db_table: sorted(
            name if name in (ADDED, DELETED) else str(_field(model, name).column) for name in names
        )
        for model, names in _in_force().items()
        if names
    }


def problems() -> Iterator[str]:
    """What is wrong with AUDIT_REASONS, in words."""
    for entry in settings.AUDIT_REASONS:
        name = entry.removeprefix("-")
        if name == BULK:
            continue
        label, _dot, field = name.rpartition(".")
        try:
            model = apps.get_model(label)
            if field not in _SIGNS:
                _field(model, field)
        except (LookupError, ValueError, FieldDoesNotExist):
            yield f"{entry!r} names no field of a model; write it as app.Model.field."
            continue
        if model not in _declared:
            yield f"{entry!r}: {label} has no policy to change; call require_reason({label}) first."


def _in_force() -> dict[Model, frozenset[str]]:
    return _policy(tuple(settings.AUDIT_REASONS))


@cache
def _policy(overrides: tuple[str, ...]) -> dict[Model, frozenset[str]]:
    policy = dict(_declared)
    for entry in overrides:
        label, _dot, name = entry.removeprefix("-").rpartition(".")
        model = next((m for m in _declared if m._meta.label == label), None)
        if model is not None:
            changed = {_SIGNS.get(name, name)}
            policy[model] = policy[model] - changed if entry[0] == "-" else policy[model] | changed
    return policy


def _field(model: Model, name: str) -> models.Field:
    field = model._meta.get_field(name)
    if not isinstance(field, models.Field) or field.column is None:
        raise FieldDoesNotExist(f"{model._meta.label} has no column {name!r}.")
    return field
