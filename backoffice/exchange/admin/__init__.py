from .jobs import ImportJobAdmin
from .mixin import ExchangeAdmin

__all__ = ["ExchangeAdmin", "ImportJobAdmin"]
