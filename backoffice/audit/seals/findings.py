"""What a verification finds wrong, one thing at a time."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Wrong(StrEnum):
    """What kind of thing is wrong. The names are part of what `audit_verify --json` prints."""

    ROW_ALTERED = "row_altered"
    ROW_REMOVED = "row_removed"
    ROW_INSERTED = "row_inserted"
    ROW_MISDATED = "row_misdated"
    ROW_WITHOUT_CHANGE_SET = "row_without_change_set"
    LIVE_ROW_DIFFERS = "live_row_differs"
    CHANGE_SET_ALTERED = "change_set_altered"
    CHANGE_SET_REMOVED = "change_set_removed"
    CHANGE_SET_INSERTED = "change_set_inserted"
    ENTRY_ALTERED = "entry_altered"  # of the seals' own tables, as the next three
    ENTRY_REMOVED = "entry_removed"
    ENTRY_INSERTED = "entry_inserted"
    ROW_HASHES_ALTERED = "row_hashes_altered"
    FORM_ALTERED = "form_altered"
    COLUMNS_GONE = "columns_gone"
    SEAL_ALTERED = "seal_altered"
    SEAL_REMOVED = "seal_removed"
    SIGNATURE_WRONG = "signature_wrong"
    KEY_UNKNOWN = "key_unknown"
    LINK_BROKEN = "link_broken"
    ARCHIVE_ALTERED = "archive_altered"
    CHECKPOINT_DIFFERS = "checkpoint_differs"
    CHECKPOINT_UNSIGNED = "checkpoint_unsigned"
    TRIGGER = "trigger"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong, in words, and where it is."""

    wrong: Wrong
    message: str
    table: str = ""
    history_id: int | None = None
    key: str | None = None  # of the object that the row is about
    change_set: int | None = None
    seal: int | None = None

    def as_dict(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value not in (None, "")}
