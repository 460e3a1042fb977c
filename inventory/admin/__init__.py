from . import classification, discount, product

__all__ = ["classification", "discount", "product"]
