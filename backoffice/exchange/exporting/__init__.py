"""Rows out as files: CSV and JSON Lines streamed by the database, and workbooks."""

from .columns import exportable_columns
from .rows import CONTENT_TYPES, Counted, count_rows, export_rows

__all__ = ["CONTENT_TYPES", "Counted", "count_rows", "export_rows", "exportable_columns"]
