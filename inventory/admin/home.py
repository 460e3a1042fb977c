"""What the catalogue gives to the command palette and to the dashboard."""

from datetime import datetime

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from backoffice.accounts.roles import RoleName
from backoffice.console import dashboard, palette
from backoffice.console.dashboard import Attention, Line, Recent, Trend
from backoffice.console.dashboard.cards import UNHURRIED
from backoffice.console.people import role_names
from inventory.models import Category, Discount, Product, ProductImage, Tag

RECENT = 8
_KEEPERS = (RoleName.CATALOGUE_MANAGER, RoleName.ADMINISTRATOR)


def _which(product: Product) -> str:
    return " · ".join([product.sku, *([product.category.path] if product.category else [])])


palette.register(
    Product, icon="inventory_2", title=lambda product: product.name, note=_which,
    related=["category"],
)  # fmt: skip
palette.register(
    Category, icon="account_tree", title=lambda category: category.name,
    note=lambda category: category.path,
)  # fmt: skip
palette.register(Tag, icon="sell")
palette.register(Discount, icon="percent")


def _may_mend(request: HttpRequest) -> bool:
    return request.user.has_perm("inventory.change_product")


def _may_read(request: HttpRequest) -> bool:
    return request.user.has_perm("inventory.view_product")


dashboard.register(
    Attention(
        name="without-price",
        title=ngettext_lazy("product without a price", "products without a price"),
        icon="payments",
        model=Product,
        rows=lambda rows: rows.filter(price=0),
        query="without=price",
        allowed=_may_mend,
        roles=_KEEPERS,
    )
)
dashboard.register(
    Attention(
        name="without-category",
        title=ngettext_lazy("product without a category", "products without a category"),
        icon="account_tree",
        model=Product,
        rows=lambda rows: rows.uncategorised(),
        query="without=category",
        allowed=_may_mend,
        roles=_KEEPERS,
    )
)
dashboard.register(
    Attention(
        name="without-image",
        title=ngettext_lazy("product without an image", "products without an image"),
        icon="image",
        model=Product,
        rows=lambda rows: rows.filter(images=None),
        query="without=image",
        allowed=_may_mend,
        roles=_KEEPERS,
        changed_by=(ProductImage,),
        patience=UNHURRIED,  # all products are compared with all images
    )
)
dashboard.register(
    Attention(
        name="without-barcode",
        title=ngettext_lazy("product without a barcode", "products without a barcode"),
        icon="barcode_scanner",
        model=Product,
        rows=lambda rows: rows.filter(barcode=""),
        query="without=barcode",
        allowed=lambda request: _may_mend(request) or RoleName.WAREHOUSE in role_names(request),
        roles=(RoleName.WAREHOUSE,),
    )
)
dashboard.register(
    Attention(
        name="active",
        title=ngettext_lazy("active product", "active products"),
        icon="inventory_2",
        model=Product,
        rows=lambda rows: rows.active(),
        query="is_active__exact=1",
        roles=(RoleName.ORDER_DESK, RoleName.WAREHOUSE),
        patience=UNHURRIED,
        is_trouble=False,
    )
)
dashboard.register(
    Attention(
        name="inactive",
        title=ngettext_lazy("inactive product", "inactive products"),
        icon="visibility_off",
        model=Product,
        rows=lambda rows: rows.inactive(),
        query="is_active__exact=0",
        roles=(RoleName.ORDER_DESK, RoleName.WAREHOUSE),
        is_trouble=False,
    )
)
dashboard.register(
    Attention(
        name="featured",
        title=ngettext_lazy("featured product", "featured products"),
        icon="star",
        model=Product,
        rows=lambda rows: rows.featured(),
        query="is_featured__exact=1",
        roles=(RoleName.ORDER_DESK,),
        allowed=lambda request: RoleName.ORDER_DESK in role_names(request),
        is_trouble=False,
    )
)


def _added_on(start: datetime, end: datetime, _series: str | None) -> str:
    query = urlencode({"created_at__gte": start.isoformat(), "created_at__lt": end.isoformat()})
    return f"{reverse('admin:inventory_product_changelist')}?{query}"


dashboard.register(
    Trend(
        name="products-added",
        title=_("Products added by day"),
        model=Product,
        moment="created_at",
        link=_added_on,
        roles=_KEEPERS,
        empty=_("No product was added in these days."),
    )
)


def _changed_last(request: HttpRequest) -> list[Line]:
    products = Product.objects.order_by("-updated_at", "-id")[:RECENT]
    return [
        Line(
            title=product.name,
            note=product.sku,
            at=product.updated_at,
            link=reverse("admin:inventory_product_change", args=[product.pk]),
        )
        for product in products
    ]


dashboard.register(
    Recent(
        name="products-changed",
        title=_("Products changed last"),
        lines=_changed_last,
        empty=_("There are no products yet."),
        # Who may read the record sees there what was changed, and by whom.
        allowed=lambda request: (
            _may_read(request) and not request.user.has_perm("audit.view_changeset")
        ),
        link=lambda request: f"{reverse('admin:inventory_product_changelist')}?o=-changed",
        link_text=_("All products"),
        roles=(RoleName.WAREHOUSE, RoleName.ORDER_DESK),
    )
)
