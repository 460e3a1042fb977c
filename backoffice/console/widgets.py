from typing import Any

from unfold.widgets import UnfoldAdminDecimalFieldWidget


class DecimalInput(UnfoldAdminDecimalFieldWidget):
    """A decimal number as people write it: the zeros that only storage adds are left out."""

    def format_value(self, value: Any) -> str | None:
        text: str | None = super().format_value(value)
        whole, point, decimals = (text or "").partition(".")
        if not point:
            return text
        return f"{whole}.{decimals[:2]}{decimals[2:].rstrip('0')}"
