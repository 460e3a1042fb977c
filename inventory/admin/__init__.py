from . import classification, discount, home, product

__all__ = ["classification", "discount", "home", "product"]
