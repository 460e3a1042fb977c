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

    # The object, as the record names it: "inventory.product" and its key.
    model = models.CharField(_("model"), max_length=100)
    object_id = models.CharField(_("object"), max_length=64)
    file = models.FileField(_("stored file"), upload_to=private_path, max_length=200)
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

    history = Trail(ignored_fields=["file"])

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        default_permissions = ("add", "delete", "view")
        ordering = ("id",)
        indexes = [models.Index(fields=["model", "object_id"], name="console_attachment_object")]

    def __str__(self) -> str:
        return self.name
