from typing import Any

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from .context import Source
from .triggers import append_only


class TransactionIdField(models.BigIntegerField):
    """PostgreSQL's xid8: the number of a transaction, never reused."""

    def db_type(self, connection: Any) -> str:
        return "xid8"

    def from_db_value(self, value: Any, *_: Any) -> int | None:
        return None if value is None else int(value)


class ChangeSet(models.Model):
    """What one piece of work changed in one transaction, and who did it why.

    The first trigger that fires makes it (function audit_change_set). The actor's name is frozen
    here: it outlives the user. Rows are never changed or deleted.
    """

    no_trail = "It is the record itself, and append-only."

    at = models.DateTimeField(_("time"), db_default=Now())
    transaction_id = TransactionIdField(_("transaction"))
    source = models.TextField(_("source"), choices=[(s.value, s.value) for s in Source])
    action = models.TextField(_("action"))
    reason = models.TextField(_("reason"))
    # A number, not a relation: the record outlives the user, and knows nothing of accounts.
    actor_id = models.BigIntegerField(_("user"), null=True)
    actor_name = models.TextField(_("who"))
    request_id = models.TextField(_("request"))
    client_address = models.TextField(_("client address"), null=True)
    reference = models.TextField(_("caused by"), help_text=_("app.model/key of what caused it"))
    database_user = models.TextField(_("database user"))

    class Meta:
        verbose_name = _("change set")
        verbose_name_plural = _("change sets")
        default_permissions = ("view",)
        ordering = ("-id",)
        triggers = [append_only()]
        indexes = [
            models.Index(
                fields=["reference"],
                name="audit_changeset_reference",
                condition=~models.Q(reference=""),
            ),
            models.Index(fields=["actor_id", "-id"], name="audit_changeset_actor"),
            BrinIndex(fields=["at"], name="audit_changeset_at", autosummarize=True),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(source__in=[s.value for s in Source]),
                name="audit_changeset_source_known",
            )
        ]

    def __str__(self) -> str:
        return self.action or self.source

    @property
    def who(self) -> str:
        """The actor's frozen name, or the database user where no application announced one."""
        return self.actor_name or self.database_user


class VersionedModel(models.Model):
    """A row with a version that every change raises, so that a stale edit can be told."""

    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    updated_at = models.DateTimeField(_("last changed"), db_default=Now(), editable=False)
    # db_default, like the times: rows that COPY and SQL bring in get theirs too.
    version = models.PositiveIntegerField(_("version"), db_default=1, editable=False)

    class Meta:
        abstract = True
