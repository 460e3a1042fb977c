"""Attaching files to objects, and taking them off."""

import hashlib
import unicodedata
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import connection, models, transaction
from django.db.models import Q, QuerySet
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.console.models import Attachment

from .exceptions import AttachmentRefused
from .types import type_of

_LONGEST_NAME = 150


def reference_of(obj: models.Model) -> str:
    return f"{obj._meta.label_lower}/{obj.pk}"


def attachments_of(obj: models.Model) -> QuerySet[Attachment]:
    return Attachment.objects.filter(reference=reference_of(obj)).select_related("user")


@transaction.atomic
def attach(*, obj: models.Model, file: UploadedFile, user: Any) -> Attachment:
    """Keep a file with an object. Raises AttachmentRefused, and keeps nothing then."""
    name = clean_name(file.name or "")
    size = file.size or 0
    if not size:
        raise AttachmentRefused(_("“%(name)s” is empty.") % {"name": name})
    if size > settings.ATTACHMENTS_MAX_BYTES:
        raise AttachmentRefused(
            _("“%(name)s” is too large: a file may have %(limit)s at most. Make it smaller.")
            % {"name": name, "limit": filesizeformat(settings.ATTACHMENTS_MAX_BYTES)}
        )
    content: Any = file
    found = type_of(content, name)
    sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    content.seek(0)
    reference = reference_of(obj)
    with connection.cursor() as cursor:
        # Two at once would each still see room for one more.
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"attachments/{reference}"]
        )
    there = dict(Attachment.objects.filter(reference=reference).values_list("sha256", "name"))
    if sha256 in there:
        raise AttachmentRefused(
            _("“%(name)s” has the same content as “%(other)s”, which is attached already.")
            % {"name": name, "other": there[sha256]}
        )
    most = settings.ATTACHMENTS_MAX_PER_OBJECT
    if len(there) >= most:
        raise AttachmentRefused(
            ngettext(
                "“%(name)s” was not attached: there is room for %(count)d file. Remove it first.",
                "“%(name)s” was not attached: there is room for %(count)d files. Remove one first.",
                most,
            )
            % {"name": name, "count": most}
        )
    attachment = Attachment(
        reference=reference, name=name, size=size, content_type=found.content_type,
        sha256=sha256, user=user,
    )  # fmt: skip
    attachment.file.save(name, file, save=False)
    attachment.save(force_insert=True)
    return attachment


@transaction.atomic
def remove(*, attachment: Attachment) -> int:
    """Take a file off its object; returns the change set that undoes it.

    The file is kept for ATTACHMENTS_KEEP_DAYS, so that an undo brings it back.
    """
    key = attachment.pk
    attachment.delete()
    gone = Attachment.history.filter(id=key).order_by("-history_id")
    return int(gone.values_list("change_set_id", flat=True)[0])


def clean_name(name: str) -> str:
    """A name that shows as what it is: no folders, no signs that hide or turn others around."""
    name = unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2])
    plain = "".join(" " if sign.isspace() else sign for sign in name)
    plain = "".join(sign for sign in plain if not unicodedata.category(sign).startswith("C"))
    plain = " ".join(plain.split())
    stem, dot, ending = plain.rpartition(".")
    if len(plain) > _LONGEST_NAME and dot and len(ending) < 10:
        return f"{stem[: _LONGEST_NAME - len(ending) - 1]}.{ending}"
    return plain[:_LONGEST_NAME]


def of_what_may_not_be_changed(rows: QuerySet, actor: Any) -> QuerySet:
    """Of history rows of attachments, those of objects that an actor may not change."""
    labels = {reference.partition("/")[0] for reference in rows.values_list("reference", flat=True)}
    refused = [label for label in labels if not actor.has_perm(_right_to_change(label))]
    of_these = [("reference__startswith", f"{label}/") for label in refused]
    return rows.filter(Q(*of_these, reference="", _connector=Q.OR))


def _right_to_change(label: str) -> str:
    app, _dot, model = label.partition(".")
    return f"{app}.change_{model}"
