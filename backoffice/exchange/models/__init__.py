from .exports import ExportJob, ExportTemplate
from .jobs import ImportJob, ImportJobQuerySet, ImportProgress, private_path
from .profiles import ImportFeed, ImportProfile

__all__ = [
    "ExportJob",
    "ExportTemplate",
    "ImportFeed",
    "ImportJob",
    "ImportJobQuerySet",
    "ImportProfile",
    "ImportProgress",
    "private_path",
]
