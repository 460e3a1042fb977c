"""What an export asks for: the format, and which columns in which order."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from .columns import Column
from .models import FileFormat


@dataclass(frozen=True)
class ColumnChoice:
    """A line of the column chooser."""

    name: str
    label: str
    tick: forms.BoundField
    place: forms.BoundField


class ExportForm(forms.Form):
    """A tick and a place for each column that the user may take out.

    `names` are the columns that are ticked at first, in their order; the others come after.
    """

    file_format = forms.ChoiceField(
        label=gettext_lazy("Format"),
        choices=[
            (FileFormat.CSV, gettext_lazy("CSV: for any program, and to bring back in")),
            (FileFormat.XLSX, gettext_lazy("Excel (XLSX): numbers and dates as such")),
            (FileFormat.JSON_LINES, gettext_lazy("JSON Lines: for programs")),
        ],
        initial=FileFormat.CSV,
        widget=UnfoldAdminRadioSelectWidget,
    )
    save_as = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=100,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )
    is_shared = forms.BooleanField(
        label=gettext_lazy("For everybody"), required=False, widget=UnfoldBooleanWidget
    )

    def __init__(
        self,
        data: Any = None,
        *,
        columns: Mapping[str, Column],
        names: Sequence[str] | None = None,
        may_share: bool = False,
        **more: Any,
    ) -> None:
        super().__init__(data, **more)
        self.columns = columns
        ticked = list(columns) if names is None else list(names)
        if not may_share:
            del self.fields["is_shared"]
        order = [*ticked, *(name for name in columns if name not in ticked)]
        for place, name in enumerate(order, start=1):
            about = {"column": columns[name].label}
            self.fields[f"column_{name}"] = forms.BooleanField(
                required=False,
                initial=name in ticked,
                widget=UnfoldBooleanWidget(attrs={"aria-label": _("Export %(column)s") % about}),
            )
            self.fields[f"place_{name}"] = forms.IntegerField(
                required=False,
                min_value=1,
                max_value=9999,
                initial=place,
                widget=UnfoldAdminIntegerFieldWidget(
                    attrs={"aria-label": _("Place of %(column)s") % about, "min": 1}
                ),
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not any(cleaned.get(f"column_{name}") for name in self.columns):
            raise forms.ValidationError(_("Choose at least one column."))
        return cleaned

    def names(self) -> list[str]:
        """The ticked columns in the order of their places; without one, they come last."""
        ticked = [name for name in self.columns if self.cleaned_data.get(f"column_{name}")]
        return sorted(ticked, key=lambda name: self.cleaned_data.get(f"place_{name}") or 10_000)

    def lines(self) -> Iterator[ColumnChoice]:
        """The columns as they stand on the page."""

        def place(name: str) -> int:
            value = str(self[f"place_{name}"].value() or "")
            return int(value) if value.isdecimal() and len(value) < 10 else 10_000

        for name in sorted(self.columns, key=place):
            yield ColumnChoice(
                name, self.columns[name].label, self[f"column_{name}"], self[f"place_{name}"]
            )
