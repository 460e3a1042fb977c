from typing import Any

from django import forms
from django.contrib.admin.options import ModelAdmin
from django.http import HttpRequest, QueryDict
from django.utils.translation import get_language, gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget

from backoffice.audit.forms import ReasonField
from backoffice.audit.reasons import bulk_needs_reason
from backoffice.console.reasons import LONGEST_REASON, MISSING

REASON = "reason"
# In which the rest was entered: "2,5" is no number to everyone.
LANGUAGE = "_language"


class BulkForm(forms.Form):
    """What an action asks for besides its rows. Whatever else it asks, the reason comes last."""

    template = "console/bulk/fields.html"

    reason = ReasonField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("Goes on the record, for whoever asks later."),
        max_length=LONGEST_REASON,
        error_messages={"required": MISSING},
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )

    def __init__(self, data: Any = None, *, model_admin: ModelAdmin, request: HttpRequest) -> None:
        super().__init__(data)
        self.add_fields(model_admin, request)
        self.fields[REASON] = self.fields.pop(REASON)
        self.fields[REASON].required = bulk_needs_reason()

    def add_fields(self, model_admin: ModelAdmin, request: HttpRequest) -> None:
        """For fields that only the ModelAdmin can make, such as an autocomplete."""

    @property
    def asks_for_more(self) -> bool:
        """Whether what would change depends on what the user enters."""
        return len(self.fields) > 1

    @property
    def asks_wrongly(self) -> bool:
        """Whether anything but the reason is wrong: a preview needs none yet."""
        return bool(set(self.errors) - {REASON})

    def asked(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != REASON}

    def sent(self) -> str:
        """What the user entered, to be asked again by `type(self)(QueryDict(sent))`.

        In their LANGUAGE, which is kept with it.
        """
        kept = QueryDict(mutable=True)
        kept[LANGUAGE] = get_language()
        for bound in self:
            name = bound.html_name
            values = self.data.getlist(name) if isinstance(self.data, QueryDict) else []
            if values:
                kept.setlist(name, values)
        return kept.urlencode()
