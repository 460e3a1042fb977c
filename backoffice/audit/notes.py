"""What staff write about an object: "asked the supplier, they confirm the price on Monday"."""

from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from .events import record_event
from .language import on_record
from .models import ChangeSet

LONGEST_NOTE = 2000
PERMISSION = "audit.add_note"


def add_note(*, obj: models.Model, text: str) -> None:
    """Put a note about an object on the record, as of whoever is at work.

    It is an entry like any other: sealed, and neither changed nor deleted by anyone.
    """
    record_event(
        kind=ChangeSet.Kind.NOTE,
        action=on_record(
            _("Note on %(what)s: %(name)s"),
            {"what": capfirst(obj._meta.verbose_name), "name": obj},
        ),
        reason=text,
        reference=f"{obj._meta.label_lower}/{obj.pk}",
    )
