"""Formsets whose rows say which state of an object they show, beside its key."""

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.forms.models import BaseModelFormSet
from django.utils.safestring import SafeString

from .editions import EditionForm


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
    def add_fields(self, form: Any, index: Any) -> None:
        super().add_fields(form, index)  # type: ignore[misc]
        key = form.fields.get(self.model._meta.pk.name)  # type: ignore[attr-defined]
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
