import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from backoffice.audit.trail import Trail


def private_path(attachment: "Attachment", name: str) -> str:
    """A place that nobody can guess; no address serves it, only a view that asks who it is."""
    return f"attachments/{uuid.uuid4().hex}"


class Attachment(models.Model):
    """A file that belongs to an object: a data sheet, a photograph, a contract."""

    # The object, as the record names it: "inventory.product/12".
    reference = models.CharField(_("of"), max_length=200)
    file = models.FileField(_("stored file"), upload_to=private_path, max_length=100)
    name = models.CharField(_("file"), max_length=255)
    size = models.BigIntegerField(_("size in bytes"))
    content_type = models.CharField(_("type"), max_length=100)
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("added by"),
    )
    created_at = models.DateTimeField(_("added"), db_default=Now())

    history = Trail(beside="reference")

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        # Who may view or change an object may view or change what is attached to it; "add" and
        # "delete" are for undoing that.
        default_permissions = ("add", "delete")
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(
                fields=["reference", "sha256"],
                name="console_attachment_unique",
                violation_error_message=_("This file is attached already."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_picture(self) -> bool:
        return self.content_type.startswith("image/")
