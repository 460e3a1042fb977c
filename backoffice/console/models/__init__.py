from .bulk import BulkJob
from .lists import ListLayout, SavedView

__all__ = ["BulkJob", "ListLayout", "SavedView"]
