from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget

from .models import ImportJob
from .transforming import clean_steps


class RateForm(forms.Form):
    """What one unit of the file's currency is in the shop's."""

    rate = forms.CharField(
        max_length=30,
        error_messages={"required": gettext_lazy("Write the rate, such as 0.92.")},
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "inputmode": "decimal"}),
    )

    def __init__(self, data: Any = None, *, job: ImportJob) -> None:
        super().__init__(data)
        self.currency = job.summary.get("currency", "")
        facts = {"currency": self.currency, "own": settings.CURRENCY}
        self.fields["rate"].label = _("1 %(currency)s in %(own)s") % facts
        self.fields["rate"].help_text = _(
            "Amounts are multiplied by it and rounded to two decimals. It goes on the record."
        )

    def clean_rate(self) -> str:
        rate = str(self.cleaned_data["rate"]).strip()
        # 0,92 can be nothing but a rate: it has no thousands.
        rate = rate.replace(",", ".") if rate.count(",") == 1 and "." not in rate else rate
        try:
            clean_steps([{"kind": "convert", "first": self.currency, "second": rate}])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error
        if rate.startswith("-"):
            raise forms.ValidationError(_("A rate is above zero, such as 0.92."))
        return rate
