from typing import Any

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
        whole, point, decimals = (text or "").partition(".")
        if not point:
            return text
        return f"{whole}.{decimals[:2]}{decimals[2:].rstrip('0')}"
