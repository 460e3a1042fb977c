from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.formats import get_format
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminDecimalFieldWidget


class DecimalInput(UnfoldAdminDecimalFieldWidget):
    """A decimal number as people write it: the zeros that only storage adds are left out.

    A text to the browser: from an input of numbers some take the comma of "17,90" away unasked,
    which makes it a hundred times as much.
    """

    input_type = "text"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs={"inputmode": "decimal", "autocomplete": "off", **(attrs or {})})

    def format_value(self, value: Any) -> str | None:
        text: str | None = super().format_value(value)
        point = get_format("DECIMAL_SEPARATOR") if self.is_localized else "."
        whole, point, decimals = (text or "").partition(point)
        if not point:
            return text
        return f"{whole}{point}{decimals[:2]}{decimals[2:].rstrip('0')}"


class DecimalNumber(forms.DecimalField):
    """A decimal number with the sign that the user's language has, and no other.

    "1.234" is a thousand to a German and a bit more than one to others: what could be meant
    otherwise is refused, never guessed.
    """

    def to_python(self, value: Any) -> Any:
        sign = get_format("DECIMAL_SEPARATOR")
        if self.localize and sign != "." and isinstance(value, str) and "." in value:
            raise ValidationError(
                _("Write the number with %(sign)s before its decimals, and no other sign.")
                % {"sign": sign},
                code="invalid",
            )
        return super().to_python(value)


# What a ModelAdmin and an inline make of every decimal field.
DECIMALS: dict[type[models.Field], dict[str, Any]] = {
    models.DecimalField: {"form_class": DecimalNumber, "localize": True, "widget": DecimalInput}
}
