from typing import Any

from django import forms
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import (
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from backoffice.audit.forms import ReasonField

from .deactivating import is_above_half
from .models import ImportJob


class ApplyForm(forms.Form):
    """Why, and what becomes of the rows that are invalid, in conflict, or not in the file."""

    ALL, VALID = "all", "valid"
    LEAVE, OVERWRITE = "leave", "overwrite"

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
    conflicts = forms.ChoiceField(
        label=gettext_lazy("Conflicts that are not decided below"),
        choices=[
            (LEAVE, gettext_lazy("Leave them as they are")),
            (OVERWRITE, gettext_lazy("Overwrite them with the file")),
        ],
        required=False,
        initial=LEAVE,
        widget=UnfoldAdminRadioSelectWidget,
    )
    confirm = forms.BooleanField(
        widget=UnfoldBooleanSwitchWidget,
        error_messages={
            "required": gettext_lazy(
                "Confirm it if the file is the full list; otherwise choose above what it is the "
                "full list of."
            )
        },
    )

    # Which plan the page showed; it must still be that one.
    plan = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, data: Any = None, *, job: ImportJob) -> None:
        kept = {
            "plan": job.summary.get("plan", ""),
            # What was typed on a preview that expired.
            "reason": job.reason,
            "rows": self.VALID if job.valid_rows_only else None,
            "conflicts": self.OVERWRITE if job.overwrite_conflicts else self.LEAVE,
        }
        super().__init__(data, initial=kept)
        if not job.invalid:
            del self.fields["rows"]
        if not job.conflicts:
            del self.fields["conflicts"]
        if job.deactivated and is_above_half(job):
            self.fields["confirm"].label = ngettext(
                "Deactivate %(count)d of %(among)d, more than half",
                "Deactivate %(count)d of %(among)d, more than half",
                job.deactivated,
            ) % {"count": job.deactivated, "among": job.summary["in_scope"]}
        else:
            del self.fields["confirm"]

    @property
    def valid_rows_only(self) -> bool:
        return bool(self.cleaned_data.get("rows") == self.VALID)

    @property
    def decisions(self) -> dict[str, bool]:
        """What `decide()` is to be told."""
        return {
            "overwrite_conflicts": self.cleaned_data.get("conflicts") == self.OVERWRITE,
            "confirm_deactivation": bool(self.cleaned_data.get("confirm")),
        }

    @property
    def answers(self) -> dict[str, Any]:
        """What `keep_answers()` is to be told: what of it is right, whether or not all is."""
        self.full_clean()
        return {
            "reason": self.cleaned_data.get("reason", ""),
            "valid_rows_only": self.valid_rows_only,
            "overwrite_conflicts": self.decisions["overwrite_conflicts"],
        }

    @property
    def changes_decisions(self) -> bool:
        """Whether the page asked for any."""
        return not self.fields.keys().isdisjoint({"conflicts", "confirm"})
