"""Products as other software writes them."""

from .foreign import FOREIGN_FILES
from .medusa import MEDUSA
from .shopify import SHOPIFY, SHOPIFY_NEWER
from .spree import SPREE
from .vendure import VENDURE
from .woocommerce import WOOCOMMERCE

PRODUCT_FORMATS = (SHOPIFY, SHOPIFY_NEWER, WOOCOMMERCE, SPREE, MEDUSA, VENDURE)

__all__ = ["FOREIGN_FILES", "PRODUCT_FORMATS"]
