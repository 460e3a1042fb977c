"""Form fields that spare staff the way in which the database keeps things."""

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextareaWidget


def as_lines(options: dict[str, Any]) -> str:
    """{"Size": "M", "Colour": "Blue"} as people write it, an option a line."""
    return "\n".join(f"{name}: {value}" for name, value in options.items())


class OptionsField(forms.CharField):
    """The options of a variant, one a line: "Size: M". Takes a pasted JSON object as well."""

    widget = UnfoldAdminTextareaWidget(attrs={"rows": 4})

    def prepare_value(self, value: Any) -> Any:
        return as_lines(value) if isinstance(value, dict) else value

    def to_python(self, value: Any) -> Any:
        text = str(super().to_python(value) or "")
        return _from_json(text) if text.startswith("{") else _from_lines(text)

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return as_lines(initial or {}) != as_lines(self.to_python(data))
        except ValidationError:
            return True


def _from_lines(text: str) -> dict[str, str]:
    options: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        name, colon, value = (part.strip() for part in line.partition(":"))
        if not (name and colon and value):
            raise ValidationError(
                _("Line %(number)d, “%(line)s”, is no option. Write it like this: Size: M"),
                params={"number": number, "line": line.strip()},
            )
        if name in options:
            raise ValidationError(
                _("“%(name)s” stands there twice. Give each option one value."),
                params={"name": name},
            )
        options[name] = value
    return options


def _from_json(text: str) -> dict[str, Any]:
    try:
        options = json.loads(text)
    except ValueError as error:
        raise ValidationError(
            _("This is no JSON object. Write one option a line instead, such as Size: M")
        ) from error
    if not all(isinstance(value, str | int | float) for value in options.values()):
        raise ValidationError(_("The value of an option is a word or a number."))
    return dict(options)


class ProductForm(forms.ModelForm):
    """Its fields are chosen by the fieldsets of ProductAdmin."""

    options = OptionsField(
        label=gettext_lazy("options"),
        required=False,
        help_text=gettext_lazy("What sets this variant apart, one option a line, such as Size: M"),
    )

    def clean_options(self) -> Any:
        """A number stays one: what looks the same is not changed."""
        given, kept = self.cleaned_data["options"], self.instance.options
        return kept if as_lines(given) == as_lines(kept) else given
