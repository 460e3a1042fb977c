from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from backoffice.audit.models import ChangeSet
from backoffice.exchange.models.work import Work


class BulkJobQuerySet(models.QuerySet["BulkJob"]):
    def visible_to(self, user: Any) -> "BulkJobQuerySet":
        """A job is its user's; who may view all jobs (auditors) sees all."""
        return self if user.has_perm("console.view_bulkjob") else self.filter(user=user)


class BulkJob(Work):
    """A bulk action over many rows, or the undo of one, that a worker carries out: what was asked,
    and what came of it.

    No keys of "all that match": the list's query finds them again, and the fingerprint says
    whether they are still what its user saw.
    """

    class State(models.TextChoices):
        WORKING = "working", _("under way")  # handed to a worker, which does all of it or nothing
        DONE = "done", _("done")  # written, in one transaction
        FAILED = "failed", _("not done")  # nothing was written; `problem` says why
        CANCELLED = "cancelled", _("cancelled")  # by its user; nothing was written

    no_trail = "What it changed is a change set, which names it; what was only asked is none."

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="bulk_jobs",
        verbose_name=_("user"),
    )
    model = models.CharField(_("list"), max_length=100)  # "inventory.product"
    action = models.CharField(_("action"), max_length=100)
    # The query of the list that it came from, and the keys if rows were ticked.
    selection = models.JSONField(_("rows"), default=dict)
    # What was entered into the action's form, as it was sent.
    sent = models.TextField(_("entered"), blank=True)
    # An undo: what it undoes, which is then its one row of the record.
    undoes = models.ForeignKey(
        ChangeSet,
        on_delete=models.DO_NOTHING,
        null=True,
        db_constraint=False,
        related_name="undo_jobs",
        verbose_name=_("undoes"),
    )
    fingerprint = models.CharField(_("fingerprint"), max_length=32)
    reason = models.TextField(_("reason"), blank=True)
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.WORKING)
    changed = models.PositiveBigIntegerField(_("changed"), default=0)
    # {why, as the plan names it: how many rows were left alone for it}
    skipped = models.JSONField(_("skipped"), default=dict)
    change_set = models.ForeignKey(
        ChangeSet,
        on_delete=models.DO_NOTHING,
        null=True,
        db_constraint=False,
        related_name="bulk_jobs",
        verbose_name=_("change set"),
    )
    created_at = models.DateTimeField(_("asked for"), db_default=Now())
    ended_at = models.DateTimeField(_("ended"), null=True)

    objects = BulkJobQuerySet.as_manager()

    class Meta:
        verbose_name = _("bulk change")
        verbose_name_plural = _("bulk changes")
        default_permissions = ("view",)
        ordering = ("-id",)
        indexes = [models.Index(fields=["user", "-id"], name="console_bulkjob_user")]
        constraints = [
            # A second click finds the job of the first.
            models.UniqueConstraint(
                fields=["user", "fingerprint"],
                name="console_bulkjob_once",
                condition=Q(state="working"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.created_at:%Y-%m-%d}"
