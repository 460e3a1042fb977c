from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import HashIndex
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from .context import Source
from .fields import IdRangesField
from .triggers import append_only


class TransactionIdField(models.BigIntegerField):
    """PostgreSQL's xid8: the number of a transaction, never reused."""

    def db_type(self, connection: Any) -> str:
        return "xid8"

    def from_db_value(self, value: Any, *_: Any) -> int | None:
        return None if value is None else int(value)


class ChangeSet(models.Model):
    """One entry of the record: what a piece of work changed, or an event such as a sign-in.

    The first trigger that fires in a transaction makes the entry of its changes (function
    audit_change_set); events are written by `backoffice.audit.events`. The actor's name is frozen
    here: it outlives the user. Rows are never changed or deleted.
    """

    class Kind(models.TextChoices):
        CHANGE = "change", _("change")  # rows of the history belong to it
        SIGN_IN = "sign_in", _("sign-in")
        SIGN_IN_FAILED = "sign_in_failed", _("failed sign-in")
        SIGN_OUT = "sign_out", _("sign-out")
        LOCK_OUT = "lock_out", _("lock-out")  # too many failures; nobody gets in for a while
        PASSWORD = "password", _("password change")
        EXPORT = "export", _("export")  # rows left the house: facts say which
        REFUSED = "refused", _("refused")  # somebody tried what they may not do
        ARCHIVE = "archive", _("archive")  # old history was copied out, and may be gone from here
        NOTE = "note", _("note")  # what staff wrote about an object; the text is the reason

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
    kind = models.CharField(
        _("kind"), max_length=20, choices=Kind.choices, default=Kind.CHANGE, db_default="change"
    )
    # What an event has to say besides, such as {"filter": ..., "rows": 12, "sha256": ...}.
    facts = models.JSONField(_("facts"), default=dict, db_default={})

    class Meta:
        verbose_name = _("change set")
        verbose_name_plural = _("timeline")  # as people call all of them together
        default_permissions = ("view",)
        permissions = (
            ("undo_changeset", gettext_noop("Can undo change set")),
            ("add_note", gettext_noop("Can add note")),
        )
        ordering = ("-id",)
        triggers = [append_only()]
        indexes = [
            models.Index(
                fields=["reference"],
                name="audit_changeset_reference",
                condition=~models.Q(reference=""),
            ),
            models.Index(fields=["actor_id", "-id"], name="audit_changeset_actor"),
            models.Index(
                fields=["kind", "-id"],
                name="audit_changeset_events",
                condition=~models.Q(kind="change"),
            ),
            models.Index(fields=["at", "id"], name="audit_changeset_time"),
            models.Index(fields=["source", "-id"], name="audit_changeset_source"),
            HashIndex(
                fields=["request_id"],
                name="audit_changeset_request",
                condition=~models.Q(request_id=""),
            ),
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


class Seal(models.Model):
    """A signed sum over the entries of the record that were not sealed before.

    Each names the one before it by its hash, so none can be taken out or changed unseen.
    """

    no_trail = "It proves the record, and is append-only."

    at = models.DateTimeField(_("time"), db_default=Now())
    # What the hashes are computed over, and how; see backoffice.audit.seals.
    form = models.PositiveSmallIntegerField(_("form"), default=1)
    count = models.PositiveIntegerField(_("entries"))
    # The change sets under it, so that one taken out of it is named.
    change_sets = IdRangesField(_("change sets"))
    root = models.CharField(_("Merkle root"), max_length=64)
    previous = models.CharField(_("hash of the seal before"), max_length=64, blank=True)
    hash = models.CharField(_("hash"), max_length=64, unique=True)
    key_id = models.CharField(_("key"), max_length=64)
    signature = models.CharField(_("signature"), max_length=128)

    class Meta:
        verbose_name = _("seal")
        verbose_name_plural = _("seals")
        default_permissions = ("view",)
        ordering = ("-id",)
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.pk}: {self.hash[:12]}"


