"""What bulk edit asks for: for each field that a ModelAdmin offers, what to do with it."""

import copy
from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminSelectWidget

from backoffice.audit.reasons import needs_reason
from backoffice.console.reasons import MISSING
from backoffice.console.widgets import DecimalInput, DecimalNumber

from .changes import TAKES_NUMBER, TAKES_VALUE, Change, Deed, deeds_of
from .constraints import unique_names
from .forms import REASON, BulkForm

# Of more than that one does not choose from a plain list.
MOST_CHOICES = 1000
LOWEST_PERCENT, HIGHEST_PERCENT = -100, 1000


def editable_in_bulk(model_admin: Any) -> list[str]:
    """What a ModelAdmin offers: `bulk_fields`, or all of its form that many rows may share."""
    if model_admin.bulk_fields is not None:
        return [*model_admin.bulk_fields]
    opts = model_admin.opts
    fields = [*opts.fields, *opts.many_to_many]
    if model_admin.fieldsets:
        shown = flatten_fieldsets(model_admin.fieldsets)
        fields = [opts.get_field(name) for name in shown if name in {f.name for f in fields}]
    left_out = {*unique_names(model_admin.model), *model_admin.readonly_fields}
    return [
        field.name
        for field in fields
        if field.editable and field.name not in left_out and deeds_of(field)
    ]


class EditForm(BulkForm):
    """A choice for each field: leave it, or what to do with it, and with which value."""

    template = "console/bulk/edit_fields.html"

    def add_fields(self, model_admin: Any, request: HttpRequest) -> None:
        self.model_admin = model_admin
        self.changes: dict[str, Change] = {}
        self.offered: list[Any] = []
        # What the form has no field for is hidden from this user, or read-only.
        base = model_admin.get_form(request).base_fields
        for name in editable_in_bulk(model_admin):
            if name in base and not _is_too_large(base[name]):
                self._offer(model_admin.opts.get_field(name), copy.deepcopy(base[name]))

    def _offer(self, field: Any, value: forms.Field) -> None:
        self.offered.append(field)
        deeds = deeds_of(field)
        label = capfirst(str(value.label))
        choices = [("", _("Leave as it is")), *((deed.value, deed.label) for deed in deeds)]
        self.fields[f"do_{field.name}"] = forms.ChoiceField(
            label=label,
            required=False,
            choices=choices,
            widget=UnfoldAdminSelectWidget(choices=choices),
        )
        if not TAKES_VALUE.isdisjoint(deeds):
            if isinstance(value.widget, RelatedFieldWidgetWrapper):
                value.widget = value.widget.widget
            value.required, value.initial, value.help_text = False, None, ""
            value.label = _("Value: %(field)s") % {"field": label}
            self.fields[f"to_{field.name}"] = value
        if not TAKES_NUMBER.isdisjoint(deeds):
            self.fields[f"by_{field.name}"] = DecimalNumber(
                label=_("By how much: %(field)s") % {"field": label},
                required=False,
                max_digits=14,
                decimal_places=4,
                localize=True,
                widget=DecimalInput(),
            )

    def rows(self) -> list[dict[str, Any]]:
        """The fields as the page lays them out."""
        return [
            {
                "do": self[f"do_{field.name}"],
                "to": self[f"to_{field.name}"] if f"to_{field.name}" in self.fields else None,
                "by": self[f"by_{field.name}"] if f"by_{field.name}" in self.fields else None,
                "to_for": " ".join(sorted(TAKES_VALUE)),
                "by_for": " ".join(sorted(TAKES_NUMBER)),
            }
            for field in self.offered
        ]

    @property
    def asks_for_more(self) -> bool:
        return True

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for field in self.offered:
            chosen = cleaned.get(f"do_{field.name}")
            deed = Deed(chosen) if chosen else None
            # What stands in an input that the choice has no use for counts for nothing.
            for prefix, takes in (("to", TAKES_VALUE), ("by", TAKES_NUMBER)):
                if deed not in takes:
                    self.errors.pop(f"{prefix}_{field.name}", None)
            if deed is not None:
                self._clean_change(field, deed, cleaned)
        if not self.changes and not self.errors:
            self.add_error(None, _("Choose what to do with at least one field."))
        lacks_reason = not cleaned.get(REASON) and REASON not in self.errors
        if lacks_reason and needs_reason(self.model_admin.model, self.changes):
            self.add_error(REASON, MISSING)
        return cleaned

    def _clean_change(self, field: Any, deed: Deed, cleaned: Mapping[str, Any]) -> None:
        value = None
        if deed in TAKES_VALUE:
            value = self._value(field, cleaned)
        elif deed in TAKES_NUMBER:
            value = self._number(field, deed, cleaned)
        if (value is None) == (deed in TAKES_VALUE | TAKES_NUMBER):
            return  # an error stands beside it
        self.changes[field.name] = Change(field=field, deed=deed, value=value)

    def _value(self, field: Any, cleaned: Mapping[str, Any]) -> Any:
        name = f"to_{field.name}"
        if name in self.errors:
            return None
        value = cleaned.get(name)
        if isinstance(field, models.ManyToManyField):
            if not value:
                self.add_error(name, _("Choose at least one."))
                return None
            return tuple(value)
        if value in field.empty_values:
            self.add_error(name, _("Enter a value."))
            return None
        try:
            field.clean(getattr(value, "pk", value), None)
        except ValidationError as wrong:
            self.add_error(name, wrong.messages)
            return None
        return value

    def _number(self, field: Any, deed: Deed, cleaned: Mapping[str, Any]) -> Any:
        name = f"by_{field.name}"
        if name in self.errors:
            return None
        number = cleaned.get(name)
        if not number:
            self.add_error(name, _("Enter a number, such as 5; one below 0 lowers the value."))
            return None
        if deed == Deed.PERCENT and not LOWEST_PERCENT <= number <= HIGHEST_PERCENT:
            words = _("Values change by %(lowest)d to %(highest)d percent at a time.")
            self.add_error(name, words % {"lowest": LOWEST_PERCENT, "highest": HIGHEST_PERCENT})
            return None
        return number

    def asked(self) -> dict[str, Any]:
        return dict(self.changes)


def _is_too_large(field: forms.Field) -> bool:
    """A relation without a search, with more than one chooses from a plain list."""
    if not isinstance(field, forms.ModelChoiceField) or field.queryset is None:
        return False
    widget = getattr(field.widget, "widget", field.widget)
    searches = hasattr(widget, "get_url")  # as autocompletes have
    return not searches and field.queryset[: MOST_CHOICES + 1].count() > MOST_CHOICES
