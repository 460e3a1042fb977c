from .export_jobs import ExportJobAdmin
from .feeds import ImportFeedAdmin
from .jobs import ImportJobAdmin
from .mixin import ExchangeAdmin
from .profiles import ImportProfileAdmin

__all__ = [
    "ExchangeAdmin",
    "ExportJobAdmin",
    "ImportFeedAdmin",
    "ImportJobAdmin",
    "ImportProfileAdmin",
]
