from .catalogue import Product, ProductImage, ProductTag
from .classification import Category, Tag
from .discount import Discount

__all__ = ["Category", "Discount", "Product", "ProductImage", "ProductTag", "Tag"]
