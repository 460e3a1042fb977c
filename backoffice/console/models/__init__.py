from .lists import ListLayout, SavedView

__all__ = ["ListLayout", "SavedView"]