class SealedEntry(models.Model):
    """That an entry of the record is under a seal, and the hash that it had."""

    no_trail = "It proves the record, and is append-only."

    change_set = models.OneToOneField(
        ChangeSet, on_delete=models.DO_NOTHING, db_constraint=False, related_name="sealed"
    )
    seal = models.ForeignKey(
        Seal, on_delete=models.DO_NOTHING, db_constraint=False, related_name="entries"
    )
    hash = models.CharField(_("hash"), max_length=64)
    # Of the entry's own row, without its history.
    row_hash = models.BinaryField(_("hash of the row"))

    class Meta:
        verbose_name = _("sealed entry")
        verbose_name_plural = _("sealed entries")
        default_permissions = ()
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.change_set_id}: {self.hash[:12]}"


class SealForm(models.Model):
    """Which columns of which tables the hashes of some seals are computed over.

    A new column makes a new form; what was sealed before keeps its own.
    """

    no_trail = "It proves the record, and is append-only."

    number = models.PositiveSmallIntegerField(_("number"), primary_key=True)
    description = models.TextField(_("description"))
    hash = models.CharField(_("hash"), max_length=64)

    class Meta:
        verbose_name = _("form of seals")
        verbose_name_plural = _("forms of seals")
        default_permissions = ()
        triggers = [append_only()]

    def __str__(self) -> str:
        return str(self.number)


class SealedRows(models.Model):
    """The hashes of up to a thousand history rows of one entry and table, each 32 bytes long.

    They tell which row was altered, and of which object a row was that is gone.
    """

    no_trail = "It proves the record, and is append-only."

    seal = models.ForeignKey(
        Seal, on_delete=models.DO_NOTHING, db_constraint=False, related_name="rows"
    )
    change_set = models.ForeignKey(
        ChangeSet, on_delete=models.DO_NOTHING, db_constraint=False, related_name="sealed_rows"
    )
    table = models.TextField(_("table"))
    history_ids = IdRangesField(_("history rows"))
    keys = ArrayField(models.TextField(), verbose_name=_("keys of the objects"))
    hashes = models.BinaryField(_("hashes"))

    class Meta:
        verbose_name = _("sealed rows")
        verbose_name_plural = _("sealed rows")
        default_permissions = ()
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.change_set_id}: {self.table}"


class Archive(models.Model):
    """Rows of a history table that were copied to a file, and may be gone from here since.

    The change set is the event that tells of it. It holds the hash of these numbers, and comes
    under a seal like any other entry.
    """

    no_trail = "It proves the record, and is append-only."

    change_set = models.ForeignKey(
        ChangeSet, on_delete=models.DO_NOTHING, db_constraint=False, related_name="archives"
    )
    table = models.TextField(_("table"))
    history_ids = IdRangesField(_("history rows"))

    class Meta:
        verbose_name = _("archive")
        verbose_name_plural = _("archives")
        default_permissions = ()
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.change_set_id}: {self.table}"


class SealEvent(models.Model):
    """What happened to seals: that one was published, where; that the record was verified."""

    class Kind(models.TextChoices):
        PUBLISHED = "published", _("published")
        PUBLICATION_FAILED = "failed", _("publication failed")
        VERIFIED = "verified", _("verified")
        TAMPERED = "tampered", _("found altered")

    no_trail = "It is a log of its own, and append-only."

    at = models.DateTimeField(_("time"), db_default=Now())
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    seal = models.ForeignKey(
        Seal, on_delete=models.DO_NOTHING, null=True, db_constraint=False, related_name="events"
    )
    where = models.TextField(_("where"), blank=True)
    facts = models.JSONField(_("facts"), default=dict)

    class Meta:
        verbose_name = _("event of a seal")
        verbose_name_plural = _("events of seals")
        default_permissions = ()
        ordering = ("-id",)
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.where}"
