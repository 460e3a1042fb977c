"""Formsets whose rows say which state of an object they show, beside its key."""

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.core.exceptions import ValidationError
from django.db import models
from django.forms.formsets import DEFAULT_MAX_NUM, DELETION_FIELD_NAME
from django.forms.models import BaseModelFormSet
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from backoffice.audit.since import Gone, deleted_by

from .editions import ASKED, KNOWN, SEEN, EditionForm

MOST_ROWS = 2 * DEFAULT_MAX_NUM  # Django's own bound of what it takes in


_COUNTS = ("TOTAL", "INITIAL")


def _number(data: Any, name: str) -> int:
    text = str(data.get(name, ""))
    return min(int(text), MOST_ROWS) if text.isascii() and text.isdigit() else 0


class KeyWithEdition(forms.HiddenInput):
    """The key of a row, and the state of it that the form shows."""

    def __init__(self, form: EditionForm) -> None:
        super().__init__()
        self.form = form

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        return super().render(name, value, attrs, renderer) + self.form.editions

    def __deepcopy__(self, memo: Any) -> "KeyWithEdition":
        return self


class EditionRowsMixin:
    """Rows that somebody deleted meanwhile leave the form, and are said in `notes`.

    One that the user had changed stands as a new row, to add again or to drop.
    """

    model: Any
    form: Any
    prefix: Any
    data: Any
    is_bound: bool

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.notes: list[str] = []
        self._returned: dict[int, str] = {}
        if self.is_bound:
            self._part_from_gone_rows()

    def _construct_form(self, i: int, **kwargs: Any) -> Any:
        form = super()._construct_form(i, **kwargs)  # type: ignore[misc]
        form.returned = self._returned.get(i, "")
        return form

    def _part_from_gone_rows(self) -> None:
        key = self.model._meta.pk.name
        total, initial = (_number(self.data, f"{self.prefix}-{x}_FORMS") for x in _COUNTS)
        keys: dict[int, Any] = {}
        for i in range(initial):
            try:
                sent = self.model._meta.pk.to_python(self.data.get(f"{self.prefix}-{i}-{key}"))
            except ValidationError:
                continue
            if sent is not None:
                keys[i] = sent
        there = set(
            self.model._base_manager.filter(pk__in=keys.values()).values_list("pk", flat=True)
        )
        gone = deleted_by(self.model, [k for k in keys.values() if k not in there])
        lost = {i: gone[k] for i, k in keys.items() if k in gone}
        if not lost:
            return
        returned = [i for i, each in lost.items() if self._was_changed(i, each)]
        order = [
            *(i for i in range(initial) if i not in lost),
            *range(initial, total),
            *returned,
        ]
        for i, each in lost.items():
            words = _("%(who)s deleted %(kind)s “%(name)s”, %(when)s.") % {
                "who": each.who,
                "kind": self.model._meta.verbose_name,
                "name": each.name,
                "when": naturaltime(each.at),
            }
            if i in returned:
                again = _("You had changed it. Save again to add it anew, or remove it.")
                self._returned[order.index(i)] = f"{words} {again}"
            else:
                self.notes.append(words)
        self._renumber(order, initial - len(lost), returned)

    def _was_changed(self, i: int, gone: Gone) -> bool:
        if self.data.get(f"{self.prefix}-{i}-{DELETION_FIELD_NAME}"):
            return False
        form = self.form(data=self.data, prefix=f"{self.prefix}-{i}", instance=gone.last)
        return bool(form.has_changed())

    def _renumber(self, order: list[int], initial: int, returned: list[int]) -> None:
        """The data as if the rows had been sent in this order, the first so many of them old."""
        data = self.data.copy()
        pattern = re.compile(rf"{re.escape(self.prefix)}-(\d+)-(.+)")
        for name in list(data):
            if pattern.fullmatch(name):
                del data[name]
        place = {str(old): new for new, old in enumerate(order)}
        left_out = {self.model._meta.pk.name, SEEN, KNOWN, ASKED}
        for name in self.data:
            found = pattern.fullmatch(name)
            if not found or found[1] not in place:
                continue
            if int(found[1]) in returned and found[2] in left_out:
                continue
            data.setlist(f"{self.prefix}-{place[found[1]]}-{found[2]}", self.data.getlist(name))
        for count, number in zip(_COUNTS, (len(order), initial), strict=True):
            data[f"{self.prefix}-{count}_FORMS"] = str(number)
        self.data = data

    def add_fields(self, form: Any, index: Any) -> None:
        super().add_fields(form, index)  # type: ignore[misc]
        key = form.fields.get(self.model._meta.pk.name)
        if isinstance(form, EditionForm) and form.now is not None and key is not None:
            key.widget = KeyWithEdition(form)


class EditionRows(EditionRowsMixin, BaseModelFormSet):
    pass


def posted_keys(data: Mapping[str, Any], prefix: str, model: type[models.Model]) -> list[Any]:
    """The keys of the rows that a formset posts; what is no key is left out."""
    key = model._meta.pk
    pattern = re.compile(rf"{re.escape(prefix)}-\d+-{re.escape(key.name)}")
    keys = []
    for name, value in data.items():
        if pattern.fullmatch(name) and value:
            try:
                keys.append(key.to_python(value))
            except ValidationError:
                continue
    return keys
