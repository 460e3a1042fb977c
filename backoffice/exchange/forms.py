from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from backoffice.audit.forms import ReasonField

from .compiling import open_columns
from .models import ImportJob
from .reading import ENCODINGS
from .resources import Resource
from .staging import sample_cells


class UploadForm(forms.Form):
    """The file, and what its encoding is where it cannot be told from it."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("CSV or another text file with a header row; any delimiter."),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.tsv,.txt,text/csv"}),
        error_messages={"empty": gettext_lazy("The file is empty. Export it again.")},
    )
    encoding = forms.ChoiceField(
        label=gettext_lazy("Encoding"),
        choices=[("", gettext_lazy("Find out (UTF-8)")), *ENCODINGS.items()],
        required=False,
        help_text=gettext_lazy("Only needed for files that are not UTF-8."),
        widget=UnfoldAdminSelectWidget,
    )


@dataclass(frozen=True)
class MappedColumn:
    """A column of the file on the mapping form."""

    header: str
    samples: Sequence[str]
    field: forms.BoundField
    is_mapped: bool


class MappingForm(forms.Form):
    """One choice for each column of the file: the field that it feeds, or none."""

    def __init__(self, data: Any = None, *, job: ImportJob, resource: Resource) -> None:
        super().__init__(data)
        self.job = job
        chosen = {index: target for target, index in job.mapping.items()}
        choices = [("", _("not imported")), *_targets(resource, job.user)]
        for index, header in enumerate(job.header):
            self.fields[f"column_{index}"] = forms.ChoiceField(
                label=header,
                choices=choices,
                required=False,
                initial=chosen.get(index, ""),
                widget=UnfoldAdminSelectWidget(attrs={"aria-label": header}),
            )

    def columns(self) -> Iterator[MappedColumn]:
        samples = sample_cells(self.job)
        for index, header in enumerate(self.job.header):
            field = self[f"column_{index}"]
            yield MappedColumn(header, samples[index], field, bool(field.value()))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        chosen = [target for target in cleaned.values() if target]
        for target in sorted({t for t in chosen if chosen.count(t) > 1}):
            labels = dict(self.fields["column_0"].choices)  # type: ignore[attr-defined]
            raise forms.ValidationError(
                _("More than one column goes to “%(field)s”. Choose one of them.")
                % {"field": labels[target]}
            )
        return cleaned

    def mapping(self) -> dict[str, int]:
        return {
            target: int(name.removeprefix("column_"))
            for name, target in self.cleaned_data.items()
            if target
        }


def _targets(resource: Resource, user: Any) -> list[tuple[str, str]]:
    """Every field that a column may feed, by its label; lower levels of a path behind it."""
    targets = []
    for name, column in open_columns(resource, user).items():
        for target in column.targets:
            level = target.replace("_", " ").capitalize()
            targets.append((target, column.label if target == name else f"{column.label}: {level}"))
    return targets


class ApplyForm(forms.Form):
    """Why, and what to do about the rows that are invalid."""

    ALL, VALID = "all", "valid"

    reason = ReasonField(
        label=gettext_lazy("Reason"),
        max_length=500,
        help_text=gettext_lazy("Goes on the record, such as “Supplier's prices of March”."),
        error_messages={"required": gettext_lazy("Say why: an import needs a reason.")},
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )
    rows = forms.ChoiceField(
        label=gettext_lazy("Invalid rows"),
        choices=[
            (ALL, gettext_lazy("Write nothing unless all rows are valid")),
            (VALID, gettext_lazy("Write the valid rows, and give me the others as a file")),
        ],
        error_messages={"required": gettext_lazy("Choose what becomes of the invalid rows.")},
        widget=UnfoldAdminRadioSelectWidget,
    )

    # Which plan the page showed; it must still be that one.
    plan = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, data: Any = None, *, job: ImportJob) -> None:
        super().__init__(data, initial={"plan": job.summary.get("plan", "")})
        if not job.invalid:
            del self.fields["rows"]

    @property
    def valid_rows_only(self) -> bool:
        return bool(self.cleaned_data.get("rows") == self.VALID)
