from django import forms
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
)

from .reading import ENCODINGS


class UploadForm(forms.Form):
    """The file, and what its encoding is where it cannot be told from it."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy(
            "CSV or another text file, an Excel workbook (.xlsx), or one of them zipped. What it "
            "is read as is shown next, and can be changed there."
        ),
        widget=UnfoldAdminFileFieldWidget(
            attrs={"accept": ".csv,.tsv,.txt,.tab,.xlsx,.zip,.gz,text/csv"}
        ),
        error_messages={"empty": gettext_lazy("The file is empty. Export it again.")},
    )
    encoding = forms.ChoiceField(
        label=gettext_lazy("Encoding"),
        choices=[("", gettext_lazy("Find out (UTF-8)")), *ENCODINGS.items()],
        required=False,
        help_text=gettext_lazy("Only needed for files that are not UTF-8."),
        widget=UnfoldAdminSelectWidget,
    )
