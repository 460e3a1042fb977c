"""How permissions are chosen and shown: a table per app, a row per model, a column per right."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, cast

from django import forms
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from django.utils import translation
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import CHECKBOX_CLASSES

COLUMNS = {
    "view": _("View"),
    "history": _("History"),
    "add": _("Add"),
    "change": _("Change"),
    "delete": _("Delete"),
    "import": _("Import"),
    "export": _("Export"),
}


@dataclass
class Row:
    """The permissions on one model, by column; what fits no column is in `others`."""

    label: str
    cells: dict[str, Any] = field(default_factory=dict)
    others: list[Any] = field(default_factory=list)


def of_this_project(permissions: QuerySet[Permission]) -> QuerySet[Permission]:
    """Leaves out what Django's own tables bring and no page of ours asks for."""
    labels = [
        config.label
        for config in apps.get_app_configs()
        if config.name.split(".")[0] in settings.AUDITED_PACKAGES
    ]
    return permissions.filter(content_type__app_label__in=labels)


def table(entries: Iterable[tuple[Permission, Any]]) -> dict[str, dict[str, Row]]:
    """What stands for each permission, by app and model: `{app: {model: Row}}`.

    The right to see the history of a model is a column of that model, not a row of its own.
    """
    tables: dict[str, dict[str, Row]] = {}
    for permission, entry in sorted(entries, key=lambda pair: _place(pair[0])):
        content_type = permission.content_type
        app_label, model_name = content_type.app_label, content_type.model
        column = permission.codename.removesuffix(f"_{model_name}")
        base = model_name.removeprefix("historical")
        if column == "view" and base != model_name and _model(app_label, base):
            model_name, column = base, "history"
        model = _model(app_label, model_name)
        row = tables.setdefault(app_label, {}).setdefault(
            model_name,
            Row(capfirst(model._meta.verbose_name_plural) if model else model_name),
        )
        if column in COLUMNS:
            row.cells[column] = entry
        else:
            row.others.append({"label": _name(permission), "entry": entry})
    return {
        app_label: dict(sorted(rows.items(), key=lambda item: item[1].label))
        for app_label, rows in tables.items()
    }


def in_words(permissions: Iterable[Permission]) -> SafeString | str:
    """One line per model: "Products: View, Change"."""
    lines = [
        (
            row.label,
            ", ".join(
                [
                    *(str(COLUMNS[column]) for column in COLUMNS if column in row.cells),
                    *(other["label"] for other in row.others),
                ]
            ),
        )
        for rows in table((permission, permission) for permission in permissions).values()
        for row in rows.values()
    ]
    if not lines:
        return gettext("None")
    return format_html(
        '<ul class="permissions-in-words">{}</ul>',
        format_html_join("", "<li><strong>{}</strong>: {}</li>", lines),
    )


class PermissionTable(forms.CheckboxSelectMultiple):
    """Checkboxes in tables; each app's can be ticked and cleared at once."""

    template_name = "accounts/permission_table.html"

    class Media:
        css = {"all": ["accounts/accounts.css"]}

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        options = {
            str(option["value"]): option
            for _group, options, _index in context["widget"]["optgroups"]
            for option in options
        }
        entries = [
            (cast(Any, key).instance, options[str(key)])
            for key, _label in self.choices
            if str(key) in options
        ]
        context["columns"] = COLUMNS
        context["checkbox_classes"] = " ".join(CHECKBOX_CLASSES)
        # Apps that people know by one name, as the sidebar has it, share a table.
        by_name: dict[str, list[Row]] = {}
        for app_label, found in table(entries).items():
            known_as = str(apps.get_app_config(app_label).verbose_name)
            by_name.setdefault(known_as, []).extend(found.values())
        context["apps"] = [
            {
                "label": label,
                "rows": [
                    {
                        "label": row.label,
                        "cells": [
                            {"label": heading, "option": row.cells.get(column)}
                            for column, heading in COLUMNS.items()
                        ],
                        "others": row.others,
                    }
                    for row in sorted(rows, key=lambda row: row.label)
                ],
            }
            for label, rows in by_name.items()
        ]
        return context

    def id_for_label(self, id_: str, index: str | None = None) -> str:
        return super().id_for_label(id_, index) if index is not None else ""


class PermissionsField(forms.ModelMultipleChoiceField):
    """A choice among the permissions that may be given; the others are refused, and kept."""

    widget = PermissionTable
    default_error_messages = {
        "invalid_choice": _("You cannot give this permission: you do not hold it yourself."),
    }

    def chosen(self, held: QuerySet[Permission], wanted: Iterable[Permission]) -> set[int]:
        """What is to be held after the choice: the wanted ones, and those never offered."""
        assert self.queryset is not None  # noqa: S101 - the form sets it
        kept = held.exclude(pk__in=self.queryset.values("pk")).values_list("pk", flat=True)
        return {*kept, *(permission.pk for permission in wanted)}


def _model(app_label: str, model_name: str) -> Any:
    try:
        return apps.get_model(app_label, model_name)
    except LookupError:
        return None


def _name(permission: Permission) -> str:
    # Marked by gettext_noop where a model declares it.
    return capfirst(translation.gettext(permission.name).removeprefix("Can "))


def _place(permission: Permission) -> tuple[str, str, str]:
    content_type = permission.content_type
    return (
        content_type.app_label,
        content_type.model.removeprefix("historical"),
        permission.codename,
    )
