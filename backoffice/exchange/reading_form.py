from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from .models import ImportJob
from .read_as import ReadAs
from .reading import ENCODINGS, WORKBOOK, label_of

DELIMITERS = {
    ",": gettext_lazy("comma"),
    ";": gettext_lazy("semicolon"),
    "\t": gettext_lazy("tab"),
    "|": gettext_lazy("bar"),
}
SIGNS = {".": gettext_lazy("point (12.50)"), ",": gettext_lazy("comma (12,50)")}
_HEADER = {"yes": True, "no": False, "": None}


class ReadAsForm(forms.Form):
    """How the file is to be read. What is left open is found out, and the form says as what."""

    encoding = forms.ChoiceField(
        label=gettext_lazy("Encoding"), required=False, widget=UnfoldAdminSelectWidget
    )
    delimiter = forms.CharField(
        label=gettext_lazy("Delimiter"),
        required=False,
        strip=False,
        max_length=3,
        help_text=gettext_lazy("Any one sign; \\t is a tab."),
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )
    sheet = forms.ChoiceField(
        label=gettext_lazy("Sheet"), required=False, widget=UnfoldAdminSelectWidget
    )
    has_header = forms.ChoiceField(
        label=gettext_lazy("First row"), required=False, widget=UnfoldAdminSelectWidget
    )
    header_line = forms.IntegerField(
        label=gettext_lazy("The table begins in line"),
        required=False,
        min_value=1,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    decimal_sign = forms.ChoiceField(
        label=gettext_lazy("Decimal sign"), required=False, widget=UnfoldAdminSelectWidget
    )
    date_order = forms.ChoiceField(
        label=gettext_lazy("Order of dates"), required=False, widget=UnfoldAdminSelectWidget
    )

    def __init__(self, data: Any = None, *, job: ImportJob) -> None:
        said = ReadAs.of(job)
        header = {True: "yes", False: "no", None: ""}[said.has_header]
        super().__init__(
            data,
            initial={
                **said.choices(),
                "delimiter": "\\t" if said.delimiter == "\t" else said.delimiter,
                "has_header": header,
            },
        )
        self._source_format = said.source_format
        if job.encoding == WORKBOOK:
            del self.fields["encoding"], self.fields["delimiter"]
            sheets = job.reading.get("sheets", [])
            self._offer("sheet", dict.fromkeys(sheets), job.sheet if not said.sheet else "")
        else:
            del self.fields["sheet"]
            found = label_of(job.encoding) if not said.encoding else ""
            self._offer("encoding", ENCODINGS, found)
            found = str(DELIMITERS.get(job.delimiter, job.delimiter))
            self.fields["delimiter"].widget.attrs["placeholder"] = _("found: %(what)s") % {
                "what": found
            }
        rows = {"yes": _("names the columns"), "no": _("is data")}
        found = "" if said.has_header is not None else rows["yes" if job.has_header else "no"]
        self._offer("has_header", rows, found)
        first = job.header_line + (not job.has_header)
        self.fields["header_line"].widget.attrs["placeholder"] = _("found: %(what)s") % {
            "what": first
        }
        how = job.reading.get("numerals", {}).get("how", "")
        found = str(SIGNS[job.decimal_sign]) if how in {"found", "mixed", "workbook"} else ""
        self._offer("decimal_sign", SIGNS, found)
        orders = {value: label for value, label in ImportJob.DateOrder.choices if value}
        self._offer("date_order", orders, "" if said.date_order else orders.get(job.date_order, ""))

    def _offer(self, name: str, choices: Any, found: Any) -> None:
        """The choices, after that of finding out; None as a label is the value itself."""
        first = _("found: %(what)s") % {"what": found} if found else _("find out")
        self.fields[name].choices = [  # type: ignore[attr-defined]
            ("", first),
            *((value, value if label is None else label) for value, label in choices.items()),
        ]

    def read_as(self) -> ReadAs:
        said = self.cleaned_data
        return ReadAs(
            encoding=said.get("encoding", ""),
            delimiter=said.get("delimiter", ""),
            sheet=said.get("sheet", ""),
            has_header=_HEADER[said["has_header"]],
            header_line=said["header_line"] or 0,
            decimal_sign=said["decimal_sign"],
            date_order=said["date_order"],
            source_format=self._source_format,
        )
