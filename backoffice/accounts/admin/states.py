"""Whether a page about access still shows what is there: none is written over unseen."""

import hashlib
from typing import Any

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.db import models
from django.utils.translation import gettext as _

from backoffice.audit.admin.recorded import RecordedAdmin
from backoffice.audit.models import ChangeSet
from backoffice.audit.naming import history_of
from backoffice.audit.selectors import Strand
from backoffice.audit.since import edition, name_of


def state_of(admin: RecordedAdmin, obj: models.Model) -> str:
    """A sum of an object's values, of what it is linked with, and of its one-to-one parts."""
    told: list[Any] = [edition(obj)]
    for field in obj._meta.many_to_many:
        keys = getattr(obj, field.name).order_by("pk").values_list("pk", flat=True)
        told.append((field.name, list(keys)))
    for name in admin.history_related:
        if obj._meta.get_field(name).one_to_one:
            part = getattr(obj, name, None)
            told.append((name, edition(part) if part else None))
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def what_happened(admin: RecordedAdmin, obj: models.Model) -> str:
    """Who changed an object or its parts last, and when, for whom it comes as a surprise."""
    strands = [Strand(model=admin.model, attname=admin.opts.pk.attname), *admin.history_parts()]
    newest = []
    for strand in strands:
        rows = history_of(strand.model)._base_manager.filter(**{strand.attname: obj.pk})
        newest += rows.order_by("-history_date", "-history_id")[:1]
    last = max(newest, key=lambda row: row.history_date, default=None)
    change_set = ChangeSet.objects.filter(pk=last.change_set_id).first() if last else None
    advice = _("Nothing of yours is saved yet. Compare it with the history, then save again.")
    if change_set is None:
        return _("This has been changed since you opened it.") + " " + advice
    told = _("%(who)s changed this after you had opened it, %(when)s.") % {
        "who": name_of(change_set),
        "when": naturaltime(change_set.at),
    }
    return f"{told} {advice}"
