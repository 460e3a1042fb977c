from .export_jobs import ExportJobAdmin
from .jobs import ImportJobAdmin
from .mixin import ExchangeAdmin

__all__ = ["ExchangeAdmin", "ExportJobAdmin", "ImportJobAdmin"]
