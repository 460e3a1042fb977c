"""Many-to-many fields whose link is a model of its own, as a multi-select in the form.

Our links are explicit models, so that they are on the record. Django's admin refuses those in a
form, since a link may have fields that a multi-select cannot ask for; ours have none.
"""

from typing import Any

from django import forms
from django.contrib.admin.options import BaseModelAdmin
from django.contrib.admin.widgets import AutocompleteSelectMultiple
from django.core.checks import CheckMessage
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.http import HttpRequest
from unfold.checks import UnfoldModelAdminChecks
from unfold.widgets import SELECT_CLASSES

from .lists.checks import check_list


def is_bare_link(field: object) -> bool:
    """Whether a row of the field's through model is made by naming its two ends."""
    if not isinstance(field, models.ManyToManyField):
        return False
    through = field.remote_field.through
    if through is None or through._meta.auto_created:
        return False
    link = through._meta
    ends = {field.m2m_field_name(), field.m2m_reverse_field_name()}
    return all(
        column.name in ends
        or column.primary_key
        or column.null
        or column.has_default()
        or column.has_db_default()
        for column in link.concrete_fields
    )


class ConsoleChecks(UnfoldModelAdminChecks):
    """Django's checks, of which admin.E013 does not hold for bare links; and those of our lists."""

    def check(self, admin_obj: Any, **kwargs: Any) -> list[CheckMessage]:
        return [*super().check(admin_obj, **kwargs), *check_list(admin_obj)]

    def _check_field_spec_item(
        self, obj: BaseModelAdmin, field_name: str, label: str
    ) -> list[CheckMessage]:
        messages: list[CheckMessage] = super()._check_field_spec_item(obj, field_name, label)
        try:
            field = obj.model._meta.get_field(field_name)
        except FieldDoesNotExist:
            return messages
        if is_bare_link(field):
            return [message for message in messages if message.id != "admin.E013"]
        return messages


class BareLinkMixin(BaseModelAdmin):
    """Gives bare links a form field; an autocomplete where `autocomplete_fields` names it."""

    def formfield_for_manytomany(
        self, db_field: models.ManyToManyField, request: HttpRequest, **kwargs: Any
    ) -> forms.ModelMultipleChoiceField | None:
        if not is_bare_link(db_field):
            return super().formfield_for_manytomany(db_field, request, **kwargs)
        if "widget" not in kwargs and db_field.name in self.get_autocomplete_fields(request):
            kwargs["widget"] = AutocompleteSelectMultiple(db_field, self.admin_site)
        queryset = self.get_field_queryset(kwargs.get("using"), db_field, request)
        if queryset is not None:
            kwargs.setdefault("queryset", queryset)
        field = db_field.formfield(**kwargs)
        assert isinstance(field, forms.ModelMultipleChoiceField)  # noqa: S101 - what Django makes
        if not isinstance(field.widget, AutocompleteSelectMultiple):
            field.widget.attrs["class"] = " ".join(SELECT_CLASSES)
        return field
