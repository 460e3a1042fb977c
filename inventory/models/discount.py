from decimal import Decimal

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Upper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from backoffice.audit.models import VersionedModel
from backoffice.audit.trail import Trail
from inventory.managers import DiscountQuerySet


class Discount(VersionedModel):
    """A reduction, by percent or by amount, for the products that carry it while it runs."""

    class Kind(models.TextChoices):
        PERCENT = "percent", _("percent")
        AMOUNT = "amount", _("amount")

    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.PERCENT)
    value = models.DecimalField(
        _("value"),
        max_digits=12,
        decimal_places=2,
        help_text=_("Percent of the price, or an amount in the shop's currency."),
    )
    starts_at = models.DateTimeField(_("starts"), null=True, blank=True)
    ends_at = models.DateTimeField(_("ends"), null=True, blank=True)
    is_active = models.BooleanField(_("active"), default=True, db_default=True)

    objects = DiscountQuerySet.as_manager()
    history = Trail()

    class Meta:
        verbose_name = _("discount")
        verbose_name_plural = _("discounts")
        default_permissions = ("add", "change", "delete", "view", "import", "export")
        ordering = ("name",)
        indexes = [
            GinIndex(OpClass(Upper("name"), name="gin_trgm_ops"), name="inventory_discount_search"),
        ]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="inventory_discount_name_unique",
                violation_error_message=_("There is a discount of this name already."),
            ),
            models.CheckConstraint(
                condition=Q(kind="percent", value__gt=0, value__lte=100)
                | Q(kind="amount", value__gt=0, value__lte=Decimal("9999999999.99")),
                name="inventory_discount_value_in_range",
                violation_error_message=_("A discount is above 0, and at most 100 percent."),
            ),
            models.CheckConstraint(
                condition=Q(starts_at=None) | Q(ends_at=None) | Q(ends_at__gt=F("starts_at")),
                name="inventory_discount_ends_after_start",
                violation_error_message=_("A discount ends after it starts."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def is_running(self) -> bool:
        now = timezone.now()
        started = self.starts_at is None or self.starts_at <= now
        return self.is_active and started and (self.ends_at is None or now < self.ends_at)

    def apply_to(self, price: Decimal) -> Decimal:
        """The price after this discount: never below 0, rounded half up to the cent."""
        less = price * self.value / 100 if self.kind == self.Kind.PERCENT else self.value
        return max(price - less, Decimal(0)).quantize(Decimal("0.01"), rounding="ROUND_HALF_UP")
