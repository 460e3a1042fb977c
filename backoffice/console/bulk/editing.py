"""Bulk edit: any set of fields of many rows, declared by `bulk_fields` of the ModelAdmin."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.admin.options import ModelAdmin
from django.db import models
from django.db.models import F, Q, QuerySet, Value, When
from django.utils.formats import date_format, number_format
from django.utils.functional import lazy
from django.utils.text import get_text_list
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from backoffice.audit.language import on_record
from backoffice.bulk import Outcome, carry_out, skipping
from backoffice.console.displays import NOTHING, grouped, money

from .action import BulkAction
from .changes import Change
from .constraints import broken_rules, rule_in_words
from .edit_form import EditForm
from .preview import Sample

UNCHANGED = "unchanged"


class BulkEdit(BulkAction):
    """Sets, clears and reckons fields, adds and takes away links; each rule of the model holds."""

    name = "bulk_edit"
    label = gettext_lazy("Edit fields")
    form_class = EditForm

    def __init__(self, model_admin: ModelAdmin) -> None:
        super().__init__()
        self.model_admin, self.model = model_admin, model_admin.model

    def plan(self, rows: QuerySet, asked: Mapping[str, Change]) -> QuerySet:
        columns = [change for change in asked.values() if not change.is_link]
        links = [change.name for change in asked.values() if change.is_link]
        relations = [c.name for c in columns if isinstance(c.field, models.ForeignKey)]
        if relations:
            rows = rows.select_related(*relations)
        same = Q()
        for change in asked.values():
            same &= change.same()
        cases = [
            (UNCHANGED, same),
            *(bound for change in columns for bound in change.bounds()),
            *(
                (f"rule:{name}", broken)
                for name, broken in broken_rules(self.model, {c.name: c.alias for c in columns})
            ),
        ]
        new = {change.alias: change.new_value() for change in columns}
        skip = skipping(*(When(q, then=Value(why)) for why, q in cases))
        planned: QuerySet = rows.prefetch_related(*links).annotate(**new).annotate(skip=skip)
        return planned

    def skip_label(self, reason: str) -> str:
        why, _colon, name = reason.partition(":")
        if why == "rule":
            return rule_in_words(self.model, name).rstrip(".")
        if why == UNCHANGED:
            return _("nothing in them would change")
        words = (
            _("%(field)s would be too low") if why == "below" else _("%(field)s would be too high")
        )
        return words % {"field": self._label(name)}

    def samples(self, row: Any, asked: Mapping[str, Change]) -> Sequence[Sample]:
        return [
            Sample(name=str(row), field=self._label(change.name), old=old, new=new)
            for change in asked.values()
            for old, new in [self._old_and_new(row, change)]
            if old != new
        ]

    def _old_and_new(self, row: Any, change: Change) -> tuple[Any, Any]:
        if change.is_link:
            now = {*getattr(row, change.name).all()}
            return _listed(now), _listed(change.linked(now))
        old, new = getattr(row, change.name), getattr(row, change.alias)
        if isinstance(change.field, models.ForeignKey):
            new = change.value
        return self._shown(change.field, old), self._shown(change.field, new)

    def _shown(self, field: Any, value: Any) -> Any:
        if value is None or value == "":
            return NOTHING
        if field.name in getattr(self.model_admin, "money_fields", ()):
            return money(value)
        if field.choices:
            return dict(field.flatchoices).get(value, value)
        if isinstance(field, models.BooleanField):
            return _("yes") if value else _("no")
        if isinstance(field, models.DecimalField):
            return number_format(value.normalize())
        if isinstance(field, models.DateTimeField):
            return date_format(localtime(value), "DATETIME_FORMAT")
        return value

    def execute(
        self, rows: QuerySet, asked: Mapping[str, Change], *, actor: Any, reason: str
    ) -> Outcome:
        return carry_out(
            rows=rows,
            plan=lambda found: self.plan(found, asked),
            write=lambda planned: _write(planned, asked),
            actor=actor,
            reason=reason,
            action=lambda number: on_record(lazy(self._action_in_words, str)(number, asked)),
        )

    def _action_in_words(self, number: int, asked: Mapping[str, Change]) -> str:
        opts = self.model._meta
        return _("%(number)s %(kind)s edited: %(fields)s") % {
            "number": grouped(number),
            "kind": opts.verbose_name if number == 1 else opts.verbose_name_plural,
            "fields": get_text_list([self._label(name) for name in asked], _("and")),
        }

    def done_message(self, number: int) -> str:
        return ngettext("%s changed.", "%s changed.", number) % grouped(number)

    def _label(self, name: str) -> str:
        return str(self.model._meta.get_field(name).verbose_name)


def _write(planned: QuerySet, asked: Mapping[str, Change]) -> None:
    columns = [change for change in asked.values() if not change.is_link]
    links = [change for change in asked.values() if change.is_link]
    # Before anything is written: afterwards the plan finds them changed already.
    keys = list(planned.values_list("pk", flat=True)) if links else []
    if columns:
        planned.update(**{change.name: F(change.alias) for change in columns})
    for change in links:
        change.link(keys)


def _listed(linked: set[Any]) -> str:
    return ", ".join(sorted(str(each) for each in linked)) or NOTHING
