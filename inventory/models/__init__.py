from .catalogue import Discount, Product, ProductImage, ProductTag
from .classification import Category, Tag

__all__ = ["Category", "Discount", "Product", "ProductImage", "ProductTag", "Tag"]
