from .catalogue import Product
from .classification import Category, Tag
from .discount import Discount
from .product_parts import ProductImage, ProductTag

__all__ = ["Category", "Discount", "Product", "ProductImage", "ProductTag", "Tag"]
