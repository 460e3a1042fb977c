from .exports import ExportJob, ExportTemplate, FileFormat
from .jobs import ImportJob, ImportJobQuerySet, ImportProgress, private_path
from .profiles import ImportFeed, ImportProfile

__all__ = [
    "ExportJob",
    "ExportTemplate",
    "FileFormat",
    "ImportFeed",
    "ImportJob",
    "ImportJobQuerySet",
    "ImportProfile",
    "ImportProgress",
    "private_path",
]
