from decimal import Decimal

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex, GinIndex, OpClass
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Upper
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from backoffice.audit.models import VersionedModel
from backoffice.audit.trail import Trail
from inventory.managers import ProductManager, search_text

from .classification import Category, Tag
from .discount import Discount
from .fields import NameSlugField, SlugFromName
from .variants import ONE_LEVEL_OF_VARIANTS

# The largest amount that a column of 14 digits, 4 of them decimals, can hold.
MOST = Decimal("9999999999.9999")


class Product(VersionedModel):
    """Something that the merchant sells, or one variant of it (a size, a colour).

    A product that has variants is not sold itself.
    """

    class TaxClass(models.TextChoices):
        STANDARD = "standard", _("standard")
        REDUCED = "reduced", _("reduced")
        ZERO = "zero", _("zero")

    class WeightUnit(models.TextChoices):
        GRAM = "g", _("grams")
        KILOGRAM = "kg", _("kilograms")
        OUNCE = "oz", _("ounces")
        POUND = "lb", _("pounds")

    sku = models.CharField(
        _("SKU"),
        max_length=64,
        validators=[RegexValidator(r"^\S(.*\S)?$", _("An SKU has no space around it."))],
        help_text=_("Your own code of the article; unique, whatever its case."),
    )
    name = models.CharField(_("name"), max_length=200)
    slug = NameSlugField(_("slug"), help_text=_("Made from the name if left blank."))
    description = models.TextField(_("description"), blank=True, db_default="")
    brand = models.CharField(_("brand"), max_length=100, blank=True, db_default="")
    barcode = models.CharField(
        _("barcode"),
        max_length=32,
        blank=True,
        db_default="",
        validators=[
            RegexValidator(
                r"^[0-9]+([.,][0-9]+)?[eE]\+?[0-9]+$",
                _(
                    "A spreadsheet has turned this barcode into a number and lost its digits. "
                    "Take it from the original file."
                ),
                inverse_match=True,
            ),
        ],
        help_text=_("EAN, UPC, ISBN or your own."),
    )
    # Four decimals: suppliers' lists have prices such as 22.788, and nothing is rounded unasked.
    price = models.DecimalField(
        _("price"), max_digits=14, decimal_places=4, validators=[MinValueValidator(0)]
    )
    compare_at_price = models.DecimalField(
        _("compare-at price"),
        max_digits=14,
        decimal_places=4,
        null=True,
        blank=True,
        help_text=_("The former price, shown struck through; above the price."),
    )
    cost = models.DecimalField(
        _("cost"),
        max_digits=14,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("What one costs in purchasing."),
    )
    tax_class = models.CharField(
        _("tax class"),
        max_length=10,
        choices=TaxClass.choices,
        default=TaxClass.STANDARD,
        db_default=TaxClass.STANDARD.value,
    )
    weight = models.DecimalField(
        _("weight"),
        max_digits=10,
        decimal_places=3,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    weight_unit = models.CharField(
        _("weight unit"),
        max_length=2,
        choices=WeightUnit.choices,
        default=WeightUnit.KILOGRAM,
        db_default=WeightUnit.KILOGRAM.value,
    )
    is_active = models.BooleanField(
        _("active"), default=True, db_default=True, help_text=_("Inactive products are not sold.")
    )
    is_featured = models.BooleanField(_("featured"), default=False, db_default=False)
    discount = models.ForeignKey(
        Discount,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="products",
        verbose_name=_("discount"),
    )
    category = models.ForeignKey(
        Category,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,  # the index over the category and the name serves as well
        related_name="products",
        verbose_name=_("category"),
    )
    tags = models.ManyToManyField(
        Tag, through="ProductTag", blank=True, related_name="products", verbose_name=_("tags")
    )
    variant_of = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="variants",
        verbose_name=_("variant of"),
    )
    options = models.JSONField(
        _("options"),
        default=dict,
        db_default={},
        blank=True,
        help_text=_('What sets this variant apart, such as {"Size": "M"}.'),
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("created by"),
    )

    objects = ProductManager()
    history = Trail(seen_from={"variant_of": (_("variant"), _("variants"))})

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        default_permissions = ("add", "change", "delete", "view", "import", "export")
        permissions = (("view_cost", gettext_noop("Can view cost")),)
        ordering = ("name", "id")
        triggers = [
            SlugFromName("inventory_product", also_from="sku"),
            ONE_LEVEL_OF_VARIANTS,
        ]
        indexes = [
            # One per order and filter that the list offers; each ends in what breaks its ties.
            models.Index(fields=["name", "id"], name="inventory_product_name"),
            models.Index(fields=["price", "id"], name="inventory_product_price"),
            models.Index(fields=["-updated_at", "-id"], name="inventory_product_updated"),
            models.Index(fields=["brand", "name", "id"], name="inventory_product_brand"),
            models.Index(fields=["category", "name", "id"], name="inventory_product_category"),
            models.Index(
                fields=["barcode"], name="inventory_product_barcode", condition=~Q(barcode="")
            ),
            models.Index(
                fields=["name"], name="inventory_product_inactive", condition=Q(is_active=False)
            ),
            models.Index(
                fields=["name"], name="inventory_product_featured", condition=Q(is_featured=True)
            ),
            # What is missing, where it is rare. By the key: rows that come in are put at the end,
            # which costs an import next to nothing. With the name, by which the list is in order.
            models.Index(
                fields=["id"],
                include=["name"],
                name="inventory_product_no_cost",
                condition=Q(cost=None),
            ),
            models.Index(
                fields=["id"],
                include=["name"],
                name="inventory_product_no_barcode",
                condition=Q(barcode=""),
            ),
            models.Index(
                fields=["id"],
                include=["name"],
                name="inventory_product_no_text",
                condition=Q(description=""),
            ),
            # What was added in some days, for the dashboard. Rows lie as they came, so a few pages
            # tell; and an import does not feel it.
            BrinIndex(
                fields=["created_at"],
                name="inventory_product_created",
                pages_per_range=32,
                autosummarize=True,
            ),
            GinIndex(
                OpClass(Upper(search_text()), name="gin_trgm_ops"), name="inventory_product_search"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                Lower("sku"),
                name="inventory_product_sku_unique",
                violation_error_message=_("Another product has this SKU already."),
            ),
            models.UniqueConstraint(
                Lower("slug"),
                name="inventory_product_slug_unique",
                violation_error_message=_("Another product has this slug already."),
            ),
            models.CheckConstraint(
                condition=~Q(sku="") & ~Q(name=""), name="inventory_product_sku_and_name_present"
            ),
            models.CheckConstraint(
                # The upper bound is for NaN, which PostgreSQL takes for the largest number.
                condition=Q(price__gte=0, price__lte=MOST),
                name="inventory_product_price_not_negative",
                violation_error_message=_("A price is 0 or more."),
            ),
            models.CheckConstraint(
                condition=Q(cost=None) | Q(cost__gte=0, cost__lte=MOST),
                name="inventory_product_cost_not_negative",
                violation_error_message=_("A cost is 0 or more."),
            ),
            models.CheckConstraint(
                condition=Q(compare_at_price=None)
                | Q(compare_at_price__gt=F("price"), compare_at_price__lte=MOST),
                name="inventory_product_compare_at_above_price",
                violation_error_message=_(
                    "The compare-at price must be above the price. Raise it, or leave it blank."
                ),
            ),
            models.CheckConstraint(
                condition=Q(weight=None) | Q(weight__gte=0, weight__lte=MOST),
                name="inventory_product_weight_not_negative",
                violation_error_message=_("A weight is 0 or more."),
            ),
            models.CheckConstraint(
                condition=Q(tax_class__in=["standard", "reduced", "zero"]),
                name="inventory_product_tax_class_known",
            ),
            models.CheckConstraint(
                condition=Q(weight_unit__in=["g", "kg", "oz", "lb"]),
                name="inventory_product_weight_unit_known",
            ),
            models.CheckConstraint(
                condition=~Q(variant_of=F("id")),
                name="inventory_product_not_own_variant",
                violation_error_message=_("A product is not a variant of itself."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.sku})"

    def clean(self) -> None:
        super().clean()
        if self.variant_of and self.variant_of.variant_of_id:
            raise ValidationError(
                {
                    "variant_of": _(
                        "This is a variant itself. Choose the product that it belongs to."
                    )
                }
            )
        if self.variant_of and self.pk and self.variants.exists():
            raise ValidationError(
                {"variant_of": _("This product has variants, so it cannot be one itself.")}
            )

    @property
    def selling_price(self) -> Decimal:
        """The price that a buyer pays now, discount included."""
        if self.discount and self.discount.is_running():
            return self.discount.apply_to(self.price)
        return self.price
