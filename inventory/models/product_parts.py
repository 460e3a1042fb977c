"""What belongs to one product: its tags and its pictures."""

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backoffice.audit.models import VersionedModel
from backoffice.audit.trail import Trail
from inventory.managers import ProductTagManager

from .catalogue import Product
from .classification import Tag

# What an address in the catalogue may be: a page of the web, or a path of this site. Anything
# else ("javascript:", "data:") would become a link that runs code.
SAFE_URL = r"^(https?://[^\s/]|/[^/\\\s])[^\s<>\"]*$"


class ProductTag(models.Model):
    """That a product carries a tag: a row like any other, and so on the record like any other."""

    # Each key is the beginning of an index below.
    product = models.ForeignKey(
        Product, on_delete=models.CASCADE, db_index=False, related_name="product_tags"
    )
    tag = models.ForeignKey(
        Tag, on_delete=models.CASCADE, db_index=False, related_name="product_tags"
    )

    objects = ProductTagManager()
    history = Trail(part_of=["product"])

    class Meta:
        base_manager_name = "objects"  # what a deletion lists
        verbose_name = _("tag of a product")
        verbose_name_plural = _("tags of products")
        default_permissions = ("view",)
        indexes = [models.Index(fields=["tag", "product"], name="inventory_producttag_tag")]
        constraints = [
            models.UniqueConstraint(fields=["product", "tag"], name="inventory_producttag_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.product}: {self.tag}"


class ProductImage(VersionedModel):
    """A picture of a product, by its address; the first by position stands in lists."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="images")
    url = models.CharField(
        _("address"),
        max_length=500,
        validators=[
            RegexValidator(SAFE_URL, _("Enter an address that begins with https:// or http://."))
        ],
    )
    alt_text = models.CharField(
        _("description"),
        max_length=200,
        blank=True,
        db_default="",
        help_text=_("For those who cannot see the picture."),
    )
    position = models.PositiveIntegerField(_("position"), default=0, db_default=0)

    history = Trail(part_of=["product"])

    class Meta:
        verbose_name = _("image")
        verbose_name_plural = _("images")
        ordering = ("position", "id")
        constraints = [
            models.CheckConstraint(
                condition=Q(url__regex=SAFE_URL), name="inventory_productimage_url_safe"
            ),
        ]

    def __str__(self) -> str:
        return str(self.alt_text if self.pk and self.alt_text else self.url)
