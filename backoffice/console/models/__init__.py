from .attachments import Attachment
from .lists import ListLayout, SavedView

__all__ = ["Attachment", "ListLayout", "SavedView"]
