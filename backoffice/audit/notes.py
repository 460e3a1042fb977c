"""What staff write about an object: "asked the supplier, they confirm the price on Monday"."""

from collections.abc import Mapping
from typing import Any

from django.db import models, transaction
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from .events import record_event
from .language import on_record
from .models import ChangeSet
from .signals import note_added

LONGEST_NOTE = 2000
PERMISSION = "audit.add_note"


@transaction.atomic
def add_note(
    *, obj: models.Model, text: str, people: Mapping[str, Any] | None = None, author: Any = None
) -> None:
    """Put a note about an object on the record, as of whoever is at work.

    It is an entry like any other: sealed, and neither changed nor deleted by anyone. `people` are
    users by what the text calls them; their names at this time stay with the note.
    """
    people = people or {}
    named = {called: f"{user.get_full_name()} <{user.email}>" for called, user in people.items()}
    number = record_event(
        kind=ChangeSet.Kind.NOTE,
        action=on_record(
            _("Note on %(what)s: %(name)s"),
            {"what": capfirst(obj._meta.verbose_name), "name": obj},
        ),
        facts={"mentions": named} if named else {},
        reason=text,
        reference=f"{obj._meta.label_lower}/{obj.pk}",
    )
    note_added.send(
        sender=type(obj),
        obj=obj,
        text=text,
        people=[*people.values()],
        author=author,
        number=number,
    )
