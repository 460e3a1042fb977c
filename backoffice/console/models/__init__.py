from .attachments import Attachment
from .bulk import BulkJob
from .lists import ListLayout, SavedView

__all__ = ["Attachment", "BulkJob", "ListLayout", "SavedView"]
