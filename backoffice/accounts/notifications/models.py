from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class NotificationQuerySet(models.QuerySet["Notification"]):
    def on_page(self, user_id: int) -> "NotificationQuerySet":
        """What a user finds in the app, read or not."""
        return self.filter(user=user_id, in_app=True)

    def unread(self, user_id: int) -> "NotificationQuerySet":
        return self.on_page(user_id).filter(read_at=None)


class Notification(models.Model):
    """Something that a user is told. It keeps what happened, and is put into words when read.

    A row with `mail_due_at` is an e-mail that is still to go: it is written in the transaction
    of what it tells of, so none is lost and none tells of what was rolled back.
    """

    no_trail = "It tells of what is on the record; that somebody read it changes nothing."

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications"
    )
    # The name of a registered kind, such as "mention".
    kind = models.CharField(_("kind"), max_length=50)
    # What the kind puts into words: {"file": "march.csv", "new": 12}.
    parameters = models.JSONField(_("parameters"), default=dict)
    # A path of this site.
    link = models.CharField(_("link"), max_length=500, blank=True)
    # What it is about, as the record names it: "inventory.product/12".
    reference = models.CharField(_("about"), max_length=200, blank=True)
    # What must not be told twice; blank for what cannot be.
    key = models.CharField(_("key"), max_length=200, blank=True)
    at = models.DateTimeField(_("time"), db_default=Now())
    in_app = models.BooleanField(_("in the app"), default=True)
    read_at = models.DateTimeField(_("read"), null=True)
    mail_due_at = models.DateTimeField(_("e-mail due"), null=True)
    mail_attempts = models.PositiveSmallIntegerField(_("attempts at the e-mail"), default=0)
    mailed_at = models.DateTimeField(_("e-mailed"), null=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        default_permissions = ()
        ordering = ("-id",)
        indexes = [
            models.Index(
                fields=["user", "-id"],
                name="accounts_notification_user",
                condition=models.Q(in_app=True),
            ),
            models.Index(
                fields=["user"],
                name="accounts_notification_unread",
                condition=models.Q(in_app=True, read_at=None),
            ),
            models.Index(
                fields=["mail_due_at"],
                name="accounts_notification_due",
                condition=models.Q(mail_due_at__isnull=False),
            ),
            models.Index(fields=["at"], name="accounts_notification_time"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "kind", "key"],
                name="accounts_notification_once",
                condition=~models.Q(key=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.user}"


class NotificationChoice(models.Model):
    """How a user wants to be told of one kind of thing, where it is not the usual way."""

    no_trail = "How a person wants to be told changes nothing of the shop."

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notification_choices"
    )
    kind = models.CharField(_("kind"), max_length=50)
    in_app = models.BooleanField(_("in the app"))
    by_email = models.BooleanField(_("by e-mail"))

    class Meta:
        verbose_name = _("choice of notifications")
        verbose_name_plural = _("choices of notifications")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["user", "kind"], name="accounts_notificationchoice_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.kind}"
