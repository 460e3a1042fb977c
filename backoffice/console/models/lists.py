from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

from backoffice.audit.trail import Trail


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def usable_by(self, user: Any, model: str) -> "SavedViewQuerySet":
        """The tabs of a list for a user: their own views, and the shared ones."""
        return self.filter(Q(is_shared=True) | Q(user=user), model=model)


class SavedView(models.Model):
    """A list as somebody wants to find it again: its filters, columns and order, under a name."""

    model = models.CharField(_("list"), max_length=100)  # "inventory.product"
    name = models.CharField(_("name"), max_length=60)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="saved_views",
        verbose_name=_("of"),
    )
    is_shared = models.BooleanField(_("for everybody"), default=False)
    # The query of the list's address, such as "is_active__exact=1&o=2".
    query = models.TextField(_("filters and order"), blank=True)
    # Names of columns in their order; empty means those that the list comes with.
    columns = models.JSONField(_("columns"), default=list, blank=True)
    created_at = models.DateTimeField(_("made"), db_default=Now())

    objects = SavedViewQuerySet.as_manager()
    history = Trail()

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        # One's own need no permission; "delete" is for views that others share.
        default_permissions = ("view", "delete")
        ordering = ("name", "id")
        constraints = [
            models.UniqueConstraint(
                "user", "model", Lower("name"), name="console_savedview_name_unique"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ListLayout(models.Model):
    """The columns that a user chose for a list, in their order."""

    no_trail = "How a person arranges their own lists changes nothing of the shop."

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="list_layouts"
    )
    model = models.CharField(_("list"), max_length=100)
    columns = models.JSONField(_("columns"), default=list)

    class Meta:
        verbose_name = _("layout of a list")
        verbose_name_plural = _("layouts of lists")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["user", "model"], name="console_listlayout_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.model}"
