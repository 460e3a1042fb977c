"""An import from the file to the record: store, map, check, apply; for pages and commands."""

from .choosing import choose_in_conflicts, do_without_profile, map_and_keep, map_columns, plan_again
from .custody import AT_WORK, refuse_at_work, refuse_what_is_over
from .ending import apply_import, discard_import, keep_failed_rows
from .reading import read_again, read_by_format, read_import, start_import
from .whole_way import import_file

__all__ = [
    "AT_WORK",
    "apply_import",
    "choose_in_conflicts",
    "discard_import",
    "do_without_profile",
    "import_file",
    "keep_failed_rows",
    "map_and_keep",
    "map_columns",
    "plan_again",
    "read_again",
    "read_by_format",
    "read_import",
    "refuse_at_work",
    "refuse_what_is_over",
    "start_import",
]
