from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

from backoffice.audit.trail import Trail


class ImportProfileQuerySet(models.QuerySet["ImportProfile"]):
    def usable_by(self, user: Any, resource: str) -> "ImportProfileQuerySet":
        """What a user may choose for a file: their own profiles and the shared ones."""
        return self.filter(Q(is_shared=True) | Q(user=user), resource=resource)


class ImportProfile(models.Model):
    """How a supplier's files are read and mapped: proposed again for the next with its headers."""

    name = models.CharField(_("name"), max_length=100)
    resource = models.CharField(_("what"), max_length=50)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("made by"),
    )
    is_shared = models.BooleanField(_("for everybody"), default=True)
    # SHA-256 of the file's normalised headers, by which the next file is recognised.
    header_sha256 = models.CharField(_("headers"), max_length=64)
    # Every choice of a job, columns by the name of their header: {"columns": {target: header},
    # "constants", "transformations", "creates", "blank_cells", "decimal_sign", "date_order",
    # "encoding", "delimiter", "has_header", "sheet", "deactivate_missing"}.
    choices = models.JSONField(_("choices"), default=dict)
    used_at = models.DateTimeField(_("last used"), null=True)
    created_at = models.DateTimeField(_("made"), db_default=Now())

    objects = ImportProfileQuerySet.as_manager()
    history = Trail(ignored_fields=["used_at"])

    class Meta:
        verbose_name = _("import profile")
        verbose_name_plural = _("import profiles")
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(
                "resource", Lower("name"), name="exchange_importprofile_name_unique"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ImportFeed(models.Model):
    """A supplier's file that is fetched by itself, from a folder or an address, and imported."""

    class Every(models.TextChoices):
        HOUR = "hour", _("every hour")
        DAY = "day", _("every day")
        WEEK = "week", _("every week")

    name = models.CharField(_("name"), max_length=100, unique=True)
    profile = models.ForeignKey(
        ImportProfile, on_delete=models.PROTECT, related_name="feeds", verbose_name=_("profile")
    )
    # https://..., or the name of a file (with * and ?) in the folder EXCHANGE_FEED_FOLDER.
    location = models.CharField(_("where from"), max_length=500)
    every = models.CharField(_("how often"), max_length=4, choices=Every.choices)
    # Whose rights it has, and who is told.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="import_feeds",
        verbose_name=_("imports as"),
    )
    reason = models.CharField(_("reason"), max_length=500)
    valid_rows_only = models.BooleanField(_("valid rows only"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    next_run_at = models.DateTimeField(_("next time"), db_default=Now())
    last_run_at = models.DateTimeField(_("last time"), null=True)
    last_sha256 = models.CharField(_("SHA-256 of the last file"), max_length=64, blank=True)
    last_problem = models.TextField(_("last problem"), blank=True)

    history = Trail(ignored_fields=["next_run_at", "last_run_at", "last_sha256", "last_problem"])

    class Meta:
        verbose_name = _("import feed")
        verbose_name_plural = _("import feeds")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
