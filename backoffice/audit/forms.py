from typing import Any

from django import forms

from .reasons import said


class ReasonField(forms.CharField):
    """Why something is done; what says nothing to a reader counts as left blank."""

    def to_python(self, value: Any) -> str:
        return said(str(super().to_python(value) or ""))
