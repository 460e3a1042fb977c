from .export_jobs import ExportJobAdmin
from .feeds import ImportFeedAdmin
from .jobs import ImportJobAdmin
from .mixin import ExchangeAdmin

__all__ = ["ExchangeAdmin", "ExportJobAdmin", "ImportFeedAdmin", "ImportJobAdmin"]
