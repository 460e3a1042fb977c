from typing import Any

from django import forms
from django.conf import settings
from django.contrib.admin.options import BaseModelAdmin
from django.db import models
from django.http import HttpRequest

from .widgets import DecimalInput


class MoneyInput(DecimalInput):
    """An amount, with the shop's currency beside it."""

    template_name = "unfold/widgets/text.html"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"class": "console-money-input", **(attrs or {})})

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        context["widget"]["suffix"] = settings.CURRENCY
        return context


class MoneyFieldsMixin(BaseModelAdmin):
    """`money_fields` names the fields that are amounts of money."""

    money_fields: tuple[str, ...] = ()

    def formfield_for_dbfield(
        self, db_field: models.Field, request: HttpRequest, **kwargs: Any
    ) -> forms.Field | None:
        if db_field.name in self.money_fields:
            kwargs.setdefault("widget", MoneyInput())
        return super().formfield_for_dbfield(db_field, request, **kwargs)
