from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

from backoffice.audit.trail import Trail

from .jobs import private_path


class FileFormat(models.TextChoices):
    CSV = "csv", _("CSV")
    XLSX = "xlsx", _("Excel (XLSX)")
    JSON_LINES = "jsonl", _("JSON Lines")


class ExportTemplateQuerySet(models.QuerySet["ExportTemplate"]):
    def usable_by(self, user: Any, resource: str) -> "ExportTemplateQuerySet":
        return self.filter(Q(is_shared=True) | Q(user=user), resource=resource)


class ExportTemplate(models.Model):
    """Chosen columns in chosen order, under a name."""

    name = models.CharField(_("name"), max_length=100)
    resource = models.CharField(_("what"), max_length=50)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("made by"),
    )
    is_shared = models.BooleanField(_("for everybody"), default=False)
    columns = models.JSONField(_("columns"), default=list)
    format = models.CharField(
        _("format"), max_length=5, choices=FileFormat.choices, default=FileFormat.CSV
    )
    created_at = models.DateTimeField(_("made"), db_default=Now())

    objects = ExportTemplateQuerySet.as_manager()
    history = Trail()

    class Meta:
        verbose_name = _("export template")
        verbose_name_plural = _("export templates")
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(
                "resource", Lower("name"), name="exchange_exporttemplate_name_unique"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ExportJob(models.Model):
    """A large file out: written by a worker, fetched by its user until it expires."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("being written")
        DONE = "done", _("ready")
        FAILED = "failed", _("failed")
        EXPIRED = "expired", _("expired")

    no_trail = "The export itself is an event on the record, with its columns, rows and SHA-256."

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="export_jobs",
        verbose_name=_("user"),
    )
    resource = models.CharField(_("what"), max_length=50)
    format = models.CharField(_("format"), max_length=5, choices=FileFormat.choices)
    columns = models.JSONField(_("columns"), default=list)
    # The query of the list that it came from, or the keys that were ticked.
    filters = models.JSONField(_("filters"), default=dict)
    state = models.CharField(_("state"), max_length=7, choices=State.choices, default=State.WAITING)
    rows = models.PositiveBigIntegerField(_("rows"), default=0)
    size = models.BigIntegerField(_("size in bytes"), default=0)
    sha256 = models.CharField(_("SHA-256"), max_length=64, blank=True)
    file = models.FileField(_("stored file"), upload_to=private_path, max_length=200, blank=True)
    problem = models.TextField(_("problem"), blank=True)
    created_at = models.DateTimeField(_("asked for"), db_default=Now())
    expires_at = models.DateTimeField(_("expires"), null=True)

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        default_permissions = ("view",)
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.resource} {self.created_at:%Y-%m-%d}"
